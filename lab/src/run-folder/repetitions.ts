/** Several runs of one plan: how far each criterion spreads, and the worst verdict. Pure. */
import type { Criterion } from '../verdict/criterion.ts';
import type { Outcome } from '../verdict/judge.ts';
import { EXIT_CODES, type RunOutcome } from '../verdict/verdict.ts';
import type { RunVerdict } from './run-verdict.ts';

/** One criterion over all repetitions. Values of repetitions that measured nothing are null and in no figure. */
export type RepeatedCriterion = {
  readonly criterion: Criterion;
  readonly values: readonly (number | null)[];
  readonly outcomes: readonly Outcome[];
  readonly min: number | null;
  readonly median: number | null;
  readonly max: number | null;
  /** (max − min) out of the median, percent; null without a median above 0. */
  readonly spreadPercent: number | null;
};

/** `repetitions.json`, version 1. */
export type Repetitions = {
  readonly version: 1;
  /** Folders of the runs, relative to this file. */
  readonly folders: readonly string[];
  readonly wanted: number;
  /** The worst of all, and interrupted when there are fewer runs than wanted. */
  readonly outcome: RunOutcome;
  readonly exitCode: number;
  readonly outcomes: readonly RunOutcome[];
  readonly isReady: boolean;
  readonly criteria: readonly RepeatedCriterion[];
};

/** Worst first, in the order in which one run decides: what cannot be trusted says nothing, good or bad. */
const WORST_FIRST: readonly RunOutcome[] = ['interrupted', 'invalid', 'failed', 'inconclusive', 'passed'];

/** Sums up finished runs of the same plan. Without a run there is nothing to sum up: it counts as interrupted. */
export function summariseRepetitions(
  runs: readonly { readonly folder: string; readonly verdict: RunVerdict }[],
  wanted: number,
): Repetitions {
  const outcomes = runs.map(({ verdict }) => verdict.outcome);
  const isWhole = runs.length === wanted;
  const outcome = isWhole ? (WORST_FIRST.find((one) => outcomes.includes(one)) ?? 'interrupted') : 'interrupted';
  const criteria = runs[0]?.verdict.judgements.map(({ criterion }) => criterion) ?? [];
  return {
    version: 1,
    folders: runs.map(({ folder }) => folder),
    wanted,
    outcome,
    exitCode: EXIT_CODES[outcome],
    outcomes,
    isReady: isWhole && runs.every(({ verdict }) => verdict.isReady),
    criteria: criteria.map((criterion) =>
      repeated(
        criterion,
        runs.map(({ verdict }) => verdict),
      ),
    ),
  };
}

function repeated(criterion: Criterion, verdicts: readonly RunVerdict[]): RepeatedCriterion {
  const judgements = verdicts.flatMap(({ judgements: all }) => all.filter((one) => one.criterion.id === criterion.id));
  const values = judgements.map(({ value }) => value);
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  const [min, max, median] = [known[0] ?? null, known.at(-1) ?? null, medianOf(known)];
  const isSpreadKnown = min !== null && max !== null && median !== null && median > 0;
  return {
    criterion,
    values,
    outcomes: judgements.map(({ outcome }) => outcome),
    min,
    median,
    max,
    spreadPercent: isSpreadKnown ? (100 * (max - min)) / median : null,
  };
}

/** Of sorted values; null without any. */
function medianOf(sorted: readonly number[]): number | null {
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
