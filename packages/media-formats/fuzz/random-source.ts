/** Random numbers that a seed repeats exactly: mulberry32. For fuzzing, not for secrets. */
export class RandomSource {
  #state: number;

  /** `seed` is an unsigned 32-bit number. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `end` - 1; 0 when `end` is 0. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return end === 0 ? 0 : ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
