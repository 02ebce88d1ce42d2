/** In which order people want to read criteria: what is broken, what is not decided, what was close, and the rest. Pure. */
import type { Judgement } from '../verdict/judge.ts';

/** Every judgement is in exactly one of them. Within each, mandatory ones come first. */
export type ByUrgency = {
  readonly broken: readonly Judgement[];
  readonly undecided: readonly Judgement[];
  /** Those that held with the least room, least first. */
  readonly closest: readonly Judgement[];
  readonly held: readonly Judgement[];
  readonly notApplicable: readonly Judgement[];
};

/** As many as are read before all else. */
const CLOSEST_MAX = 6;

/** A criterion without any room to tell (a count of which none may be) is never among the closest. */
export function byUrgency(judgements: readonly Judgement[]): ByUrgency {
  const mandatoryFirst = judgements.toSorted(
    (a, b) => Number(b.criterion.isMandatory) - Number(a.criterion.isMandatory),
  );
  const of = (outcome: Judgement['outcome']): Judgement[] => mandatoryFirst.filter((one) => one.outcome === outcome);
  const held = of('pass');
  const closest = held
    .filter(({ marginPercent }) => marginPercent !== null && marginPercent < 100)
    .toSorted((a, b) => (a.marginPercent ?? 0) - (b.marginPercent ?? 0))
    .slice(0, CLOSEST_MAX);
  return {
    broken: of('fail'),
    undecided: of('inconclusive'),
    closest,
    held: held.filter((one) => !closest.includes(one)),
    notApplicable: of('not applicable'),
  };
}
