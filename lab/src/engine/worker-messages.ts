/** What the coordinator and its worker threads say to each other. */
import type { LabEvent } from '../clients/actor.ts';
import type { FaultStage } from '../faults/recovery-board.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { TargetDescription } from '../target/target.ts';
import type { SelfSample } from './guard.ts';
import type { PlannedVu } from './plan.ts';
import type { Scenario } from './scenario.ts';

/** Handed to a worker when it is made. */
export type WorkerTask = {
  readonly index: number;
  readonly runId: string;
  readonly seed: number;
  readonly vus: readonly PlannedVu[];
  /** The thread lives this long, so that users can come while it runs. */
  readonly durationMs: number;
  readonly groups: Scenario['groups'];
  readonly target: TargetDescription;
  /** Groups that reach it in a way of their own. */
  readonly groupTargets?: Readonly<Record<string, TargetDescription>>;
  /** Module that exports `target`, a TargetAdapter. */
  readonly adapterUrl: string;
  /** Target's wall clock minus this host's. */
  readonly clockOffsetMs: number;
  /** For `openSharedRoom`: one room over all workers. */
  readonly room: SharedArrayBuffer;
};

/** `startAtMs` is monotonic: the same clock for all threads of the process. */
export type CoordinatorMessage =
  | { readonly type: 'start'; readonly startAtMs: number }
  | { readonly type: 'stop' }
  | { readonly type: 'join'; readonly vus: readonly PlannedVu[] }
  | { readonly type: 'leave'; readonly ids: readonly number[] }
  | { readonly type: 'fault'; readonly fault: string; readonly stage: FaultStage; readonly atMs: number };

/** One message per second of the run, and one of each other kind. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'slice';
      /** Second of the run that this slice covers. */
      readonly second: number;
      readonly data: SliceData;
      readonly self: SelfSample;
      readonly events: readonly LabEvent[];
      readonly droppedEvents: number;
    }
  | { readonly type: 'done' };
