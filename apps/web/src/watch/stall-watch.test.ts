import { expect, test } from 'vitest';
import { StallWatch } from './stall-watch.ts';

/** One character per second: `>` plays on, `.` stands still, `i` stands still but has a reason to. */
function check(seconds: string, reloads: string): void {
  const watch = new StallWatch();
  let playerMs = 0;
  const seen = seconds.split('').map((second) => {
    if (second === '>') playerMs += 1_000;
    return watch.tick(playerMs, second !== 'i') ? 'R' : '-';
  });
  expect(seen.join('')).toBe(reloads);
}

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
