const INTERVAL_MS_MIN = 500;
const INTERVAL_MS_MAX = 5_000;
/** Keeps all count updates of one room under 10,000 frames per second. */
const INTERVAL_MS_PER_MEMBER = 0.1;

/**
 * Tells a change at once and then at most twice a second (seldomer in very big rooms), always with the last value.
 * `tell` is called with the room; `sizeOf` gives its members. `close` stops the timers.
 */
export class Paced {
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; isDue: boolean }>();
  readonly #tell: (room: string) => void;
  readonly #sizeOf: (room: string) => number;

  constructor(tell: (room: string) => void, sizeOf: (room: string) => number) {
    this.#tell = tell;
    this.#sizeOf = sizeOf;
  }

  changed(room: string): void {
    const waiting = this.#timers.get(room);
    if (waiting === undefined) this.#tellNow(room);
    else waiting.isDue = true;
  }

  close(): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #tellNow(room: string): void {
    this.#tell(room);
    const intervalMs = Math.min(
      INTERVAL_MS_MAX,
      Math.max(INTERVAL_MS_MIN, this.#sizeOf(room) * INTERVAL_MS_PER_MEMBER),
    );
    const timer = setTimeout(() => {
      const isDue = this.#timers.get(room)?.isDue === true;
      this.#timers.delete(room);
      if (isDue) this.#tellNow(room);
    }, intervalMs);
    timer.unref();
    this.#timers.set(room, { timer, isDue: false });
  }
}
