/** What collectors saw, as evidence for a criterion: every part on its own, the worst decides, silence is no proof. Pure. */
import { isCollected, type SampleLine } from '../collectors/sample.ts';
import type { Criterion, RunShare, SampleMeasure, SampleReturnMeasure } from './criterion.ts';
import { reducePoints } from './reduce.ts';
import { median, type Point } from './theil-sen.ts';

/** A stretch of the run, milliseconds. */
export type Stretch = { readonly fromMs: number; readonly toMs: number };

/** One thing that was looked at: its name for people, and its points over the whole run. */
export type SampleSeries = { readonly name: string; readonly points: readonly Point[] };

/** `doubt`: which collector was silent, and when. `which`: the part that decided. */
export type SampleEvidence = {
  readonly value: number;
  readonly samples: number;
  readonly isKnown: boolean;
  readonly which: string | null;
  readonly doubt: string | null;
};

const NOTHING: SampleEvidence = { value: Number.NaN, samples: 0, isKnown: false, which: null, doubt: null };
/** A collector may miss this many turns, and short stretches anyway, before it counts as silent. */
const TURNS_MISSED_MAX = 3;
const SILENCE_MS_MIN = 3000;

type Source = Pick<SampleMeasure, 'metric' | 'collectors' | 'source' | 'where'>;

/** All series of a metric, in the order in which they first appear. */
export function sampleSeries(lines: readonly SampleLine[], wanted: Source): SampleSeries[] {
  const series = new Map<string, Point[]>();
  for (const line of lines) {
    if (!isCollected(line) || !isWanted(line, wanted)) continue;
    const value = line.metrics[wanted.metric];
    if (value === undefined) continue;
    const name = nameOf(line);
    const points = series.get(name) ?? [];
    points.push([line.atMs, value]);
    series.set(name, points);
  }
  return [...series].map(([name, points]) => ({ name, points }));
}

/** All that one criterion wants to know of the collectors; reads the lines once. */
export class SampleReader {
  readonly #series: readonly SampleSeries[];
  readonly #silent: string | null;

  constructor(lines: readonly SampleLine[], wanted: Source) {
    this.#series = sampleSeries(lines, wanted);
    this.#silent = silentSource(lines, wanted);
  }

  /** `divisor`: viewers or cores of the run, for measures per one of them. */
  read({ reduce }: SampleMeasure, op: Criterion['op'], stretch: Stretch, divisor: number): SampleEvidence {
    if (this.#series.length === 0) return NOTHING;
    // What is left over shows only before and after the run; everything else belongs to the phase.
    const isWhole = reduce === 'left-over';
    const cut = this.#series.map(({ name, points }) => {
      const inside = isWhole ? points : points.filter(([atMs]) => isInside(atMs, stretch));
      return { name, count: inside.length, value: reducePoints(inside, reduce) / divisor };
    });
    return worst(cut, op, this.#silent ?? (isWhole ? null : silence(this.#series, stretch)));
  }

  /** Growth from one stretch of the run to another, percent. */
  growth(measure: SampleReturnMeasure, op: Criterion['op'], durationMs: number): SampleEvidence {
    if (this.#series.length === 0) return NOTHING;
    const [before, after] = [stretchOf(measure.before, durationMs), stretchOf(measure.after, durationMs)];
    const cut = this.#series.map(({ name, points }) => {
      const [first, last] = [valuesIn(points, before), valuesIn(points, after)];
      const [from, to] = [median(first), median(last)];
      const value = Math.abs(to - from) <= measure.slack ? 0 : (100 * (to - from)) / from;
      return { name, count: Math.min(first.length, last.length), value };
    });
    return worst(cut, op, this.#silent ?? silence(this.#series, before) ?? silence(this.#series, after));
  }
}

function valuesIn(points: readonly Point[], stretch: Stretch): number[] {
  return points.filter(([atMs]) => isInside(atMs, stretch)).map(([, value]) => value);
}

function worst(
  cut: readonly { readonly name: string; readonly count: number; readonly value: number }[],
  op: Criterion['op'],
  doubt: string | null,
): SampleEvidence {
  const samples = cut.reduce((least, { count }) => Math.min(least, count), Number.POSITIVE_INFINITY);
  const known = cut.filter(({ value }) => !Number.isNaN(value));
  const sorted = known.toSorted((a, b) => (op.startsWith('<') ? b.value - a.value : a.value - b.value));
  const first = sorted[0];
  const which =
    first === undefined ? null : cut.length === 1 ? first.name : `${first.name}, the worst of ${cut.length}`;
  return { value: first?.value ?? Number.NaN, samples, isKnown: true, which, doubt };
}

/** A part of the same kind that never answered is no part without a problem. */
function silentSource(lines: readonly SampleLine[], wanted: Source): string | null {
  const kinds = new Set<string>();
  const answered = new Set<string>();
  for (const line of lines) {
    if (!isCollected(line)) continue;
    answered.add(sourceOf(line));
    if (isWanted(line, wanted) && wanted.metric in line.metrics) kinds.add(kindOf(line));
  }
  const silent = lines.find(
    (line) => isWanted(line, wanted) && kinds.has(kindOf(line)) && !answered.has(sourceOf(line)),
  );
  if (silent === undefined) return null;
  return `the collector of ${sourceOf(silent)} never brought a figure${isCollected(silent) ? '' : `: ${silent.error}`}`;
}

/** The longest silence of any series in the stretch, when it is longer than a collector may be silent. */
function silence(series: readonly SampleSeries[], stretch: Stretch): string | null {
  for (const { name, points } of series) {
    const limitMs = Math.max(SILENCE_MS_MIN, TURNS_MISSED_MAX * intervalOf(points));
    const times = [
      stretch.fromMs,
      ...points.map(([atMs]) => atMs).filter((atMs) => isInside(atMs, stretch)),
      stretch.toMs,
    ];
    // Before the stretch there may be a sample that still counts at its start.
    const before = points.findLast(([atMs]) => atMs < stretch.fromMs);
    if (before !== undefined) times[0] = before[0];
    for (const [index, atMs] of times.slice(1).entries()) {
      const fromMs = times[index] ?? 0;
      if (atMs - fromMs > limitMs) {
        return `the collector of ${name} was silent for ${Math.round((atMs - fromMs) / 1000)} s from second ${Math.round(fromMs / 1000)} on`;
      }
    }
  }
  return null;
}

/** Usual time between two samples; 5 s, as the strategy asks, while there are not two. */
function intervalOf(points: readonly Point[]): number {
  const steps = points.slice(1).map(([atMs], index) => atMs - (points[index]?.[0] ?? 0));
  const usual = median(steps);
  return Number.isNaN(usual) ? 5000 : usual;
}

/** Whether any collector of this kind looked at anything, with or without success. */
export function hasCollector(lines: readonly SampleLine[], kind: string): boolean {
  return lines.some((line) => kindOf(line) === kind);
}

function isWanted(line: SampleLine, { collectors, source, where = {} }: Source): boolean {
  return (
    (collectors === undefined || collectors.includes(kindOf(line))) &&
    (source === undefined || source === line.source) &&
    Object.entries(where).every(([name, value]) => line.labels?.[name] === value)
  );
}

/** First word of the collector's name. */
function kindOf({ collector }: SampleLine): string {
  return collector.split(' ', 1)[0] ?? collector;
}

function sourceOf({ collector, source }: SampleLine): string {
  return `${collector} ${source}`;
}

/** A process that was restarted is still the same part. */
function nameOf(line: SampleLine): string {
  const labels = Object.entries(line.labels ?? {}).filter(([name]) => name !== 'pid');
  return [sourceOf(line), ...labels.map(([name, value]) => `${name}=${value}`)].join(' ');
}

function stretchOf({ from, to }: RunShare, durationMs: number): Stretch {
  return { fromMs: from * durationMs, toMs: to * durationMs };
}

function isInside(atMs: number, { fromMs, toMs }: Stretch): boolean {
  return atMs >= fromMs && atMs <= toMs;
}
