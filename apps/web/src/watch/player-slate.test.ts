import { expect, test } from 'vitest';
import { isShowOver, type PlayerState, type SlateInput, slateOf } from './player-slate.ts';

const RETRYING: PlayerState = { kind: 'retrying', attempt: 2 };
const PLAYING: PlayerState = { kind: 'playing' };
const STALLED: PlayerState = { kind: 'stalled' };
const LOADING: PlayerState = { kind: 'loading' };

function check(player: PlayerState, stream: SlateInput['stream'], status: SlateInput['status'], slate: string | null) {
  expect(slateOf({ player, stream, status })).toBe(slate);
}

test('a moving picture has no slate, whichever other plane is gone', () => {
  check(PLAYING, 'unknown', null, null);
  check(PLAYING, 'live', 'live', null);
  check(PLAYING, 'unknown', 'scheduled', null);
});

test('no picture: the planes that answer say why', () => {
  check(LOADING, 'live', 'live', 'loading');
  check(RETRYING, 'unknown', null, 'unreachable');
  check(RETRYING, 'live', 'live', 'unreachable');
  check({ kind: 'retrying', attempt: 1 }, 'live', 'live', 'loading');
  check(RETRYING, 'unknown', 'scheduled', 'starting');
  check(RETRYING, 'unknown', 'interrupted', 'interrupted');
  check({ kind: 'blocked' }, 'live', 'live', 'blocked');
});

test('what was loaded before an interruption is seen to its end', () => {
  check(PLAYING, 'interrupted', 'interrupted', null);
});

test('a short stall has no slate', () => {
  check(STALLED, 'live', 'live', null);
});

test('interrupted and ended stand in front of a frozen picture', () => {
  check(STALLED, 'interrupted', 'live', 'interrupted');
  check({ kind: 'paused' }, 'interrupted', 'live', 'interrupted');
  check(PLAYING, 'ended', 'live', 'ended');
  check(RETRYING, 'unknown', 'ended', 'ended');
  check(LOADING, 'unknown', 'cancelled', 'cancelled');
});

test('a show that went on air again is not held back by an old answer of the shop', () => {
  check(PLAYING, 'live', 'ended', null);
});

test('a show that is over is not asked for again, one that may come back is', () => {
  expect(isShowOver('ended', 'live')).toBe(true);
  expect(isShowOver('unknown', 'ended')).toBe(true);
  expect(isShowOver('unknown', 'cancelled')).toBe(true);
  expect(isShowOver('live', 'ended')).toBe(false);
  expect(isShowOver('interrupted', 'interrupted')).toBe(false);
  expect(isShowOver('unknown', null)).toBe(false);
});
