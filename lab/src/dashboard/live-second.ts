/** One second of a run as the dashboard reads it: sums and distributions over series that share a metric and tags. */
import type { SelfSample } from '../engine/guard.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, type Tags } from '../metrics/series-key.ts';

/** What was recorded in one second. `atMs` is its end. */
export type LiveSecond = {
  readonly atMs: number;
  readonly trends: ReadonlyMap<string, LatencyHistogram>;
  readonly counters: ReadonlyMap<string, number>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly self: SelfSample;
};

/** Keys are compared many times per second: most differ in their first letters, and tags are read only where they matter. */
function isOf(key: string, metric: string, where: Tags | undefined): boolean {
  if (!key.startsWith(metric)) return false;
  if (where === undefined) return key.length === metric.length || key[metric.length] === '{';
  return matchesSeries(key, metric, where);
}

/** Null when there is no such counter: unknown is not zero. */
export function counterSum({ counters }: LiveSecond, metric: string, where?: Tags): number | null {
  let sum: number | null = null;
  for (const [key, value] of counters) if (isOf(key, metric, where)) sum = (sum ?? 0) + value;
  return sum;
}

/** Null when there is no such gauge. */
export function gaugeSum({ gauges }: LiveSecond, metric: string, where?: Tags): number | null {
  let sum: number | null = null;
  for (const key in gauges) if (isOf(key, metric, where)) sum = (sum ?? 0) + (gauges[key] ?? 0);
  return sum;
}

/** All values of a trend in this second; null when there were none. Not to be written to. */
export function histogramOf({ trends }: LiveSecond, metric: string, where?: Tags): LatencyHistogram | null {
  const found: LatencyHistogram[] = [];
  for (const [key, histogram] of trends) {
    if (histogram.count > 0 && isOf(key, metric, where)) found.push(histogram);
  }
  if (found.length <= 1) return found[0] ?? null;
  const sum = new LatencyHistogram();
  for (const histogram of found) sum.add(histogram);
  return sum;
}

/** A percentile of this second alone; null when nothing was recorded. */
export function percentileOf(second: LiveSecond, metric: string, percentile: number, where?: Tags): number | null {
  return histogramOf(second, metric, where)?.percentileMs(percentile) ?? null;
}
