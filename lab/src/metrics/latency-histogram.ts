/**
 * Distributions are HdrHistograms (https://github.com/HdrHistogram/HdrHistogramJS): they merge without loss, so a
 * percentile over workers, seconds or phases is one of the merged counts, never an average of percentiles.
 */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

const MICROSECONDS_MAX = 3_600_000_000; // one hour
const SIGNIFICANT_DIGITS = 3; // 0.1 % value error

/** Values in milliseconds, kept as whole microseconds up to one hour; larger ones count as one hour. */
export class LatencyHistogram {
  readonly #histogram: Histogram;

  constructor(histogram?: Histogram) {
    this.#histogram =
      histogram ??
      build({
        bitBucketSize: 32,
        lowestDiscernibleValue: 1,
        highestTrackableValue: MICROSECONDS_MAX,
        numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
        useWebAssembly: false,
      });
  }

  /** Reads what {@link encode} wrote (HdrHistogram V2, compressed, base64). Throws when it is damaged. */
  static decode(text: string): LatencyHistogram {
    return new LatencyHistogram(decodeFromCompressedBase64(text, 32, false));
  }

  /** Records one value. Returns false, and records nothing, when it is below zero: no time passes backwards. */
  record(valueMs: number): boolean {
    if (!(valueMs >= 0)) return false;
    this.#histogram.recordValue(Math.min(MICROSECONDS_MAX, Math.round(valueMs * 1000)));
    return true;
  }

  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  reset(): void {
    this.#histogram.reset();
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** NaN without samples: no data is never a number. */
  percentileMs(percentile: number): number {
    return this.count === 0 ? Number.NaN : this.#histogram.getValueAtPercentile(percentile) / 1000;
  }

  /** How many values are higher than this. */
  countAbove(valueMs: number): number {
    let [low, high] = [0, this.count]; // so many values are known to be at most `valueMs`; more than `high` are not
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.percentileMs((100 * (middle - 0.5)) / this.count) <= valueMs) low = middle;
      else high = middle - 1;
    }
    return this.count - low;
  }

  /** Upper end of the highest bucket in use: the same after any merge. */
  get maxMs(): number {
    return this.percentileMs(100);
  }

  get meanMs(): number {
    return this.count === 0 ? Number.NaN : this.#histogram.mean / 1000;
  }
}
