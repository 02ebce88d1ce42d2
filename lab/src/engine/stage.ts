/** What a part of the engine that acts along the timeline of a run (faults, steering) may do to it. */
import type { LabEvent } from '../clients/actor.ts';
import type { FaultStage } from '../faults/recovery-board.ts';
import type { SliceData } from '../metrics/slice.ts';

/** One run. Open until `signal` aborts: the run is over, or interrupted. */
export type Stage = {
  /** Monotonic. */
  readonly startAtMs: number;
  readonly signal: AbortSignal;
  /** A line of `events.jsonl`; `atMs` counts from the start of the run. */
  readonly event: (name: string, atMs: number, detail: LabEvent['detail']) => void;
  /** Adds figures to the second that is going on. */
  readonly record: (data: SliceData) => void;
  /** Tells every worker how far a fault is; `atMs` is monotonic. */
  readonly tellFault: (fault: string, stage: FaultStage, atMs: number) => void;
  /** Lets virtual users of a group come (above 0) or go (below); returns how many really do. */
  readonly steer: (group: string, by: number) => number;
};

/** `vu` of events that no virtual user made. */
export const NO_VU = -1;
