/** Of the time a batch takes to write to everyone, this much more must pass before the next: joins and products come between. */
const WRITING_SHARE = 1.5;

export type RoomBatchesOptions<T> = {
  /** Least time between two batches, in ms; 0 sends at once. Asked once per entry. */
  readonly delayMs: () => number;
  /** Writes one batch, in order; never empty. */
  readonly write: (batch: readonly T[]) => void;
};

/** What waits to be written to a room: at once while the room is small, in batches as frames per second approach capacity. */
export class RoomBatches<T> {
  readonly #options: RoomBatchesOptions<T>;
  #pending: T[] = [];
  #timer: NodeJS.Timeout | null = null;
  #flushedAtMs = 0;
  #writingMs = 0;

  constructor(options: RoomBatchesOptions<T>) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  push(entry: T): void {
    this.#pending.push(entry);
    const intervalMs = this.#options.delayMs();
    if (intervalMs > 0) {
      // From the start of the last batch, so that the time it takes to write is not added to the wait.
      const dueAtMs = this.#flushedAtMs + Math.max(intervalMs, this.#writingMs * WRITING_SHARE);
      this.#timer ??= setTimeout(() => this.flush(), Math.max(0, dueAtMs - performance.now()));
    } else if (this.#pending.length === 1) {
      // At once, but together with the others that the same write settled: they arrive in this turn of the loop.
      queueMicrotask(() => this.flush());
    }
  }

  /** Writes what waits, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#flushedAtMs = performance.now();
    this.#options.write(batch);
    this.#writingMs = performance.now() - this.#flushedAtMs;
  }
}
