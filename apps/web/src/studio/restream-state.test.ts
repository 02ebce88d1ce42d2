import type { RestreamTargetView } from '@showfloor/protocol';
import { expect, test } from 'vitest';
import { spokenWord, standingOf, TARGETS_PERIOD_MS, type TargetWord, targetsPeriodMs } from './restream-state.ts';

function target(part: Partial<RestreamTargetView>): RestreamTargetView {
  const id = '00000000-0000-4000-8000-000000000001';
  const url = 'rtmps://live.example/app';
  const still = { state: 'idle', reason: null, message: null, stateAtMs: null } as const;
  return { id, name: 'Elsewhere', url, maskedKey: '••••', isEnabled: true, ...still, ...part };
}

test.each([
  [{}, 'idle', 'quiet'],
  [{ state: 'connecting' }, 'connecting', 'busy'],
  [{ state: 'active' }, 'active', 'good'],
  [{ state: 'waiting', reason: 'unreachable' }, 'waiting', 'wait'],
  [{ state: 'waiting', reason: 'publisher_away' }, 'waiting', 'wait'],
  [{ state: 'waiting', reason: 'denied' }, 'waiting', 'bad'],
  [{ state: 'stopped' }, 'stopped', 'quiet'],
  [{ isEnabled: false }, 'off', 'quiet'],
  [{ isEnabled: false, reason: 'key_unreadable' }, 'keyLost', 'bad'],
] as const)('a target with %o is %s, %s', (part, word, tone) => {
  expect(standingOf(target(part))).toEqual({ word, tone });
});

test('targets are asked about only while the show is on air', () => {
  const periods = (['scheduled', 'ready', 'live', 'interrupted', 'ended'] as const).map(targetsPeriodMs);
  expect(periods).toEqual([false, false, TARGETS_PERIOD_MS, TARGETS_PERIOD_MS, false]);
});

test('attempts that fail one after the other are read out once', () => {
  const seen: TargetWord[] = ['idle', 'connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'active'];
  const spoken: (TargetWord | null)[] = [];
  for (const word of seen) spoken.push(spokenWord(word, spoken.at(-1) ?? null));
  expect(spoken).toEqual(['idle', 'idle', 'waiting', 'waiting', 'waiting', 'waiting', 'active']);
});
