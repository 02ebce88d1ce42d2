/** The worst rolling minute of a criterion (qoe 3.11). Pure. */
import { assertNever } from '../assert-never.ts';
import type { Criterion } from './criterion.ts';
import { MeasureReader, type SliceMeasure, type TimedSlice } from './evidence.ts';
import { isBrokenBeyondDoubt, samplesNeeded } from './sample-size.ts';

/** `isDecisive`: a whole minute with samples enough; it then decides beside the whole phase. Others are only shown. */
export type WorstWindow = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly value: number;
  readonly samples: number;
  readonly isDecisive: boolean;
};

/** A rolling minute; a run too short for two of them uses a third of the phase, shown but not decisive. */
export const WINDOW_MS = 60_000;
const WINDOW_STEPS = 6;

/** Worst value over windows; those with samples enough come before all others. Null where windows make no sense. */
export function worstWindow(
  slices: readonly TimedSlice[],
  criterion: Criterion & { readonly measure: SliceMeasure },
  sliceMs: number,
): WorstWindow | null {
  const role = roleOf(criterion.measure);
  if (role === 'none' || slices.length < 3) return null;
  const isMinute = slices.length * sliceMs >= 2 * WINDOW_MS;
  const length = isMinute ? WINDOW_MS / sliceMs : Math.ceil(slices.length / 3);
  const step = Math.max(1, Math.floor(length / WINDOW_STEPS));
  const reader = new MeasureReader(criterion.measure, sliceMs);
  let worst: WorstWindow | null = null;
  for (let from = 0; from + length <= slices.length; from += step) {
    const part = slices.slice(from, from + length);
    const evidence = reader.read(part);
    if (!Number.isNaN(evidence.value) && evidence.samples > 0) {
      const isEnough =
        evidence.samples >= samplesNeeded(criterion) ||
        isBrokenBeyondDoubt(criterion, evidence, reader.histogram(part));
      const fromMs = part[0]?.atMs ?? 0;
      const isDecisive = role === 'decides' && isMinute && isEnough;
      const window = { fromMs, toMs: fromMs + length * sliceMs, ...evidence, isDecisive };
      worst = worseOf(worst, window, criterion);
    }
    reader.forget(part.slice(0, step));
  }
  if (worst === null || (criterion.measure.kind === 'count' && worst.value === 0)) return null;
  const { fromMs, toMs, value, samples, isDecisive } = worst;
  return { fromMs, toMs, value, samples, isDecisive };
}

/** Counts only grow with the window, so the whole phase is their worst one; a rate is asked for over the phase. */
function roleOf(measure: SliceMeasure): 'decides' | 'shown' | 'none' {
  switch (measure.kind) {
    case 'percentile':
    case 'mean':
    case 'level':
    case 'per-hundred-seconds':
      return 'decides';
    case 'ratio':
      return measure.isFollowing === true ? 'none' : 'decides';
    case 'count':
    case 'rate':
      return 'shown';
    case 'drift':
      return 'none'; // a slope over one minute is noise
    default:
      return assertNever(measure);
  }
}

function worseOf(known: WorstWindow | null, one: WorstWindow, { op }: Criterion): WorstWindow {
  if (known === null) return one;
  if (known.isDecisive !== one.isDecisive) return known.isDecisive ? known : one;
  const isWorse = op.startsWith('<') ? one.value > known.value : one.value < known.value;
  return isWorse ? one : known;
}
