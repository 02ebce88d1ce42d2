/** A measure read from slices: the value, and how much it rests on. Pure. */
import { assertNever } from '../assert-never.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, type Tags } from '../metrics/series-key.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { ChangeMeasure, Measure, SampleMeasure, SampleReturnMeasure } from './criterion.ts';
import { reducePoints } from './reduce.ts';
import { type Point, THEIL_SEN_POINTS_MAX, theilSenSlope } from './theil-sen.ts';

/** `value` is NaN when nothing was measured. `isKnown` is false when no such series exists at all. */
export type Evidence = { readonly value: number; readonly samples: number; readonly isKnown: boolean };

/** One slice of the run folder. */
export type TimedSlice = { readonly atMs: number; readonly data: SliceData };

/** Measures that are read from slices. */
export type SliceMeasure = Exclude<
  Measure,
  ChangeMeasure | SampleMeasure | SampleReturnMeasure | { readonly kind: 'self' }
>;

/** What one slice adds to a measure. */
type Part = {
  readonly atMs: number;
  readonly histogram: LatencyHistogram | null;
  readonly top: number | null;
  readonly bottom: number | null;
};

const NOTHING: Evidence = { value: Number.NaN, samples: 0, isKnown: false };
const MS_PER_MINUTE = 60_000;

/** Reads a measure from stretches of slices; each slice is decoded once while a window passes over it. */
export class MeasureReader {
  readonly #measure: SliceMeasure;
  readonly #sliceMs: number;
  readonly #parts = new Map<SliceData, Part>();

  constructor(measure: SliceMeasure, sliceMs: number) {
    this.#measure = measure;
    this.#sliceMs = sliceMs;
  }

  read(slices: readonly TimedSlice[]): Evidence {
    return combine(
      this.#measure,
      slices.map((slice) => this.#part(slice)),
      this.#sliceMs,
    );
  }

  /** All histograms of the stretch as one; null for measures without them. */
  histogram(slices: readonly TimedSlice[]): LatencyHistogram | null {
    return mergeParts(slices.map((slice) => this.#part(slice)));
  }

  /** Forgets slices that no later window needs. */
  forget(slices: readonly TimedSlice[]): void {
    for (const { data } of slices) this.#parts.delete(data);
  }

  #part({ atMs, data }: TimedSlice): Part {
    const known = this.#parts.get(data);
    if (known !== undefined) return known;
    const part = { atMs, ...readPart(data, this.#measure) };
    this.#parts.set(data, part);
    return part;
  }
}

function readPart({ trends, counters, gauges }: SliceData, measure: SliceMeasure): Omit<Part, 'atMs'> {
  const { where } = measure;
  const none = { histogram: null, top: null, bottom: null };
  switch (measure.kind) {
    case 'percentile':
    case 'mean':
    case 'drift':
      return { ...none, histogram: mergeTrends(trends, measure.metric, where) };
    case 'ratio':
      return sides(counters, measure.numerator, measure.denominator, where);
    case 'count':
      return sides(counters, measure.metric, measure.outOf, where);
    case 'per-hundred-seconds':
      return sides(counters, measure.metric, measure.time, where);
    case 'rate':
      return { ...none, top: sumSeries(counters, measure.metric, where) };
    case 'level':
      return {
        ...none,
        top: sumSeries(gauges, measure.metric, where),
        bottom: measure.versus === undefined ? null : sumSeries(gauges, measure.versus.metric, measure.versus.where),
      };
    default:
      return assertNever(measure);
  }
}

function sides(counters: SliceData['counters'], top: string, bottom: string, where?: Tags): Omit<Part, 'atMs'> {
  return { histogram: null, top: sumSeries(counters, top, where), bottom: sumSeries(counters, bottom, where) };
}

function combine(measure: SliceMeasure, parts: readonly Part[], sliceMs: number): Evidence {
  switch (measure.kind) {
    case 'percentile':
      return ofHistogram(mergeParts(parts), (histogram) => histogram.percentileMs(measure.percentile));
    case 'mean':
      return ofHistogram(mergeParts(parts), (histogram) => histogram.meanMs);
    case 'drift':
      return driftOf(parts, measure.percentile);
    case 'ratio':
      return quotient(parts, 100);
    case 'per-hundred-seconds':
      return quotient(parts, 100_000);
    case 'count':
      return countOf(parts);
    case 'rate':
      return rateOf(parts, sliceMs);
    case 'level':
      return levelOf(parts, measure);
    default:
      return assertNever(measure);
  }
}

function ofHistogram(sum: LatencyHistogram | null, value: (histogram: LatencyHistogram) => number): Evidence {
  return sum === null ? NOTHING : { value: value(sum), samples: sum.count, isKnown: true };
}

function quotient(parts: readonly Part[], factor: number): Evidence {
  const [top, bottom] = [sumKnown(parts.map((part) => part.top)), sumKnown(parts.map((part) => part.bottom))];
  const isKnown = top !== null && bottom !== null;
  return {
    value: isKnown && bottom > 0 ? (factor * top) / bottom : Number.NaN,
    samples: bottom ?? 0,
    isKnown,
  };
}

function countOf(parts: readonly Part[]): Evidence {
  const [top, bottom] = [sumKnown(parts.map((part) => part.top)), sumKnown(parts.map((part) => part.bottom))];
  const isKnown = top !== null && bottom !== null;
  return { value: isKnown ? top : Number.NaN, samples: bottom ?? 0, isKnown };
}

function rateOf(parts: readonly Part[], sliceMs: number): Evidence {
  const sum = sumKnown(parts.map(({ top }) => top));
  if (sum === null) return NOTHING;
  return { value: (1000 * sum) / (parts.length * sliceMs), samples: sum, isKnown: true };
}

function levelOf(parts: readonly Part[], { reduce, versus }: Extract<SliceMeasure, { kind: 'level' }>): Evidence {
  const points = parts.flatMap(({ atMs, top, bottom }): Point[] => {
    if (top === null) return [];
    if (versus === undefined) return [[atMs, top]];
    return bottom === null || bottom === 0 ? [] : [[atMs, (100 * Math.abs(top - bottom)) / bottom]];
  });
  return { value: reducePoints(points, reduce), samples: points.length, isKnown: points.length > 0 };
}

/** One point per slice, or per several in a long run: the percentile of what was recorded then. */
function driftOf(parts: readonly Part[], percentile: number): Evidence {
  const size = Math.max(1, Math.ceil(parts.length / THEIL_SEN_POINTS_MAX));
  const points: Point[] = [];
  for (let from = 0; from < parts.length; from += size) {
    const step = parts.slice(from, from + size);
    const sum = mergeParts(step);
    if (sum !== null && sum.count > 0) points.push([step[0]?.atMs ?? 0, sum.percentileMs(percentile)]);
  }
  return { value: theilSenSlope(points) * MS_PER_MINUTE, samples: points.length, isKnown: points.length > 0 };
}

function mergeParts(parts: readonly Part[]): LatencyHistogram | null {
  const known = parts.map((part) => part.histogram).filter((histogram) => histogram !== null);
  if (known.length === 0) return null;
  const sum = new LatencyHistogram();
  for (const histogram of known) sum.add(histogram);
  return sum;
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

function sumSeries(counters: Readonly<Record<string, number>>, metric: string, where?: Tags): number | null {
  return sumKnown(Object.entries(counters).map(([key, value]) => (matchesSeries(key, metric, where) ? value : null)));
}

/** Null when there is nothing to sum: an unknown counter is not zero. */
function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
