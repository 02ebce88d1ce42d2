/**
 * What a collector saw at one moment: the line format of `samples.jsonl`. Metric keys are the field names of the test
 * strategy's appendix B, and names of the same style for what it asks for elsewhere; `metric-names.ts` has them all.
 */

/** What every line carries. */
type SampleHead = {
  /** When the scrape began, on the clock of the run; in `monitor`: since its start. Before the run: below zero. */
  readonly atMs: number;
  readonly atWallMs: number;
  /** Kind of collector, e.g. `process`, `nginx`, `redis`. */
  readonly collector: string;
  /** Which one of them, e.g. `media-server`: the name given by the user or by the target's adapter. Never a secret. */
  readonly source: string;
  /** Labels of what was looked at, e.g. `pid`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How much later than planned the scrape began. */
  readonly lateMs?: number;
  /** Wall time from the start of the scrape to its figures. */
  readonly tookMs?: number;
};

/** A scrape that brought figures. Only what was really seen is in `metrics`: what cannot be read is left out. */
export type CollectedSample = SampleHead & {
  readonly metrics: Readonly<Record<string, number>>;
  /** Distributions that merge (HdrHistogram V2, compressed, base64), by what was measured. */
  readonly histograms?: Readonly<Record<string, string>>;
};

/** A scrape that brought none: a gap, never zero. */
export type CollectorGap = SampleHead & { readonly error: string };

/** One line of `samples.jsonl`. */
export type SampleLine = CollectedSample | CollectorGap;

/** Whether the scrape brought figures. */
export function isCollected(line: SampleLine): line is CollectedSample {
  return 'metrics' in line;
}
