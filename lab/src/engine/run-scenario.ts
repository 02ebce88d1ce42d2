/**
 * Runs a scenario: makes the plan, starts the worker threads, merges what they report second by second into a run
 * folder, and judges it. The one entry for the command line and for tests.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CapacityRecord } from '../calibration/capacity.ts';
import { CANARY_FROM_VUS } from '../canary/canary-plan.ts';
import { monotonicMs } from '../clock.ts';
import { type CollectRequest, RunCollection } from '../collectors/run-collection.ts';
import { FaultSetup, plannedFaults } from '../faults/fault-setup.ts';
import type { ProcessBindings } from '../faults/process-control.ts';
import { isThisHost, takeFingerprint } from '../run-folder/fingerprint.ts';
import type { Manifest, SteeringRecord } from '../run-folder/manifest.ts';
import { type RunData, readRunFolder } from '../run-folder/run-reader.ts';
import { type RunVerdict, verdictOf } from '../run-folder/run-verdict.ts';
import { RunWriter } from '../run-folder/run-writer.ts';
import { abilitiesOf, describeTarget, type TargetAdapter, type TargetDescription } from '../target/target.ts';
import type { Plane, VideoAbility } from '../verdict/criterion.ts';
import { clockOfRun, measureClock } from './clock-comparison.ts';
import { Coordinator, type Progress } from './coordinator.ts';
import { GUARD_DEFAULTS, type SelfSample } from './guard.ts';
import { Honesty } from './honesty.ts';
import { makePlan, type Plan, type PlanOptions } from './plan.ts';
import { type ExtraOptions, RunExtras } from './run-extras.ts';
import type { RunObserver } from './run-observer.ts';
import type { ActorKind, Group, Scenario } from './scenario.ts';
import { followSteering } from './steering.ts';
import { StockCheck } from './stock-check.ts';

/** What to run, against what, into which folder. */
export type RunOptions = {
  readonly scenario: Scenario;
  readonly target: TargetDescription;
  readonly adapter: TargetAdapter;
  /** Module that exports the adapter as `target`: worker threads load it themselves. */
  readonly adapterUrl: string;
  /** Must not exist, or be empty. */
  readonly folder: string;
  readonly size: PlanOptions;
  /** Default: one per core, never more than virtual users. */
  readonly workers?: number;
  /** Processes that faults may touch, by the names the scenario uses. */
  readonly processes?: ProcessBindings;
  /** Aborting drains the run: what was measured so far is kept and marked as interrupted. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly observer?: RunObserver;
  /** Streams of the lab itself, real browsers. */
  readonly extras?: ExtraOptions;
  /** What to collect besides what the target's adapter knows; default: nothing. */
  readonly collect?: CollectRequest;
  /** What was found of the machine before; goes into the manifest. */
  readonly calibration?: CapacityRecord;
  /** How the environment was held against a reference; goes into the manifest. */
  readonly parity?: NonNullable<Manifest['parity']>;
  /** A viewer of each kind in a process of its own. Default: in runs of {@link CANARY_FROM_VUS} virtual users and more. */
  readonly hasCanary?: boolean;
};

/** A finished run. */
export type RunResult = { readonly verdict: RunVerdict; readonly run: RunData };

/** Runs it. Throws UnusableFolderError, and RunWriteError when what was measured could not be kept. */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { scenario, skippedGroups } = withoutMissingPlanes(options.scenario, options.target);
  const plan = makePlan(scenario, options.size);
  const workers = Math.max(1, Math.min(options.workers ?? availableParallelism(), plan.vus.length));
  const collection = await RunCollection.open({
    target: options.target,
    scenario,
    processes: options.processes ?? {},
    request: options.collect ?? {},
  });
  const manifest: Manifest = {
    ...(await makeManifest({ ...options, scenario }, plan, workers, skippedGroups)),
    collection: collection.record,
  };
  const writer = await RunWriter.create(options.folder, manifest, plan);
  writer.observe(options.observer ?? {});
  options.observer?.started?.(manifest);
  const signal = options.signal ?? new AbortController().signal;
  const stock = await StockCheck.begin(options.adapter, options.target, signal);
  const honesty = new Honesty({
    isCoLocated: manifest.isCoLocated,
    askClock: () => measureClock(options.adapter, options.target),
    writer,
    hasCanary: options.hasCanary ?? plan.vus.length >= CANARY_FROM_VUS,
  });
  const clockOffsetMs = await honesty.begin();
  const steering: SteeringRecord[] = [];
  const addSelf = (self: SelfSample): void => coordinator.addSelf(self);
  const faults = await FaultSetup.open(plan, options.target, options.processes ?? {}, addSelf);
  const common = {
    runId: manifest.runId,
    seed: plan.seed,
    target: faults.targetForUsers,
    adapterUrl: options.adapterUrl,
    clockOffsetMs,
  };
  const startAtMs = monotonicMs();
  await honesty.openCanary(scenario.groups, plan, common);
  const extras = await openExtras(options, { scenario, plan, faults, onSelf: addSelf });
  const coordinator: Coordinator = new Coordinator({
    plan,
    workers,
    writer,
    stock,
    guard: manifest.guard,
    task: { ...common, groups: scenario.groups, groupTargets: extras.groupTargets },
    onProgress: (progress) => {
      options.onProgress?.(progress);
      options.observer?.progressed?.(progress);
      collection.progressed(progress.gauges);
    },
    conduct: async (stage) => {
      const steered = followSteering(options.folder, Object.keys(scenario.groups), stage, (one) => steering.push(one));
      const collected = collection.conduct(stage, writer, plan.durationMs);
      const extra = extras.conduct(stage);
      await Promise.all([
        faults.conduct(extras.hear(stage)),
        extra,
        steered,
        collected,
        honesty.conduct(stage, addSelf),
      ]);
    },
  });
  // A run that cannot be kept is not worth its length.
  const whole = extras.during(coordinator.run(AbortSignal.any([signal, writer.failed])));
  const end = await finallyClose(whole, faults, honesty);
  const findings = await honesty.finish(startAtMs);
  await writer.close();
  await writer.writeManifest({
    ...manifest,
    ...(steering.length === 0 ? {} : { steering }),
    ...findings,
    end,
  });
  const run = await readRunFolder(options.folder);
  const verdict = verdictOf(run);
  await writeFile(join(options.folder, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`);
  return { verdict, run };
}

async function finallyClose<T>(work: Promise<T>, faults: FaultSetup, honesty: Honesty): Promise<T> {
  try {
    return await work;
  } finally {
    await honesty.stop();
    await faults.close();
  }
}

async function openExtras(
  { target, adapter, folder, extras = {} }: RunOptions,
  run: Readonly<{ scenario: Scenario; plan: Plan; faults: FaultSetup; onSelf: (self: SelfSample) => void }>,
): Promise<RunExtras> {
  const { scenario, plan, faults, onSelf } = run;
  const setup = { plan, scenario, target, targetForUsers: faults.targetForUsers, adapter, folder, onSelf };
  try {
    return await RunExtras.open(extras, setup);
  } catch (error) {
    await faults.close();
    throw error;
  }
}

const PLANE_OF: Readonly<Record<ActorKind, Plane>> = {
  'flv-viewer': 'video',
  'hls-viewer': 'video',
  'room-member': 'realtime',
  shopper: 'commerce',
};

/** Groups whose plane, or way of watching, the target lacks are skipped, by name: nobody waits for them. */
export function withoutMissingPlanes(scenario: Scenario, target: TargetDescription) {
  const abilities = abilitiesOf(target);
  const isPossible = (group: Group): boolean => {
    const needs = abilityFor(group);
    return target.planes.includes(PLANE_OF[group.actor]) && (needs === null || abilities.includes(needs));
  };
  const kept = Object.entries(scenario.groups).filter(([, group]) => isPossible(group));
  const skippedGroups = Object.keys(scenario.groups).filter((name) => !kept.some(([keptName]) => keptName === name));
  return { scenario: { ...scenario, groups: Object.fromEntries(kept) }, skippedGroups };
}

/** In which way a group watches; null for those who do not. */
function abilityFor(group: Group): VideoAbility | null {
  if (group.actor === 'flv-viewer') return 'flv';
  if (group.actor !== 'hls-viewer') return null;
  return group.options.mode === 'low-latency' ? 'llhls' : 'hls';
}

async function makeManifest(
  options: RunOptions,
  plan: Plan,
  workers: number,
  skippedGroups: readonly string[],
): Promise<Manifest> {
  const { scenario, target } = options;
  const isCoLocated = await isThisHost(target.flvUrl ?? target.hls?.url ?? target.url);
  const groups = Object.entries(scenario.groups).map(([name, { actor, timing }]) => {
    const vus = new Set(plan.vus.filter((vu) => vu.group === name).map(({ slot }) => slot)).size;
    return [name, { actor, executor: timing.executor, vus }] as const;
  });
  const profiles = Object.values(scenario.groups).flatMap((group) =>
    group.actor === 'flv-viewer' || group.actor === 'hls-viewer' ? [group.options.profile] : [],
  );
  return {
    version: 1,
    runId: randomBytes(4).toString('hex'),
    scenario: { name: scenario.name, purpose: scenario.purpose, fullDurationMs: scenario.durationMs },
    groups: Object.fromEntries(groups),
    skippedGroups,
    ...(plan.faults.length === 0 ? {} : { faults: plannedFaults(plan, target, options.processes ?? {}) }),
    playerProfiles: [...new Set(profiles)],
    seed: plan.seed,
    viewers: plan.viewers,
    durationMs: plan.durationMs,
    phases: plan.phases,
    sliceMs: plan.sliceMs,
    isShortened: plan.isShortened,
    isCoLocated,
    target: describeTarget(target),
    workers,
    criteria: scenario.criteria,
    guard: { ...GUARD_DEFAULTS, ...scenario.guard },
    ...(options.calibration === undefined ? {} : { calibration: options.calibration }),
    ...(options.parity === undefined ? {} : { parity: options.parity }),
    clock: clockOfRun(isCoLocated, []),
    fingerprint: takeFingerprint(),
    startedAtWallMs: Date.now(),
    end: null,
  };
}
