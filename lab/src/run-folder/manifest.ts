/** The run folder's manifest: everything but the measurements. The verdict and the report are made from it alone. */
import type { CapacityRecord } from '../calibration/capacity.ts';
import type { CanaryGroup } from '../canary/canary-plan.ts';
import type { CollectionRecord } from '../collectors/run-collection.ts';
import type { GuardLimits } from '../engine/guard.ts';
import type { Phase } from '../engine/plan.ts';
import type { ScheduledFault } from '../faults/fault.ts';
import type { TargetDescription } from '../target/target.ts';
import type { Criterion } from '../verdict/criterion.ts';

/** Where the run was made; runs with different fingerprints are not compared. */
export type Fingerprint = {
  readonly lab: string;
  readonly node: string;
  readonly platform: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly loadAverage: number;
  readonly openFilesMax: number | null;
  /** Of the first core; null where the kernel does not tell. Absent, as what follows, in runs of earlier versions. */
  readonly governor?: string | null;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Limits of the container that the lab runs in; null without. */
  readonly containerCpus?: number | null;
  readonly containerMemoryBytes?: number | null;
  readonly commit?: string | null;
};

/** A fault as planned for this run. */
export type PlannedFault = ScheduledFault & { readonly skippedBecause: string | null };

/** One change of the number of virtual users while the run went on. Above 0: more. */
export type SteeringRecord = {
  readonly atMs: number;
  readonly group: string;
  readonly wanted: number;
  readonly applied: number;
};

/** `manifest.json`, version 1. Times `…WallMs` are wall clock; all others count from the start of the run. */
export type Manifest = {
  readonly version: 1;
  readonly runId: string;
  readonly scenario: { readonly name: string; readonly purpose: string; readonly fullDurationMs: number };
  readonly groups: Readonly<
    Record<string, { readonly actor: string; readonly executor: string; readonly vus: number }>
  >;
  /** Groups of the scenario that the target has no plane for. */
  readonly skippedGroups: readonly string[];
  /** Faults of the run; `skippedBecause`: why one could not be made. Absent in runs without faults. */
  readonly faults?: readonly PlannedFault[];
  /** What was added and taken away while it ran. A steered run is not the run that was planned; absent in one that was not. */
  readonly steering?: readonly SteeringRecord[];
  /** What was collected (`samples.jsonl`), and how often. Absent in runs of earlier versions. */
  readonly collection?: CollectionRecord;
  readonly playerProfiles: readonly string[];
  readonly seed: number;
  readonly viewers: number;
  readonly durationMs: number;
  readonly phases: readonly Phase[];
  readonly sliceMs: number;
  readonly isShortened: boolean;
  /** Generator and target share a host: never usable for claims about capacity. */
  readonly isCoLocated: boolean;
  readonly target: TargetDescription;
  readonly workers: number;
  readonly criteria: readonly Criterion[];
  readonly guard: GuardLimits;
  /** What the machine can do, and how much of it the plan needs. Absent when nobody asked. */
  readonly calibration?: CapacityRecord;
  /** How the environment was held against a reference; absent when it was not. */
  readonly parity?: {
    readonly reference: string;
    readonly mismatches: readonly string[];
    readonly unknown: readonly string[];
  };
  /** Who is compared with whom; absent in runs without a canary. */
  readonly canary?: readonly CanaryGroup[];
  readonly clock: { readonly boundMs: number | null; readonly note: string };
  readonly fingerprint: Fingerprint;
  readonly startedAtWallMs: number;
  /** Null while the run goes on (or when the lab was killed). */
  readonly end: {
    readonly atWallMs: number;
    readonly elapsedMs: number;
    readonly isInterrupted: boolean;
    readonly workerFailures: readonly string[];
    readonly droppedEvents: number;
  } | null;
};
