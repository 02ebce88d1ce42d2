/** The verdict: a pure function of the criteria, the slices and the samples of a run. No data is never green. */
import { NEGATIVE_METRIC } from '../metrics/recorder.ts';
import { matchesSeries } from '../metrics/series-key.ts';
import type { Criterion, VideoAbility } from './criterion.ts';
import type { TimedSlice } from './evidence.ts';
import type { JudgeInput } from './judge-input.ts';
import { type Measured, measure } from './measure.ts';
import { hasCollector } from './sample-evidence.ts';
import { isBrokenBeyondDoubt, samplesNeeded } from './sample-size.ts';
import type { WorstWindow } from './worst-window.ts';

/** What one criterion came to. */
export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'not applicable';

/** A judged criterion with everything a reader needs to check it. */
export type Judgement = {
  readonly criterion: Criterion;
  readonly outcome: Outcome;
  readonly value: number | null;
  readonly samples: number;
  /** So many the limit demands before it can be shown to hold. */
  readonly samplesNeeded: number;
  /** Judged from fewer, because the run is small on purpose: a pass is no proof. */
  readonly isIndicative: boolean;
  /** Room to the limit in percent of what it allows: positive is room, negative is missing. Null where nothing is allowed. */
  readonly marginPercent: number | null;
  readonly worst: WorstWindow | null;
  /** Which part of the platform decided, where several were looked at. */
  readonly which: string | null;
  readonly reason: string;
};

const ABILITY_NAMES: Readonly<Record<VideoAbility, string>> = { flv: 'HTTP-FLV', hls: 'HLS', llhls: 'LL-HLS' };

/** Judges every criterion. */
export function judge(input: JudgeInput): Judgement[] {
  return input.criteria.map((criterion) => judgeOne(criterion, input));
}

function judgeOne(criterion: Criterion, input: JudgeInput): Judgement {
  const needed = samplesNeeded(criterion);
  const nothing = {
    criterion,
    value: null,
    samples: 0,
    samplesNeeded: needed,
    isIndicative: false,
    marginPercent: null,
    worst: null,
    which: null,
  };
  const absence = whyNotApplicable(criterion, input);
  if (absence !== null) return { ...nothing, outcome: 'not applicable', reason: absence };
  const measured = measure(criterion, input);
  const { value, samples, worst, which } = measured;
  const facts = { ...nothing, value: numberOrNull(value), samples, worst, which };
  const doubt =
    negativeDoubt(criterion, input.slices) ??
    whyInconclusive(measured, criterion) ??
    clockDoubt(measured, criterion, input.clockBoundMs);
  if (doubt !== null) return { ...facts, outcome: 'inconclusive', reason: doubt };
  const isMet = holds(value, criterion);
  const isWorstMet = worst === null || !worst.isDecisive || holds(worst.value, criterion);
  return {
    ...facts,
    isIndicative: samples < needed,
    marginPercent: marginPercent(value, criterion),
    outcome: isMet && isWorstMet ? 'pass' : 'fail',
    reason: isMet && !isWorstMet ? 'holds on average, not in its worst minute' : '',
  };
}

function whyNotApplicable(criterion: Criterion, { planes, abilities, samples = [] }: JudgeInput): string | null {
  if (!planes.includes(criterion.plane)) return `no ${criterion.plane} plane`;
  if (criterion.needs !== undefined && !abilities.includes(criterion.needs)) {
    return `the target has no ${ABILITY_NAMES[criterion.needs]}`;
  }
  if (criterion.needsCollector !== undefined && !hasCollector(samples, criterion.needsCollector)) {
    return `no ${criterion.needsCollector} was watched`;
  }
  return null;
}

function whyInconclusive(measured: Measured, criterion: Criterion): string | null {
  const { value, samples, isKnown, doubt } = measured;
  if (!isKnown) return nothingMeasured(criterion);
  if (doubt !== null) return doubt;
  if (samples === 0 || Number.isNaN(value)) return 'no samples';
  if (criterion.measure.kind === 'ratio' && value > 100) {
    return 'more than 100 %: the two sides of this share were not counted alike';
  }
  const enough = criterion.isIndicative === true ? criterion.samplesMin : samplesNeeded(criterion);
  if (samples >= enough || isBrokenBeyondDoubt(criterion, measured, measured.histogram)) return null;
  return `only ${round(samples)} samples, ${enough} are needed`;
}

function nothingMeasured({ measure: wanted }: Criterion): string {
  if (wanted.kind !== 'sample' && wanted.kind !== 'sample-return') {
    return 'nothing was measured: no such series in this run';
  }
  const from = wanted.collectors === undefined ? '' : ` (${wanted.collectors.join(' or ')})`;
  return `nothing was collected: no ${wanted.metric}${from} in this run`;
}

/** A sample below zero shows that a clock is ahead, and then every other sample of the run may be too small as well. */
function negativeDoubt({ measure: wanted, needsClock }: Criterion, slices: readonly TimedSlice[]): string | null {
  if (needsClock !== true || (wanted.kind !== 'percentile' && wanted.kind !== 'mean')) return null;
  const where = { ...wanted.where, metric: wanted.metric };
  const count = slices
    .flatMap(({ data }) => Object.entries(data.counters))
    .reduce((sum, [key, value]) => sum + (matchesSeries(key, NEGATIVE_METRIC, where) ? value : 0), 0);
  if (count === 0) return null;
  return `${count} ${count === 1 ? 'sample' : 'samples'} below zero: a clock is ahead, so the others may be too small`;
}

const CLOCK_ERROR_SHARE_MAX = 0.1;

function clockDoubt({ value }: Measured, { needsClock }: Criterion, boundMs: number | null): string | null {
  if (needsClock !== true) return null;
  if (boundMs === null) return 'the clocks of generator and target were not compared';
  if (boundMs <= CLOCK_ERROR_SHARE_MAX * value) return null;
  return `the clocks may differ by ${round(boundMs)} ms, more than 10 % of what was measured`;
}

/** Whether a value keeps the limit of its criterion. */
export function holds(value: number, { op, limit }: Criterion): boolean {
  if (op === '<') return value < limit;
  if (op === '<=') return value <= limit;
  return op === '>' ? value > limit : value >= limit;
}

/** Of a share that must be high, what may be missing is what the limit allows: 99.8 % of "> 99 %" uses a fifth of it. */
export function marginPercent(value: number, { op, limit, unit }: Criterion): number | null {
  const isLow = op.startsWith('<');
  const allowed = !isLow && unit === 'percent' ? 100 - limit : limit;
  if (allowed <= 0) return null;
  return (100 * (isLow ? limit - value : value - limit)) / allowed;
}

function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
