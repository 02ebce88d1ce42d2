/**
 * Counts seconds without progress of a player that should be playing. One owner calls `tick` once a second; waiting,
 * paused, hidden or interrupted play is no stall.
 */
export class StallWatch {
  #lastMs: number | null = null;
  #ticks = 0;

  /** Returns true when the player stood still for STALL_TICKS_MAX ticks: load again. */
  tick(playerMs: number, shouldProgress: boolean): boolean {
    const lastMs = this.#lastMs;
    this.#lastMs = playerMs;
    if (!shouldProgress || lastMs === null || Math.abs(playerMs - lastMs) >= STALL_PROGRESS_MS_MIN) {
      this.#ticks = 0;
      return false;
    }
    this.#ticks += 1;
    if (this.#ticks < STALL_TICKS_MAX) return false;
    this.reset();
    return true;
  }

  /** Forgets what it saw: the player loads again. */
  reset(): void {
    this.#lastMs = null;
    this.#ticks = 0;
  }
}

/** Less progress than this within a second counts as standing still. */
export const STALL_PROGRESS_MS_MIN = 10;
/** HTTP-FLV: five seconds. */
export const STALL_TICKS_MAX = 5;
