/** Values over time become one value. Pure. */
import { assertNever } from '../assert-never.ts';
import type { Reduce } from './criterion.ts';
import { median, type Point, quantile, theilSenSlope } from './theil-sen.ts';

const MS_PER_HOUR = 3_600_000;
const END_SHARE = 0.1;

/** Points: milliseconds of the run and a value, in order. NaN when there are too few to say anything. */
export function reducePoints(points: readonly Point[], reduce: Reduce): number {
  const values = points.map(([, value]) => value);
  if (values.length === 0) return Number.NaN;
  switch (reduce) {
    case 'max':
      return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    case 'min':
      return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    case 'mean':
      return sum(values) / values.length;
    case 'p95':
      return quantile(values, 0.95);
    case 'p99':
      return quantile(values, 0.99);
    case 'last':
      return values.at(-1) ?? Number.NaN;
    case 'sum':
      return sum(values);
    case 'slope-per-hour':
      return theilSenSlope(points) * MS_PER_HOUR;
    case 'growth-percent':
      return growthPercent(values);
    case 'left-over':
      return leftOver(points);
    default:
      return assertNever(reduce);
  }
}

function growthPercent(values: readonly number[]): number {
  const count = Math.max(1, Math.floor(values.length * END_SHARE));
  if (values.length < 2) return Number.NaN;
  const [first, last] = [median(values.slice(0, count)), median(values.slice(-count))];
  if (first === 0) return last === 0 ? 0 : Number.POSITIVE_INFINITY;
  return (100 * (last - first)) / first;
}

/** What was there before the run began is no left-over; without such a sample, the first one of the run stands for it. */
function leftOver(points: readonly Point[]): number {
  const before = points.findLast(([atMs]) => atMs <= 0) ?? points[0];
  const last = points.at(-1);
  return before === undefined || last === undefined || before === last ? Number.NaN : last[1] - before[1];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
