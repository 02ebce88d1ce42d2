/** The search for the largest number of viewers that one worker thread can hold: short steps up, then between the last two. */

/** What one step showed. */
export type Step = {
  readonly viewers: number;
  /** Guard limits that were broken; none: it holds. */
  readonly breaches: readonly string[];
  /** The null server was faster than the viewers. */
  readonly isServerAhead: boolean;
  readonly cpuPercent: number;
};

/** The end of a search. */
export type Found = { readonly viewers: number; readonly isLowerBound: boolean; readonly limitedBy: readonly string[] };

/** `precision`: the search ends when the answer is known this closely, as a share. */
export type SearchOptions = {
  readonly first: number;
  readonly max: number;
  readonly stepsMax: number;
  readonly cpuPercentMax: number;
  readonly precision: number;
};

const GROWTH_MAX = 2.5;
const GROWTH_MIN = 1.2;
/** CPU does not grow quite evenly: a step goes to a little less than what it promises. */
const CAUTION = 0.95;

/** Asks `measure` step by step. */
export async function findCapacity(
  { first, max, stepsMax, cpuPercentMax, precision }: SearchOptions,
  measure: (viewers: number) => Promise<Step>,
): Promise<Found> {
  let [held, failed] = [0, Number.POSITIVE_INFINITY];
  let limitedBy: readonly string[] = [];
  let viewers = first;
  for (let count = 0; count < stepsMax; count += 1) {
    const step = await measure(viewers);
    if (step.breaches.length > 0) {
      // A null server that falls behind breaks the limits of its viewers, too: then nothing is known above.
      failed = viewers;
      limitedBy = step.isServerAhead ? step.breaches : ['null server'];
    } else if (!step.isServerAhead) {
      return { viewers, isLowerBound: true, limitedBy: ['null server'] };
    } else held = viewers;
    if (held >= max) return { viewers: held, isLowerBound: true, limitedBy: [] };
    if (failed - held <= Math.max(1, precision * held)) break;
    viewers = nextStep({ held, failed, max }, step, cpuPercentMax);
  }
  return {
    viewers: held,
    isLowerBound: failed === Number.POSITIVE_INFINITY || limitedBy[0] === 'null server',
    limitedBy,
  };
}

function nextStep(
  { held, failed, max }: { readonly held: number; readonly failed: number; readonly max: number },
  step: Step,
  cpuPercentMax: number,
): number {
  if (held === 0) return Math.max(1, Math.floor(failed / 4));
  if (Number.isFinite(failed)) return Math.floor((held + failed) / 2);
  const promised = (step.viewers * cpuPercentMax * CAUTION) / Math.max(1, step.cpuPercent);
  return Math.min(max, Math.round(Math.min(held * GROWTH_MAX, Math.max(held * GROWTH_MIN, promised))));
}
