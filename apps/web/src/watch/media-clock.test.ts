import { describe, expect, test } from 'vitest';
import { CLOCK_MARKS_MAX, CLOCK_REACH_BACK_MS, MediaClock } from './media-clock.ts';

function clockWith(...marks: readonly (readonly [playerMs: number, wallMs: number])[]): MediaClock {
  const clock = new MediaClock();
  for (const [playerMs, wallMs] of marks) clock.add({ playerMs, wallMs });
  return clock;
}

describe('media clock', () => {
  test('knows nothing before the first stamp', () => {
    expect(new MediaClock().wallAt(1_000)).toBeNull();
  });

  test('runs with the media between stamps', () => {
    const clock = clockWith([1_000, 50_000], [2_000, 51_000]);
    expect(clock.wallAt(1_000)).toBe(50_000);
    expect(clock.wallAt(1_400)).toBe(50_400);
    expect(clock.wallAt(2_700)).toBe(51_700);
  });

  test('reaches back over a first group of pictures whose stamp was not handed out, but not further', () => {
    const clock = clockWith([20_000, 90_000]);
    expect(clock.wallAt(19_000)).toBe(89_000);
    expect(clock.wallAt(20_000 - CLOCK_REACH_BACK_MS - 1)).toBeNull();
  });

  test('an interruption moves the wall clock while player time stays contiguous', () => {
    const clock = clockWith([1_000, 50_000], [2_000, 95_000]);
    expect(clock.wallAt(1_999)).toBe(50_999);
    expect(clock.wallAt(2_000)).toBe(95_000);
  });

  test('a time line that starts again drops the old stamps', () => {
    const clock = clockWith([60_000, 160_000], [500, 170_000]);
    expect(clock.size).toBe(1);
    expect(clock.wallAt(1_500)).toBe(171_000);
  });

  test('a second stamp at the same instant replaces the first', () => {
    const clock = clockWith([1_000, 50_000], [1_000, 50_040]);
    expect(clock.size).toBe(1);
    expect(clock.wallAt(1_000)).toBe(50_040);
  });

  test('holds a bounded number of stamps, the newest', () => {
    const clock = new MediaClock();
    for (let second = 0; second < CLOCK_MARKS_MAX * 3; second += 1) {
      clock.add({ playerMs: second * 1_000, wallMs: 1_000_000 + second * 1_000 });
    }
    expect(clock.size).toBe(CLOCK_MARKS_MAX);
    expect(clock.wallAt((CLOCK_MARKS_MAX * 3 - 1) * 1_000)).toBe(1_000_000 + (CLOCK_MARKS_MAX * 3 - 1) * 1_000);
  });
});
