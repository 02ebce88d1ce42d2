/**
 * The search for the size at which a target breaks (strategy 5.3; qoe 3.20; Readings 42): climb, halve between the last size that
 * held and the first that did not, run both sides of the knee again. Pure: what comes next follows from what was.
 */
import type { RunOutcome } from '../verdict/verdict.ts';
import type { EscalationPlan } from './scenario.ts';

/** One finished step. */
export type EscalationStep = { readonly viewers: number; readonly outcome: RunOutcome };

/** Why a step is run. */
export type StepReason = 'climb' | 'bisect' | 'repeat' | 'again';

/** Why the search is over. */
export type EscalationEnd =
  | 'knee found'
  | 'held at the largest size'
  | 'never held'
  | 'generator exhausted'
  | 'inconclusive'
  | 'interrupted';

/** What to do next. `heldAt` and `failedAt`: the interval that the knee is in; null: no such size. */
export type NextStep =
  | { readonly kind: 'run'; readonly viewers: number; readonly reason: StepReason }
  | {
      readonly kind: 'over';
      readonly end: EscalationEnd;
      readonly heldAt: number | null;
      readonly failedAt: number | null;
    };

/** A step that told nothing is run once more, and no oftener. */
const SILENT_RUNS_MAX = 2;
const GROWTH = 1.5;
/** Sizes are whole tens from a hundred on: nobody plans with 437 viewers. */
const COARSE_FROM = 100;
const COARSE = 10;

/** Decides from all steps so far, in the order in which they ran. */
export function nextStep(steps: readonly EscalationStep[], plan: EscalationPlan): NextStep {
  const sizes = summarise(steps);
  const heldAt = Math.max(...sizes.filter(({ isHeld }) => isHeld).map(({ viewers }) => viewers), 0) || null;
  const failed = sizes.filter(({ failures }) => failures > 0).map(({ viewers }) => viewers);
  // A size that failed once is at or above the knee, also when a larger one held.
  const failedAt = failed.length === 0 ? null : Math.min(...failed);
  const heldBelow = largestBelow(sizes, failedAt);
  const over = (end: EscalationEnd): NextStep => ({
    kind: 'over',
    end,
    heldAt: failedAt === null ? heldAt : heldBelow,
    failedAt,
  });
  const last = steps.at(-1);
  if (last?.outcome === 'interrupted') return over('interrupted');
  const silent = last === undefined ? undefined : sizes.find(({ viewers }) => viewers === last.viewers);
  if (last !== undefined && silent !== undefined && isSilent(last)) {
    if (silent.silent < SILENT_RUNS_MAX) return { kind: 'run', viewers: last.viewers, reason: 'again' };
    return over(last.outcome === 'invalid' ? 'generator exhausted' : 'inconclusive');
  }
  if (failedAt === null) return climb(sizes, plan, over);
  return narrow(sizes, heldBelow, failedAt, plan, over);
}

type Size = {
  readonly viewers: number;
  readonly passes: number;
  readonly failures: number;
  readonly silent: number;
  readonly isHeld: boolean;
};

function isSilent({ outcome }: EscalationStep): boolean {
  return outcome === 'invalid' || outcome === 'inconclusive';
}

function summarise(steps: readonly EscalationStep[]): Size[] {
  const viewers = [...new Set(steps.map((step) => step.viewers))].toSorted((a, b) => a - b);
  return viewers.map((size) => {
    const outcomes = steps.filter((step) => step.viewers === size);
    const passes = outcomes.filter(({ outcome }) => outcome === 'passed').length;
    const failures = outcomes.filter(({ outcome }) => outcome === 'failed').length;
    return {
      viewers: size,
      passes,
      failures,
      silent: outcomes.filter(isSilent).length,
      isHeld: passes > 0 && failures === 0,
    };
  });
}

function largestBelow(sizes: readonly Size[], limit: number | null): number | null {
  const below = sizes.filter(({ viewers, isHeld }) => isHeld && (limit === null || viewers < limit));
  return below.at(-1)?.viewers ?? null;
}

function climb(sizes: readonly Size[], plan: EscalationPlan, over: (end: EscalationEnd) => NextStep): NextStep {
  const highest = sizes.at(-1)?.viewers ?? 0;
  if (highest >= plan.viewersMax) return over('held at the largest size');
  const planned = plan.levels.find((level) => level > highest) ?? coarse(highest * GROWTH);
  return { kind: 'run', viewers: Math.min(planned, plan.viewersMax), reason: 'climb' };
}

function narrow(
  sizes: readonly Size[],
  heldAt: number | null,
  failedAt: number,
  { resolutionPercent, kneeRuns }: EscalationPlan,
  over: (end: EscalationEnd) => NextStep,
): NextStep {
  const low = heldAt ?? 0;
  const middle = coarse((low + failedAt) / 2);
  const isFine = failedAt - low <= Math.max(1, (resolutionPercent / 100) * failedAt);
  if (!isFine && middle > low && middle < failedAt) return { kind: 'run', viewers: middle, reason: 'bisect' };
  for (const viewers of [heldAt, failedAt]) {
    const size = sizes.find((one) => one.viewers === viewers);
    if (size !== undefined && size.passes + size.failures < kneeRuns) {
      return { kind: 'run', viewers: size.viewers, reason: 'repeat' };
    }
  }
  return over(heldAt === null ? 'never held' : 'knee found');
}

function coarse(viewers: number): number {
  return viewers < COARSE_FROM ? Math.round(viewers) : Math.round(viewers / COARSE) * COARSE;
}
