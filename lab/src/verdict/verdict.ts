/** From judgements to one word and one exit code. The codes are the lab's contract with CI. */
import type { Judgement } from './judge.ts';

/** 0 pass · 1 a mandatory criterion failed · 2 usage · 3 invalid · 4 inconclusive · 5 parity · 6 unreachable · 130 interrupted. */
export const EXIT_CODES = {
  passed: 0,
  failed: 1,
  usage: 2,
  invalid: 3,
  inconclusive: 4,
  parity: 5,
  unreachable: 6,
  interrupted: 130,
} as const;

/** How a finished (or interrupted) run came out. */
export type RunOutcome = 'passed' | 'failed' | 'invalid' | 'inconclusive' | 'interrupted';

/** Facts beside the judgements that decide the verdict. */
export type RunTrust = {
  readonly isInterrupted: boolean;
  readonly taintedSeconds: number;
  readonly totalSeconds: number;
  readonly taintedPercentMax: number;
  /** Named limits the generator broke, with how many seconds each. */
  readonly breaches: Readonly<Record<string, number>>;
  /** Workers that died or went silent. */
  readonly workerFailures: readonly string[];
  /** In which ways the crowd fared much worse than its canary. */
  readonly suspicions?: readonly string[];
};

/** A generator that its canary accuses is INVALID with this share of the tainted seconds that others are allowed. */
const SUSPECTED_SHARE = 0.5;

/**
 * Interrupted, then invalid, then failed, then inconclusive: a generator that cannot be trusted says nothing about the
 * server, good or bad. A run that judged nothing mandatory is inconclusive.
 */
export function decide(judgements: readonly Judgement[], trust: RunTrust): RunOutcome {
  if (trust.isInterrupted) return 'interrupted';
  if (whyInvalid(trust) !== null) return 'invalid';
  const mandatory = judgements.filter(({ criterion }) => criterion.isMandatory);
  if (mandatory.some(({ outcome }) => outcome === 'fail')) return 'failed';
  const isJudged = mandatory.some(({ outcome }) => outcome === 'pass');
  if (!isJudged || mandatory.some(({ outcome }) => outcome === 'inconclusive')) return 'inconclusive';
  return 'passed';
}

const WAY_OUT = 'use a quieter machine, more cores or fewer viewers';

/** A sentence that names the reason, or null when the generator can be trusted. */
export function whyInvalid(trust: RunTrust): string | null {
  if (trust.workerFailures.length > 0) return `the generator broke: ${trust.workerFailures.join('; ')}`;
  if (trust.totalSeconds === 0) return 'the generator never reported on itself';
  const taintedPercent = (100 * trust.taintedSeconds) / trust.totalSeconds;
  const suspicions = trust.suspicions ?? [];
  const allowed = trust.taintedPercentMax * (suspicions.length > 0 ? SUSPECTED_SHARE : 1);
  if (taintedPercent <= allowed) return null;
  if (taintedPercent <= trust.taintedPercentMax) {
    return (
      `the generator is suspected: the crowd fared much worse than its canary (${suspicions.join('; ')}), and ` +
      `${trust.taintedSeconds} of ${trust.totalSeconds} seconds are tainted; ${WAY_OUT}`
    );
  }
  const limits = Object.entries(trust.breaches).map(([name, seconds]) => `${name} in ${seconds} s`);
  return (
    `the generator was too busy to measure: ${trust.taintedSeconds} of ${trust.totalSeconds} seconds tainted ` +
    `(${limits.join(', ')}), at most ${trust.taintedPercentMax} % may be; ${WAY_OUT}`
  );
}
