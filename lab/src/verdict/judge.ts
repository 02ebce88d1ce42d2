/** The verdict: a pure function of the criteria and the slices of a run. No data is never green. */

import type { Phase } from '../engine/plan.ts';
import { NEGATIVE_METRIC } from '../metrics/recorder.ts';
import { matchesSeries } from '../metrics/series-key.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { Criterion, Plane, VideoAbility } from './criterion.ts';
import { type Evidence, MeasureReader } from './evidence.ts';

/** What one criterion came to. */
export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'not applicable';

/** One slice of the run folder. */
export type TimedSlice = { readonly atMs: number; readonly data: SliceData };

/** The worst stretch of `windowMs`, stepped through the judged phase. */
export type WorstWindow = { readonly fromMs: number; readonly toMs: number; readonly value: number };

/** A judged criterion with everything a reader needs to check it. */
export type Judgement = {
  readonly criterion: Criterion;
  readonly outcome: Outcome;
  readonly value: number | null;
  readonly samples: number;
  /** Distance to the limit in percent of the limit: positive is room, negative is missing. Null without a limit above 0. */
  readonly marginPercent: number | null;
  readonly worst: WorstWindow | null;
  readonly reason: string;
};

/** What to judge with. */
export type JudgeInput = {
  readonly criteria: readonly Criterion[];
  readonly planes: readonly Plane[];
  /** In which ways the target can be watched. */
  readonly abilities: readonly VideoAbility[];
  readonly phases: readonly Phase[];
  readonly durationMs: number;
  readonly sliceMs: number;
  /** Error bound between the clocks of generator and target; null: unknown. */
  readonly clockBoundMs: number | null;
  readonly slices: readonly TimedSlice[];
};

/** A rolling minute; a run too short for two of them uses a third of the phase, shown but not decisive. */
const WINDOW_MS = 60_000;
const WINDOW_STEPS = 6;

const ABILITY_NAMES: Readonly<Record<VideoAbility, string>> = { flv: 'HTTP-FLV', hls: 'HLS', llhls: 'LL-HLS' };

/** Judges every criterion. */
export function judge(input: JudgeInput): Judgement[] {
  return input.criteria.map((criterion) => judgeOne(criterion, input));
}

function judgeOne(criterion: Criterion, input: JudgeInput): Judgement {
  const nothing = { criterion, value: null, samples: 0, marginPercent: null, worst: null };
  if (!input.planes.includes(criterion.plane)) {
    return { ...nothing, outcome: 'not applicable', reason: `no ${criterion.plane} plane` };
  }
  if (criterion.needs !== undefined && !input.abilities.includes(criterion.needs)) {
    return { ...nothing, outcome: 'not applicable', reason: `the target has no ${ABILITY_NAMES[criterion.needs]}` };
  }
  const slices = slicesDuring(criterion.during, input);
  const evidence = new MeasureReader(criterion.measure).read(slices.map(({ data }) => data));
  const worst = worstWindow(slices, criterion, input.sliceMs);
  const facts = { ...nothing, samples: evidence.samples, worst: worst?.window ?? null };
  const doubt =
    negativeDoubt(criterion, input.slices) ??
    whyInconclusive(evidence, criterion) ??
    clockDoubt(evidence, criterion, input.clockBoundMs);
  if (doubt !== null) {
    return { ...facts, value: numberOrNull(evidence.value), outcome: 'inconclusive', reason: doubt };
  }
  const isMet = holds(evidence.value, criterion);
  const isWorstMet = worst === null || !worst.isDecisive || holds(worst.window.value, criterion);
  return {
    ...facts,
    value: evidence.value,
    marginPercent: marginPercent(evidence.value, criterion),
    outcome: isMet && isWorstMet ? 'pass' : 'fail',
    reason: isMet && !isWorstMet ? 'holds on average, not in its worst minute' : '',
  };
}

/** The slices a criterion is judged on. */
export function slicesDuring(during: Criterion['during'], input: JudgeInput): TimedSlice[] {
  if (during === 'run') return [...input.slices];
  const steady = input.phases.find((phase) => phase.name === 'steady');
  if (steady === undefined) return [];
  return input.slices.filter((slice) => slice.atMs >= steady.fromMs && slice.atMs + input.sliceMs <= steady.toMs);
}

function whyInconclusive(evidence: Evidence, criterion: Criterion): string | null {
  if (!evidence.isKnown) return 'nothing was measured: no such series in this run';
  if (evidence.samples === 0 || Number.isNaN(evidence.value)) return 'no samples';
  if (evidence.samples < criterion.samplesMin) {
    return `only ${round(evidence.samples)} samples, ${criterion.samplesMin} are needed`;
  }
  if (criterion.measure.kind === 'ratio' && evidence.value > 100) {
    return 'more than 100 %: the two sides of this share were not counted alike';
  }
  return null;
}

/** A sample below zero shows that a clock is ahead, and then every other sample of the run may be too small as well. */
function negativeDoubt({ measure, needsClock }: Criterion, slices: readonly TimedSlice[]): string | null {
  if (needsClock !== true || measure.kind !== 'percentile') return null;
  const where = { ...measure.where, metric: measure.metric };
  const count = slices
    .flatMap(({ data }) => Object.entries(data.counters))
    .reduce((sum, [key, value]) => sum + (matchesSeries(key, NEGATIVE_METRIC, where) ? value : 0), 0);
  if (count === 0) return null;
  return `${count} ${count === 1 ? 'sample' : 'samples'} below zero: a clock is ahead, so the others may be too small`;
}

const CLOCK_ERROR_SHARE_MAX = 0.1;

function clockDoubt({ value }: Evidence, { needsClock }: Criterion, boundMs: number | null): string | null {
  if (needsClock !== true) return null;
  if (boundMs === null) return 'the clocks of generator and target were not compared';
  if (boundMs <= CLOCK_ERROR_SHARE_MAX * value) return null;
  return `the clocks may differ by ${round(boundMs)} ms, more than 10 % of what was measured`;
}

/** Worst value over windows that have samples enough; null when there is no such window. */
function worstWindow(
  slices: readonly TimedSlice[],
  criterion: Criterion,
  sliceMs: number,
): { window: WorstWindow; isDecisive: boolean } | null {
  // Counts only grow with the window, so the whole phase is their worst one.
  if (criterion.measure.kind === 'count' || slices.length < 3) return null;
  const isDecisive = slices.length * sliceMs >= 2 * WINDOW_MS;
  const length = isDecisive ? WINDOW_MS / sliceMs : Math.ceil(slices.length / 3);
  const step = Math.max(1, Math.floor(length / WINDOW_STEPS));
  const reader = new MeasureReader(criterion.measure);
  let window: WorstWindow | null = null;
  for (let from = 0; from + length <= slices.length; from += step) {
    const part = slices.slice(from, from + length);
    const { value, samples } = reader.read(part.map(({ data }) => data));
    reader.forget(part.slice(0, step).map(({ data }) => data));
    if (Number.isNaN(value) || samples < (isDecisive ? criterion.samplesMin : 1)) continue;
    const fromMs = part[0]?.atMs ?? 0;
    if (window === null || isWorse(value, window.value, criterion)) {
      window = { fromMs, toMs: fromMs + length * sliceMs, value };
    }
  }
  return window === null ? null : { window, isDecisive };
}

function isWorse(value: number, than: number, { op }: Criterion): boolean {
  return op.startsWith('<') ? value > than : value < than;
}

function holds(value: number, { op, limit }: Criterion): boolean {
  if (op === '<') return value < limit;
  if (op === '<=') return value <= limit;
  return op === '>' ? value > limit : value >= limit;
}

function marginPercent(value: number, { op, limit }: Criterion): number | null {
  if (limit === 0) return null;
  const room = op.startsWith('<') ? limit - value : value - limit;
  return (100 * room) / limit;
}

function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
