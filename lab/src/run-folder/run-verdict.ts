/** The verdict of a run folder: a pure function of what it holds. */
import { abilitiesOf } from '../target/target.ts';
import { type CapacityStatement, capacityOf } from '../verdict/capacity.ts';
import { type Judgement, judge } from '../verdict/judge.ts';
import type { JudgeInput } from '../verdict/judge-input.ts';
import { decide, EXIT_CODES, type RunOutcome, type RunTrust, whyInvalid } from '../verdict/verdict.ts';
import { canaryOf } from './run-canary.ts';
import type { RunData } from './run-reader.ts';
import { type Stamp, stampsOf } from './run-stamps.ts';

/** `verdict.json`, version 1. */
export type RunVerdict = {
  readonly version: 1;
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly exitCode: number;
  /** READY only for a passed run of full length and size, as planned, from another host than the target's. */
  readonly isReady: boolean;
  /** What limits this run may speak of; see {@link Stamp}. */
  readonly stamps: readonly Stamp[];
  readonly invalidBecause: string | null;
  readonly trust: RunTrust;
  readonly judgements: readonly Judgement[];
};

/** Judges the run. */
export function verdictOf(run: RunData): RunVerdict {
  const { manifest } = run;
  const judgements = judge(judgeInput(run));
  const suspicions = canaryOf(run).flatMap((one) => one.suspicions);
  const trust = { ...trustOf(run), ...(suspicions.length === 0 ? {} : { suspicions }) };
  const outcome = decide(judgements, trust);
  const stamps = stampsOf(manifest, judgements, (trust.suspicions ?? []).length > 0);
  return {
    version: 1,
    runId: manifest.runId,
    outcome,
    exitCode: EXIT_CODES[outcome],
    isReady: outcome === 'passed' && stamps.length === 0,
    stamps,
    invalidBecause: whyInvalid(trust),
    trust,
    judgements,
  };
}

function judgeInput(run: RunData): JudgeInput {
  const { manifest } = run;
  return {
    criteria: manifest.criteria,
    planes: manifest.target.planes,
    abilities: abilitiesOf(manifest.target),
    phases: manifest.phases,
    durationMs: manifest.durationMs,
    sliceMs: manifest.sliceMs,
    clockBoundMs: manifest.clock.boundMs,
    slices: run.slices,
    samples: run.samples,
    self: run.self,
    viewers: manifest.viewers,
    cores: manifest.fingerprint.cores,
  };
}

/** What this run may say about capacity; mostly nothing, and then why. */
export function capacityOfRun(run: RunData, { outcome, stamps, judgements }: RunVerdict): CapacityStatement {
  const isTrusted = outcome !== 'interrupted' && outcome !== 'invalid';
  return capacityOf(judgeInput(run), judgements, { stamps, isTrusted });
}

function trustOf({ manifest, self, lines }: RunData): RunTrust {
  const breaches: Record<string, number> = {};
  for (const name of self.flatMap((record) => record.breaches)) breaches[name] = (breaches[name] ?? 0) + 1;
  const bugs = sum(
    lines.flatMap(({ counters }) =>
      Object.entries(counters).map(([key, value]) => (key.startsWith('lab_bugs_total') ? value : 0)),
    ),
  );
  return {
    // A run without an end was killed: what there is, is partial.
    isInterrupted: manifest.end?.isInterrupted ?? true,
    taintedSeconds: self.filter((record) => record.breaches.length > 0).length,
    totalSeconds: self.length,
    taintedPercentMax: manifest.guard.taintedPercentMax,
    breaches,
    workerFailures: [
      ...(manifest.end?.workerFailures ?? []),
      ...(bugs > 0 ? [`${bugs} virtual users broke (events named lab_bug)`] : []),
    ],
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
