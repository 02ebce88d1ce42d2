/** Figures over a whole run, from its folder: distributions merged, counters summed, by metric and tags. */
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, type Tags } from '../metrics/series-key.ts';
import type { RunData } from './run-reader.ts';

/** All series of a metric as one distribution; null when there is none. */
export function mergedTrend(run: RunData, metric: string, where: Tags = {}): LatencyHistogram | null {
  let sum: LatencyHistogram | null = null;
  for (const { data } of run.slices) {
    for (const [key, text] of Object.entries(data.trends)) {
      if (!matchesSeries(key, metric, where)) continue;
      const histogram = LatencyHistogram.decode(text);
      if (sum === null) sum = histogram;
      else sum.add(histogram);
    }
  }
  return sum;
}

/** Sum of a counter; null when there is no such series. */
export function totalOf(run: RunData, metric: string, where: Tags = {}): number | null {
  let sum: number | null = null;
  for (const { counters } of run.lines) {
    for (const [key, value] of Object.entries(counters)) {
      if (matchesSeries(key, metric, where)) sum = (sum ?? 0) + value;
    }
  }
  return sum;
}
