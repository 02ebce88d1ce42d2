/** Which lines of the readiness gate a run is evidence for, and how they came out. Pure. */
import { GATE, type GateLine } from './gate.ts';
import type { Judgement, Outcome } from './judge.ts';

/** `outcome` is null for lines that this run says nothing about. */
export type GateState = {
  readonly line: GateLine;
  readonly outcome: Outcome | null;
  readonly criteria: readonly string[];
};

/** A line is as good as the worst criterion that is evidence for it. */
const WORST_FIRST: readonly Outcome[] = ['fail', 'inconclusive', 'pass', 'not applicable'];

/** All lines, in the order of the document. */
export function gateBoard(judgements: readonly Judgement[]): GateState[] {
  return GATE.map((line) => {
    const evidence = judgements.filter(({ criterion }) => criterion.gate === line.id);
    const outcome = WORST_FIRST.find((one) => evidence.some((judgement) => judgement.outcome === one)) ?? null;
    return { line, outcome, criteria: evidence.map(({ criterion }) => criterion.id) };
  });
}
