/** Up to this many frames per second chat is sent message by message: about a fifth of a core (8 µs a frame). */
const UNBATCHED_FRAMES_PER_SECOND_MAX = 20_000;
/** What batches may cost: about half a core, so that product events and joins still find the loop free. */
const BATCHED_FRAMES_PER_SECOND_MAX = 60_000;
export const BATCH_MS_MIN = 100;
export const BATCH_MS_MAX = 250;
const SLICE_MS = 100;
const SLICES = 10;

/**
 * The least time between two batches of chat to one room. Frames per second decide, not messages: each frame to each member costs a
 * write to the kernel. Demand is what sending one by one would cost over the last second, over all rooms of the process.
 */
export class BatchDelay {
  /** Demand in frames per slice of 100 ms; a ring over one second. */
  readonly #slices = new Float64Array(SLICES);
  #sliceIndex = 0;
  #demandFrames = 0;

  /** A message for `members` connections arrived at `nowMs`. Returns the interval in ms: 0 (send at once), or 100 to 250. */
  arrived(members: number, nowMs: number): number {
    this.#turnTo(Math.floor(nowMs / SLICE_MS));
    const slot = this.#sliceIndex % SLICES;
    this.#slices[slot] = (this.#slices[slot] ?? 0) + members;
    this.#demandFrames += members;
    if (this.#demandFrames <= UNBATCHED_FRAMES_PER_SECOND_MAX) return 0;
    const waitMs = (members * 1000) / BATCHED_FRAMES_PER_SECOND_MAX;
    return Math.min(BATCH_MS_MAX, Math.max(BATCH_MS_MIN, Math.ceil(waitMs)));
  }

  #turnTo(sliceIndex: number): void {
    const passed = Math.min(SLICES, Math.max(0, sliceIndex - this.#sliceIndex));
    for (let step = 1; step <= passed; step += 1) {
      const slot = (sliceIndex - passed + step) % SLICES;
      this.#demandFrames -= this.#slices[slot] ?? 0;
      this.#slices[slot] = 0;
    }
    this.#sliceIndex = Math.max(this.#sliceIndex, sliceIndex);
  }
}
