/** Results of one slice of time: what workers send each second, what the run folder keeps. */
import { LatencyHistogram } from './latency-histogram.ts';

/** Histograms as text (HdrHistogram V2), counters as sums within the slice, gauges as the last value. */
export type SliceData = {
  readonly trends: Readonly<Record<string, string>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
};

/** Merges slices of the same second from several workers, or of several seconds. */
export class SliceMerger {
  readonly #trends = new Map<string, LatencyHistogram>();
  readonly #counters = new Map<string, number>();
  readonly #gauges = new Map<string, number>();

  /** Gauges of workers add up; those of later seconds replace earlier ones. */
  add(data: SliceData, gauges: 'sum' | 'replace' = 'sum'): void {
    for (const [key, text] of Object.entries(data.trends)) {
      const histogram = LatencyHistogram.decode(text);
      const known = this.#trends.get(key);
      if (known === undefined) this.#trends.set(key, histogram);
      else known.add(histogram);
    }
    for (const [key, value] of Object.entries(data.counters)) {
      this.#counters.set(key, (this.#counters.get(key) ?? 0) + value);
    }
    for (const [key, value] of Object.entries(data.gauges)) {
      this.#gauges.set(key, (gauges === 'sum' ? (this.#gauges.get(key) ?? 0) : 0) + value);
    }
  }

  get trends(): ReadonlyMap<string, LatencyHistogram> {
    return this.#trends;
  }

  get counters(): ReadonlyMap<string, number> {
    return this.#counters;
  }

  toData(): SliceData {
    return {
      trends: Object.fromEntries([...this.#trends].map(([key, histogram]) => [key, histogram.encode()])),
      counters: Object.fromEntries(this.#counters),
      gauges: Object.fromEntries(this.#gauges),
    };
  }
}
