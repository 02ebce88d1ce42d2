/** Many values over time become one, without keeping them. Percentiles come from a histogram (0.1 % error). */
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { Reduce } from '../verdict/criterion.ts';

/** The ways that need no look at the whole. */
export const LIVE_REDUCES = ['max', 'min', 'mean', 'last', 'sum', 'p95', 'p99'] as const;
/** One of {@link LIVE_REDUCES}. */
export type LiveReduce = (typeof LIVE_REDUCES)[number];

/** Whether it can be told while values still come. */
export function isLiveReduce(reduce: Reduce): reduce is LiveReduce {
  return (LIVE_REDUCES as readonly string[]).includes(reduce);
}

/** One series of values. */
export class RunningReduce {
  readonly #reduce: LiveReduce;
  readonly #histogram: LatencyHistogram | null;
  #count = 0;
  #value = Number.NaN;

  constructor(reduce: LiveReduce) {
    this.#reduce = reduce;
    this.#histogram = reduce === 'p95' || reduce === 'p99' ? new LatencyHistogram() : null;
  }

  add(value: number): void {
    this.#histogram?.record(value);
    this.#value = this.#count === 0 ? value : this.#next(value);
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** NaN without values. */
  get value(): number {
    if (this.#histogram !== null) return this.#histogram.percentileMs(this.#reduce === 'p99' ? 99 : 95);
    return this.#reduce === 'mean' ? this.#value / this.#count : this.#value;
  }

  #next(value: number): number {
    if (this.#reduce === 'max') return Math.max(this.#value, value);
    if (this.#reduce === 'min') return Math.min(this.#value, value);
    return this.#reduce === 'last' ? value : this.#value + value;
  }
}
