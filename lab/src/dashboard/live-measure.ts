/**
 * A measure that is read while the run goes on: constant memory, constant work per second. It means what the verdict's
 * reader (`verdict/measure.ts`) means; a test feeds both the same run.
 */
import { type CollectedSample, isCollected, type SampleLine } from '../collectors/sample.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { Criterion, Measure, SampleMeasure } from '../verdict/criterion.ts';
import type { Evidence } from '../verdict/evidence.ts';
import { counterSum, gaugeSum, histogramOf, type LiveSecond } from './live-second.ts';
import { isLiveReduce, RunningReduce } from './running-reduce.ts';

/** Collects what is added, and can be read at any time. */
export type LiveMeasure = {
  readonly addSecond: (second: LiveSecond) => void;
  readonly addLine: (line: SampleLine) => void;
  readonly read: () => Evidence;
};

/** What a measure per viewer or per core is divided by. */
export type Divisors = { readonly viewers: number; readonly cores: number };

const NOTHING: Evidence = { value: Number.NaN, samples: 0, isKnown: false };
const noLine = (): void => {};
const noSecond = (): void => {};

/** A fresh one; null for what only the whole run can show (slopes, growth, what was left over). */
export function createLiveMeasure(measure: Measure, op: Criterion['op'], divisors: Divisors): LiveMeasure | null {
  switch (measure.kind) {
    case 'percentile':
      return ofTrend(measure, (histogram) => histogram.percentileMs(measure.percentile));
    case 'mean':
      return ofTrend(measure, (histogram) => histogram.meanMs);
    case 'ratio':
      return quotient(measure.numerator, measure.denominator, measure, 100);
    case 'per-hundred-seconds':
      return quotient(measure.metric, measure.time, measure, 100_000);
    case 'count':
      return quotient(measure.metric, measure.outOf, measure, null);
    case 'rate':
      return ofRate(measure);
    case 'level':
      return isLiveReduce(measure.reduce) ? ofLevel(measure, new RunningReduce(measure.reduce)) : null;
    case 'self':
      return isLiveReduce(measure.reduce) ? ofSelf(measure.metric, new RunningReduce(measure.reduce)) : null;
    case 'sample':
      return isLiveReduce(measure.reduce) ? ofSamples(measure, op, divisors) : null;
    default:
      return null;
  }
}

type Named = { readonly metric: string; readonly where?: Readonly<Record<string, string>> };
type Where = Pick<Named, 'where'>;

function ofTrend({ metric, where }: Named, value: (histogram: LatencyHistogram) => number): LiveMeasure {
  const sum = new LatencyHistogram();
  let isKnown = false;
  return {
    addSecond: (second) => {
      const histogram = histogramOf(second, metric, where);
      if (histogram === null) return;
      isKnown = true;
      sum.add(histogram);
    },
    addLine: noLine,
    read: () => (isKnown ? { value: value(sum), samples: sum.count, isKnown } : NOTHING),
  };
}

/** `factor` null: the count itself, which may be judged when the other side is above zero. */
function quotient(top: string, bottom: string, { where }: Where, factor: number | null): LiveMeasure {
  let over: number | null = null;
  let under: number | null = null;
  return {
    addSecond: (second) => {
      over = added(over, counterSum(second, top, where));
      under = added(under, counterSum(second, bottom, where));
    },
    addLine: noLine,
    read: () => {
      if (over === null || under === null) return NOTHING;
      const share = under > 0 ? over / under : Number.NaN;
      return { value: factor === null ? over : share * factor, samples: under, isKnown: true };
    },
  };
}

function ofRate({ metric, where }: Named): LiveMeasure {
  let sum: number | null = null;
  let seconds = 0;
  return {
    addSecond: (second) => {
      sum = added(sum, counterSum(second, metric, where));
      seconds += 1;
    },
    addLine: noLine,
    read: () => (sum === null ? NOTHING : { value: sum / seconds, samples: sum, isKnown: true }),
  };
}

function ofLevel(measure: Extract<Measure, { kind: 'level' }>, values: RunningReduce): LiveMeasure {
  const { metric, where, versus } = measure;
  return {
    addSecond: (second) => {
      const level = gaugeSum(second, metric, where);
      if (level === null) return;
      if (versus === undefined) return values.add(level);
      const other = gaugeSum(second, versus.metric, versus.where);
      if (other !== null && other !== 0) values.add((100 * Math.abs(level - other)) / other);
    },
    addLine: noLine,
    read: () => evidence(values),
  };
}

function ofSelf(metric: string, values: RunningReduce): LiveMeasure {
  return {
    addSecond: ({ self }) => {
      const value: unknown = Reflect.get(self, metric);
      if (typeof value === 'number') values.add(value);
    },
    addLine: noLine,
    read: () => evidence(values),
  };
}

/** More parts of a platform than this are not told apart any more: the collectors have the same bound. */
const PARTS_MAX = 200;

/** Every part on its own; the worst is the value. */
function ofSamples(measure: SampleMeasure, op: Criterion['op'], divisors: Divisors): LiveMeasure {
  const parts = new Map<string, RunningReduce>();
  const divisor = measure.per === 'viewer' ? divisors.viewers : measure.per === 'core' ? divisors.cores : 1;
  return {
    addSecond: noSecond,
    addLine: (line) => {
      if (!isCollected(line) || !isWanted(line, measure)) return;
      const value = line.metrics[measure.metric];
      if (value === undefined || !isLiveReduce(measure.reduce)) return;
      const name = partName(line);
      const known = parts.get(name) ?? new RunningReduce(measure.reduce);
      if (!parts.has(name) && parts.size >= PARTS_MAX) return;
      parts.set(name, known);
      known.add(value / divisor);
    },
    read: () => {
      const all = [...parts.values()].map(evidence);
      if (all.length === 0) return NOTHING;
      const values = all.map(({ value }) => value).filter((value) => !Number.isNaN(value));
      const worst = op.startsWith('<') ? Math.max(...values) : Math.min(...values);
      return { value: worst, samples: Math.min(...all.map(({ samples }) => samples)), isKnown: true };
    },
  };
}

function isWanted(line: CollectedSample, { collectors, source, where = {} }: SampleMeasure): boolean {
  const kind = line.collector.split(' ', 1)[0] ?? line.collector;
  return (
    (collectors === undefined || collectors.includes(kind)) &&
    (source === undefined || source === line.source) &&
    Object.entries(where).every(([name, value]) => line.labels?.[name] === value)
  );
}

/** A process that was restarted is still the same part. */
function partName({ collector, source, labels = {} }: CollectedSample): string {
  const { pid: _, ...rest } = labels;
  return `${collector} ${source} ${Object.values(rest).join(' ')}`;
}

function evidence(values: RunningReduce): Evidence {
  return values.count === 0 ? NOTHING : { value: values.value, samples: values.count, isKnown: true };
}

function added(sum: number | null, value: number | null): number | null {
  return value === null ? sum : (sum ?? 0) + value;
}
