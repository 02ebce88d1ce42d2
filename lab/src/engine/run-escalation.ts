/** Runs the steps of an escalation one after the other, each in a folder of its own, and sums them up. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STRATEGY_ALERTS } from '../alerts/strategy-alerts.ts';
import { totalOf } from '../run-folder/run-figures.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { UnusableFolderError } from '../run-folder/run-writer.ts';
import { fitScalability, type ScalabilityFit } from '../verdict/universal-scalability.ts';
import { EXIT_CODES, type RunOutcome } from '../verdict/verdict.ts';
import { PlanError } from './arrivals.ts';
import { type EscalationEnd, nextStep, type StepReason } from './escalation.ts';
import { type FirstMover, firstMover, type ResourceUse, resourceUse } from './first-mover.ts';
import type { EscalationPlan } from './scenario.ts';

/** Two buffers of a player three segments behind, and a window to judge: a shorter step shows what was buffered. */
export const STEP_MS_MIN = 20_000;

/** A mandatory criterion that a step failed. */
export type BrokenCriterion = {
  readonly id: string;
  readonly title: string;
  readonly value: number | null;
  readonly limit: string;
};

/** One step of the search. */
export type EscalationRecord = {
  readonly viewers: number;
  readonly reason: StepReason;
  readonly outcome: RunOutcome;
  /** Relative to the folder of the search; null when the step was not begun. */
  readonly folder: string | null;
  /** Why it was not begun, or cannot be trusted. */
  readonly note: string | null;
  readonly broken: readonly BrokenCriterion[];
  /** Seconds of picture shown per second, all viewers together, while everybody was there. */
  readonly throughput: number | null;
  readonly used: readonly ResourceUse[];
};

/** `escalation.json`, version 1. */
export type Escalation = {
  readonly version: 1;
  readonly end: EscalationEnd;
  /** The knee is between them. */
  readonly heldAt: number | null;
  readonly failedAt: number | null;
  readonly goalViewers: number;
  /** How far the size that held is above the goal, percent; below zero: short of it. */
  readonly marginPercent: number | null;
  readonly brokenBy: readonly BrokenCriterion[];
  readonly firstMover: FirstMover | null;
  /** Null with fewer than six sizes, or when they follow no such curve. */
  readonly scalability: ScalabilityFit | null;
  readonly stamps: readonly string[];
  readonly steps: readonly EscalationRecord[];
  readonly exitCode: number;
};

/** A finished step, or why the generator cannot make it. */
export type StepResult = { readonly verdict: RunVerdict; readonly run: RunData } | { readonly refused: string };

/** What the search needs. `limitOf` writes a criterion's limit for people. */
export type EscalationOptions = {
  readonly plan: EscalationPlan;
  readonly stepMs: number;
  readonly stepMsMin?: number;
  /** Must not exist, or be empty. */
  readonly folder: string;
  readonly runStep: (viewers: number, folder: string) => Promise<StepResult>;
  readonly limitOf: (judgement: RunVerdict['judgements'][number]) => string;
  readonly onStep?: (record: EscalationRecord, number: number) => void;
};

/** Runs the search. Throws PlanError for steps that are too short, UnusableFolderError. */
export async function runEscalation(options: EscalationOptions): Promise<Escalation> {
  const { plan, stepMs, stepMsMin = STEP_MS_MIN, folder, onStep } = options;
  if (stepMs < stepMsMin) {
    throw new PlanError(`a step of ${stepMs / 1000} s shows what was buffered: at least ${stepMsMin / 1000} s`);
  }
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new UnusableFolderError(`${folder} is not empty; name another with --out`);
  const steps: EscalationRecord[] = [];
  const stamps = new Set<string>();
  for (;;) {
    const next = nextStep(steps, plan);
    if (next.kind === 'over') {
      const summary = summarise(next, steps, [...stamps], plan);
      await writeFile(join(folder, 'escalation.json'), `${JSON.stringify(summary, null, 2)}\n`);
      return summary;
    }
    const name = `step-${String(steps.length + 1).padStart(2, '0')}-${next.viewers}`;
    const result = await options.runStep(next.viewers, join(folder, name));
    const record = recordOf(result, next, name, options.limitOf);
    if ('verdict' in result) for (const stamp of result.verdict.stamps) stamps.add(stamp);
    steps.push(record);
    onStep?.(record, steps.length);
  }
}

function recordOf(
  result: StepResult,
  { viewers, reason }: { readonly viewers: number; readonly reason: StepReason },
  folder: string,
  limitOf: EscalationOptions['limitOf'],
): EscalationRecord {
  if ('refused' in result) {
    return {
      viewers,
      reason,
      outcome: 'invalid',
      folder: null,
      note: result.refused,
      broken: [],
      throughput: null,
      used: [],
    };
  }
  const { verdict, run } = result;
  const broken = verdict.judgements
    .filter(({ outcome, criterion }) => outcome === 'fail' && criterion.isMandatory)
    .map((judgement) => {
      const { id, title } = judgement.criterion;
      return { id, title, value: judgement.value, limit: limitOf(judgement) };
    });
  return {
    viewers,
    reason,
    outcome: verdict.outcome,
    folder,
    note: verdict.invalidBecause,
    broken,
    throughput: throughputOf(run),
    used: resourceUse(run, STRATEGY_ALERTS),
  };
}

function throughputOf(run: RunData): number | null {
  const steady = run.manifest.phases.find(({ name }) => name === 'steady');
  if (steady === undefined) return null;
  const lines = run.lines.filter(({ atMs }) => atMs >= steady.fromMs && atMs + run.manifest.sliceMs <= steady.toMs);
  const playedMs = totalOf({ ...run, lines }, 'played_ms_total');
  return playedMs === null || lines.length === 0 ? null : playedMs / (lines.length * run.manifest.sliceMs);
}

function summarise(
  over: { readonly end: EscalationEnd; readonly heldAt: number | null; readonly failedAt: number | null },
  steps: readonly EscalationRecord[],
  stamps: readonly string[],
  { goalViewers }: EscalationPlan,
): Escalation {
  const { end, heldAt, failedAt } = over;
  const trusted = steps.filter(({ outcome }) => outcome === 'passed' || outcome === 'failed');
  const knee = steps.filter(({ viewers, outcome }) => viewers === failedAt && outcome === 'failed');
  const brokenBy = [...new Map(knee.flatMap(({ broken }) => broken).map((one) => [one.id, one])).values()];
  return {
    version: 1,
    end,
    heldAt,
    failedAt,
    goalViewers,
    marginPercent: heldAt === null ? null : (100 * (heldAt - goalViewers)) / goalViewers,
    brokenBy,
    firstMover: firstMover(trusted),
    scalability: fitScalability(
      trusted.flatMap(({ viewers, throughput }) => (throughput === null ? [] : [{ load: viewers, throughput }])),
    ),
    stamps,
    steps,
    exitCode: exitCodeOf(over, goalViewers),
  };
}

/** The goal decides: a search that ends above it has passed, wherever the knee is. */
function exitCodeOf(
  {
    end,
    heldAt,
    failedAt,
  }: { readonly end: EscalationEnd; readonly heldAt: number | null; readonly failedAt: number | null },
  goalViewers: number,
): number {
  if (end === 'interrupted') return EXIT_CODES.interrupted;
  if (heldAt !== null && heldAt >= goalViewers) return EXIT_CODES.passed;
  if (failedAt !== null && failedAt <= goalViewers) return EXIT_CODES.failed;
  if (end === 'generator exhausted') return EXIT_CODES.invalid;
  return failedAt === null ? EXIT_CODES.inconclusive : EXIT_CODES.failed;
}
