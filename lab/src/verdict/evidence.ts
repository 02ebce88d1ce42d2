/** A measure read from slices: the value, and how much it rests on. Pure. */
import { assertNever } from '../assert-never.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, type Tags } from '../metrics/series-key.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { Measure } from './criterion.ts';

/** `value` is NaN when nothing was measured. `isKnown` is false when no such series exists at all. */
export type Evidence = { readonly value: number; readonly samples: number; readonly isKnown: boolean };

/** What one slice adds to a measure. */
type Part = {
  readonly histogram: LatencyHistogram | null;
  readonly top: number | null;
  readonly bottom: number | null;
};

/** Reads a measure from stretches of slices; each slice is decoded once while a window passes over it. */
export class MeasureReader {
  readonly #measure: Measure;
  readonly #parts = new Map<SliceData, Part>();

  constructor(measure: Measure) {
    this.#measure = measure;
  }

  read(slices: readonly SliceData[]): Evidence {
    const parts = slices.map((slice) => this.#part(slice));
    if (this.#measure.kind === 'percentile') return percentileOf(parts, this.#measure.percentile);
    const top = sumKnown(parts.map((part) => part.top));
    const bottom = sumKnown(parts.map((part) => part.bottom));
    const isKnown = top !== null && bottom !== null;
    const samples = bottom ?? 0;
    if (this.#measure.kind === 'count') return { value: isKnown ? top : Number.NaN, samples, isKnown };
    return { value: isKnown && bottom > 0 ? (100 * top) / bottom : Number.NaN, samples, isKnown };
  }

  /** Forgets slices that no later window needs. */
  forget(slices: readonly SliceData[]): void {
    for (const slice of slices) this.#parts.delete(slice);
  }

  #part(slice: SliceData): Part {
    const known = this.#parts.get(slice);
    if (known !== undefined) return known;
    const part = readPart(slice, this.#measure);
    this.#parts.set(slice, part);
    return part;
  }
}

function readPart({ trends, counters }: SliceData, measure: Measure): Part {
  switch (measure.kind) {
    case 'percentile':
      return { histogram: mergeTrends(trends, measure.metric, measure.where), top: null, bottom: null };
    case 'ratio':
      return {
        histogram: null,
        top: sumCounters(counters, measure.numerator, measure.where),
        bottom: sumCounters(counters, measure.denominator, measure.where),
      };
    case 'count':
      return {
        histogram: null,
        top: sumCounters(counters, measure.metric, measure.where),
        bottom: sumCounters(counters, measure.outOf, measure.where),
      };
    default:
      return assertNever(measure);
  }
}

function percentileOf(parts: readonly Part[], percentile: number): Evidence {
  const known = parts.map((part) => part.histogram).filter((histogram) => histogram !== null);
  if (known.length === 0) return { value: Number.NaN, samples: 0, isKnown: false };
  const sum = new LatencyHistogram();
  for (const histogram of known) sum.add(histogram);
  return { value: sum.percentileMs(percentile), samples: sum.count, isKnown: true };
}

function mergeTrends(trends: SliceData['trends'], metric: string, where?: Tags): LatencyHistogram | null {
  let sum: LatencyHistogram | null = null;
  for (const [key, text] of Object.entries(trends)) {
    if (!matchesSeries(key, metric, where)) continue;
    const histogram = LatencyHistogram.decode(text);
    if (sum === null) sum = histogram;
    else sum.add(histogram);
  }
  return sum;
}

function sumCounters(counters: SliceData['counters'], metric: string, where?: Tags): number | null {
  return sumKnown(Object.entries(counters).map(([key, value]) => (matchesSeries(key, metric, where) ? value : null)));
}

/** Null when there is nothing to sum: an unknown counter is not zero. */
function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
