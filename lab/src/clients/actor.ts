/** What every actor is handed: its place in the plan, the target, where to record, and when to leave. */
import type { PlannedVu } from '../engine/plan.ts';
import type { Random } from '../engine/random.ts';
import type { SharedRoom } from '../engine/shared-room.ts';
import type { FreshPictures } from '../faults/recovery-board.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { TargetAdapter, TargetDescription } from '../target/target.ts';

/** One line in `events.jsonl`: something named that a person may want to look up. */
export type LabEvent = {
  readonly name: string;
  readonly vu: number;
  readonly atMs: number;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
};

/** One virtual user at work. Times are monotonic milliseconds. */
export type ActorContext = {
  readonly vu: PlannedVu;
  /** When this user was planned to start: everything is measured from here, not from when the thread got round to it. */
  readonly intendedStartMs: number;
  readonly intendedStopMs: number;
  /** Start of the run, for stamps in events. */
  readonly runStartMs: number;
  readonly runId: string;
  /** Aborted when the user shall leave; the actor then ends within a second. */
  readonly signal: AbortSignal;
  readonly random: Random;
  readonly recorder: Recorder;
  readonly target: TargetDescription;
  readonly adapter: TargetAdapter;
  readonly room: SharedRoom;
  /** Viewers show it their player a few times per second, so that a fault's recovery can be told. */
  readonly pictures: FreshPictures;
  /** Target's wall clock minus this host's: added before an instant is compared with a stamp of the target. */
  readonly clockOffsetMs: number;
  /** How late this thread's event loop runs now. */
  readonly lagMs: () => number;
  /** A scheduled action ran this late. */
  readonly late: (ms: number) => void;
  readonly event: (name: string, detail?: LabEvent['detail']) => void;
};

/** Address in 10.0.0.0/8 that a user claims to come from; counts only for targets that trust the header. */
export function forwardedAddress(vuId: number): string {
  const host = vuId + 1;
  return `10.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`;
}

/** What a player's requests have in common: the header that Apple's players send, so that a server can tell its viewers apart. */
export function playbackSessionId(runId: string, vuId: number): string {
  return `lab-${runId}-${vuId}`;
}

/** Waits, or returns early when the signal aborts. Returns false when it did. */
export function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((done) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      done(false);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', onAbort);
        done(true);
      },
      Math.max(0, ms),
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
