/**
 * Lets few disk operations run at once. Node has four threads for files and name lookups together: a disk that hangs may hold
 * some of them, never all, or the publish hook would hang with it.
 */
export const WRITE_LANES_MAX = 2;

/** A queue of operations in order of arrival. Bounded by its users: each has one operation under way. */
export class WriteLanes {
  readonly #lanesMax: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(lanesMax: number = WRITE_LANES_MAX) {
    this.#lanesMax = lanesMax;
  }

  /** Runs `operation` as soon as a lane is free. Rejects with it. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#lanesMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy += 1;
    try {
      return await operation();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next(); // hands the lane on
    }
  }
}
