import { expect, test } from 'vitest';
import type { Reduce } from './criterion.ts';
import { reducePoints } from './reduce.ts';
import { type Point, quantile, theilSenSlope } from './theil-sen.ts';

const HOUR = 3_600_000;
/** One value per hour. */
const hourly = (...values: number[]): Point[] => values.map((value, index) => [index * HOUR, value]);

test.each<[Reduce, number[], number]>([
  ['max', [1, 9, 3], 9],
  ['min', [4, 1, 3], 1],
  ['mean', [1, 2, 6], 3],
  ['p95', Array.from({ length: 101 }, (_, index) => index), 95],
  ['last', [1, 9, 3], 3],
  ['sum', [0, 2, 1], 3],
  ['slope-per-hour', [10, 12, 14, 16], 2],
  ['growth-percent', [100, 100, 105, 110, 112], 12],
  ['left-over', [3, 500, 5], 2],
])('%s of %j is %d', (reduce, values, expected) => {
  expect(reducePoints(hourly(...values), reduce)).toBeCloseTo(expected, 9);
});

test.each<Reduce>(['max', 'min', 'mean', 'p95', 'last', 'sum', 'slope-per-hour', 'growth-percent', 'left-over'])(
  '%s of nothing is no number',
  (reduce) => {
    const value = reducePoints([], reduce);
    expect(Number.isNaN(value)).toBe(true);
  },
);

test('one sample has no growth, no slope and no left-over', () => {
  for (const reduce of ['slope-per-hour', 'growth-percent', 'left-over'] as const) {
    expect(reducePoints([[0, 5]], reduce)).toBeNaN();
  }
});

test('what was there before the run is no left-over', () => {
  expect(
    reducePoints(
      [
        [-5000, 7],
        [-100, 3],
        [4000, 90],
        [9000, 4],
      ],
      'left-over',
    ),
  ).toBe(1);
});

test('a slope is not moved by outliers', () => {
  const points = Array.from({ length: 100 }, (_, x): Point => [x, x % 5 === 0 ? 1e6 : 2 * x + 1]);
  expect(theilSenSlope(points)).toBeCloseTo(2, 6);
  const leaky = Array.from({ length: 4000 }, (_, x): Point => [x, 0.01 * x + (x % 7)]);
  expect(theilSenSlope(leaky)).toBeCloseTo(0.01, 3); // thinned, and still right
});

test('quantiles lie on a straight line between two values', () => {
  expect(quantile([1, 2], 0.5)).toBe(1.5);
  expect(quantile([], 0.5)).toBeNaN();
});
