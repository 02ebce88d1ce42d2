import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Paced } from './paced.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('the first change is told at once, a storm of them twice a second, the last value always', () => {
  const told: number[] = [];
  let value = 0;
  const paced = new Paced(
    () => told.push(value),
    () => 10,
  );
  for (; value < 100; ) {
    value += 1;
    paced.changed('demo');
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(2_000);
  expect(told).toEqual([1, 50, 100]);
});

test('a room of 20,000 hears of its size every two seconds', () => {
  let told = 0;
  const paced = new Paced(
    () => {
      told += 1;
    },
    () => 20_000,
  );
  for (let elapsedMs = 0; elapsedMs < 10_000; elapsedMs += 100) {
    paced.changed('demo');
    vi.advanceTimersByTime(100);
  }
  expect(told).toBe(6);
});
