/** A measure read from merged results: the value, and how much it rests on. Pure. */
import { assertNever } from '../assert-never.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, type Tags } from '../metrics/series-key.ts';
import type { SliceMerger } from '../metrics/slice.ts';
import type { Measure } from './criterion.ts';

/** `value` is NaN when nothing was measured. `isKnown` is false when no such series exists at all. */
export type Evidence = { readonly value: number; readonly samples: number; readonly isKnown: boolean };

/** Reads the measure from one stretch of the run. */
export function readMeasure(merged: SliceMerger, measure: Measure): Evidence {
  switch (measure.kind) {
    case 'percentile': {
      const histogram = mergedTrend(merged, measure.metric, measure.where);
      if (histogram === null) return { value: Number.NaN, samples: 0, isKnown: false };
      return { value: histogram.percentileMs(measure.percentile), samples: histogram.count, isKnown: true };
    }
    case 'ratio': {
      const numerator = sumOf(merged, measure.numerator, measure.where);
      const denominator = sumOf(merged, measure.denominator, measure.where);
      const isKnown = numerator !== null && denominator !== null;
      if (!isKnown || denominator === 0) return { value: Number.NaN, samples: 0, isKnown };
      return { value: (100 * numerator) / denominator, samples: denominator, isKnown };
    }
    case 'count': {
      const sum = sumOf(merged, measure.metric, measure.where);
      const tried = sumOf(merged, measure.outOf, {});
      const isKnown = sum !== null && tried !== null;
      return { value: isKnown ? sum : Number.NaN, samples: tried ?? 0, isKnown };
    }
    default:
      return assertNever(measure);
  }
}

/** All series of a metric as one distribution; null when there is none. */
export function mergedTrend(merged: SliceMerger, metric: string, where: Tags = {}): LatencyHistogram | null {
  let sum: LatencyHistogram | null = null;
  for (const [key, histogram] of merged.trends) {
    if (!matchesSeries(key, metric, where)) continue;
    sum ??= new LatencyHistogram();
    sum.add(histogram);
  }
  return sum;
}

/** Sum of a counter over all its series; null when there is none. */
export function sumOf(merged: SliceMerger, metric: string, where: Tags = {}): number | null {
  let sum: number | null = null;
  for (const [key, value] of merged.counters) {
    if (matchesSeries(key, metric, where)) sum = (sum ?? 0) + value;
  }
  return sum;
}
