/**
 * Where actors write. A series is interned once, when an actor starts; recording a value is then one call without
 * allocation. Nothing is kept but the current second.
 */
import { LatencyHistogram } from './latency-histogram.ts';
import { seriesKey, type Tags } from './series-key.ts';
import type { SliceData } from './slice.ts';

/** A distribution in milliseconds. Values below zero are counted as `latency_negative_total`, not recorded. */
export type Trend = { readonly record: (valueMs: number) => void };
/** A sum that starts at 0 in every slice. */
export type Counter = { readonly add: (amount?: number) => void };
/** A level that stays until it is changed. */
export type Gauge = { readonly add: (amount: number) => void };

/** More series than this means that a tag holds ids; further ones are refused, loudly. */
export const SERIES_MAX = 2000;

/** Counts the samples of a trend, named by the tag `metric`, that lay below zero: two clocks disagree. */
export const NEGATIVE_METRIC = 'latency_negative_total';

/** Thrown when a scenario or actor makes series without end. */
export class SeriesLimitError extends Error {
  override readonly name = 'SeriesLimitError';
}

/** One per worker thread. */
export class Recorder {
  readonly #trends = new Map<string, LatencyHistogram>();
  readonly #counters = new Map<string, { sum: number }>();
  readonly #gauges = new Map<string, { level: number }>();
  readonly #flushers = new Set<() => void>();

  /** The series exists from now on, even without a value: a counter that stayed 0 is data, an unknown one is not. */
  trend(metric: string, tags: Tags): Trend {
    const histogram = this.#intern(this.#trends, metric, tags, () => new LatencyHistogram());
    return {
      record: (valueMs) => {
        if (!histogram.record(valueMs)) this.counter(NEGATIVE_METRIC, { ...tags, metric }).add();
      },
    };
  }

  counter(metric: string, tags: Tags): Counter {
    const cell = this.#intern(this.#counters, metric, tags, () => ({ sum: 0 }));
    return {
      add: (amount = 1) => {
        cell.sum += amount;
      },
    };
  }

  gauge(metric: string, tags: Tags): Gauge {
    const cell = this.#intern(this.#gauges, metric, tags, () => ({ level: 0 }));
    return {
      add: (amount) => {
        cell.level += amount;
      },
    };
  }

  /** Calls `flush` right before each slice is taken, so that running sessions can hand in what they have so far. */
  onFlush(flush: () => void): () => void {
    this.#flushers.add(flush);
    return () => this.#flushers.delete(flush);
  }

  /** The finished slice; everything but gauges starts again at nothing. */
  takeSlice(): SliceData {
    for (const flush of this.#flushers) flush();
    const trends: Record<string, string> = {};
    for (const [key, histogram] of this.#trends) {
      if (histogram.count === 0) continue;
      trends[key] = histogram.encode();
      histogram.reset();
    }
    const counters: Record<string, number> = {};
    for (const [key, cell] of this.#counters) {
      counters[key] = cell.sum;
      cell.sum = 0;
    }
    const gauges = Object.fromEntries([...this.#gauges].map(([key, cell]) => [key, cell.level]));
    return { trends, counters, gauges };
  }

  #intern<T>(map: Map<string, T>, metric: string, tags: Tags, create: () => T): T {
    const key = seriesKey(metric, tags);
    const known = map.get(key);
    if (known !== undefined) return known;
    const total = this.#trends.size + this.#counters.size + this.#gauges.size;
    if (total >= SERIES_MAX) throw new SeriesLimitError(`more than ${SERIES_MAX} series; ${key} is one too many`);
    const created = create();
    map.set(key, created);
    return created;
  }
}
