import { expect, test } from 'vitest';
import { retryDelayMs } from './retry-delay.ts';

test('attempts wait 1, 2, 4 seconds and never more than eight', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => retryDelayMs(attempt, 0))).toEqual([
    1_000, 2_000, 4_000, 4_000, 4_000, 8_000, 8_000,
  ]);
});

test('jitter takes off at most a quarter', () => {
  expect(retryDelayMs(2, 0.999_999)).toBe(3_000);
  expect(retryDelayMs(2, 0.5)).toBe(3_500);
});
