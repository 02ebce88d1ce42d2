/** Two answers of one endpoint, one after the other: sums now, growth of counters, quantiles of what came in between. */
import type { Exposition, ExpositionSample } from './prometheus-text.ts';

/** Which samples of a family. */
export type LabelMatch = Readonly<Record<string, string | RegExp>>;

/** What one scrape shows, with the one before it for "since the last scrape". */
export class ExpositionWindow {
  readonly #now: Exposition;
  readonly #earlier: ReadonlyMap<string, number> | null;
  /** Between the two; NaN at the first. */
  readonly seconds: number;

  constructor(now: Exposition, earlier: Exposition | null, seconds: number) {
    this.#now = now;
    this.#earlier = earlier === null ? null : new Map(earlier.samples.map((sample) => [keyOf(sample), sample.value]));
    this.seconds = seconds;
  }

  /** Sum over all matching samples; undefined without one. */
  sum(name: string, match: LabelMatch = {}): number | undefined {
    return total(this.#matching(name, match).map(({ value }) => value));
  }

  /**
   * What a counter grew by since the last scrape; undefined at the first. After a restart the counter began at zero
   * again: what it shows is what it grew by. A counter without samples yet has not grown.
   */
  growth(name: string, match: LabelMatch = {}): number | undefined {
    const earlier = this.#earlier;
    if (earlier === null) return undefined;
    const samples = this.#matching(name, match);
    if (samples.length === 0) return this.#now.types.has(name) ? 0 : undefined;
    return total(samples.map((sample) => grown(sample.value, earlier.get(keyOf(sample)) ?? 0)));
  }

  /** {@link growth} per second. */
  rate(name: string, match: LabelMatch = {}): number | undefined {
    const growth = this.growth(name, match);
    return growth === undefined ? undefined : growth / this.seconds;
  }

  /**
   * Quantile (0 to 1) of a histogram's values since the last scrape, linear within its bucket as Prometheus has it; in the
   * last bucket, its lower end. Undefined without values.
   */
  quantile(family: string, quantile: number, match: LabelMatch = {}): number | undefined {
    const buckets = this.#bucketGrowth(family, match);
    const count = buckets.at(-1)?.count ?? 0;
    if (count === 0) return undefined;
    const rank = quantile * count;
    const index = buckets.findIndex((bucket) => bucket.count >= rank);
    const bucket = buckets[index];
    const below = buckets[index - 1] ?? { upTo: 0, count: 0 };
    if (bucket === undefined || bucket.upTo === Number.POSITIVE_INFINITY) return below.upTo;
    return below.upTo + (bucket.upTo - below.upTo) * ((rank - below.count) / (bucket.count - below.count));
  }

  #bucketGrowth(family: string, match: LabelMatch): { upTo: number; count: number }[] {
    const earlier = this.#earlier;
    if (earlier === null) return [];
    const counts = new Map<number, number>();
    for (const sample of this.#matching(`${family}_bucket`, match)) {
      const upTo = sample.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels.le);
      counts.set(upTo, (counts.get(upTo) ?? 0) + grown(sample.value, earlier.get(keyOf(sample)) ?? 0));
    }
    return [...counts].map(([upTo, count]) => ({ upTo, count })).sort((a, b) => a.upTo - b.upTo);
  }

  #matching(name: string, match: LabelMatch): ExpositionSample[] {
    const wanted = Object.entries(match);
    return this.#now.samples.filter(
      (sample) => sample.name === name && wanted.every(([label, value]) => isMatch(sample.labels[label], value)),
    );
  }
}

function isMatch(value: string | undefined, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? value === wanted : wanted.test(value ?? '');
}

function grown(now: number, before: number): number {
  return now >= before ? now - before : now;
}

function total(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function keyOf({ name, labels }: ExpositionSample): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
