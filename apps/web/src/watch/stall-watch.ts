import { STALL_NEWER_MS_MIN, STALL_PROGRESS_MS_MIN } from './player-settings.ts';

/** Seconds of standing still that are borne. `ticksMaxWhileNewer`: when newer media came meanwhile, so the player is stuck. */
export type StallLimits = { readonly ticksMax: number; readonly ticksMaxWhileNewer: number };

/** Where a player is and how far its media reach; `edgeMs` null: not known. */
export type Progress = { readonly playerMs: number; readonly edgeMs: number | null };

/**
 * Counts seconds without progress of a player that should be playing. One owner calls `tick` once a second; waiting,
 * paused, hidden or interrupted play is no stall.
 */
export class StallWatch {
  #lastMs: number | null = null;
  #ticks = 0;
  #edgeAtStopMs: number | null = null;

  /** Returns true when the player stood still for longer than its limits allow: load again. */
  tick({ playerMs, edgeMs }: Progress, shouldProgress: boolean, limits: StallLimits): boolean {
    const lastMs = this.#lastMs;
    this.#lastMs = playerMs;
    if (!shouldProgress || lastMs === null || Math.abs(playerMs - lastMs) >= STALL_PROGRESS_MS_MIN) {
      this.#ticks = 0;
      this.#edgeAtStopMs = edgeMs;
      return false;
    }
    this.#ticks += 1;
    this.#edgeAtStopMs ??= edgeMs;
    const hasNewer = edgeMs !== null && edgeMs - (this.#edgeAtStopMs ?? edgeMs) >= STALL_NEWER_MS_MIN;
    if (this.#ticks < (hasNewer ? limits.ticksMaxWhileNewer : limits.ticksMax)) return false;
    this.reset();
    return true;
  }

  /** Forgets what it saw: the player loads again. */
  reset(): void {
    this.#lastMs = null;
    this.#ticks = 0;
    this.#edgeAtStopMs = null;
  }
}
