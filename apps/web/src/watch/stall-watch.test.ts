import { describe, expect, test } from 'vitest';
import { FLV_STALL, HLS_STALL } from './player-settings.ts';
import { type StallLimits, StallWatch } from './stall-watch.ts';

/**
 * One character per second: `>` plays on, `.` stands still, `i` stands still but has a reason to, `n` stands still while a
 * second of newer media came.
 */
function check(seconds: string, reloads: string, limits: StallLimits = FLV_STALL): void {
  const watch = new StallWatch();
  let playerMs = 0;
  let edgeMs = 4_000;
  const seen = seconds.split('').map((second) => {
    if (second === '>') playerMs += 1_000;
    if (second === '>' || second === 'n') edgeMs += 1_000;
    return watch.tick({ playerMs, edgeMs }, second !== 'i', limits) ? 'R' : '-';
  });
  expect(seen.join('')).toBe(reloads);
}

describe('HTTP-FLV', () => {
  test('five seconds without progress load again, once', () => {
    check('>>.....>>', '------R--');
  });

  test('a pause of four seconds is no stall', () => {
    check('>>....>....>', '------------');
  });

  test('an interrupted show is no stall', () => {
    check('>>iiiiiiiiii', '------------');
    check('>>...iii.....', '------------R');
  });

  test('after a reload the count starts anew', () => {
    check('>>...........', '------R-----R');
  });
});

describe('HLS', () => {
  test('I-93 waiting two to four seconds for the next segment never loads again', () => {
    check('>>nnnn>>....>>', '--------------', HLS_STALL);
  });

  test('I-92 lists that stand still are waited for, twelve seconds', () => {
    check('>>............', '-------------R', HLS_STALL);
    check('>>...........>', '--------------', HLS_STALL);
  });

  test('lists that go on while the picture does not: the player is stuck', () => {
    check('>>nnnnn>', '------R-', HLS_STALL);
    check('>>.n.n.>', '------R-', HLS_STALL);
    check('>>....n...', '----------', HLS_STALL);
  });
});

test('a player whose edge is not known is held to the longer limit', () => {
  const watch = new StallWatch();
  const seen = Array.from({ length: 14 }, () => watch.tick({ playerMs: 0, edgeMs: null }, true, HLS_STALL));
  expect(seen.indexOf(true)).toBe(12);
});
