/** A criterion: what to measure, the limit, and where the demand comes from. Data; judged by `judge.ts`. */
import type { Tags } from '../metrics/series-key.ts';
import type { GateId } from './gate.ts';

/** What a target can have. A criterion on a plane that the target lacks is "not applicable", never green. */
export const PLANES = ['video', 'realtime', 'commerce'] as const;
/** One of {@link PLANES}. */
export type Plane = (typeof PLANES)[number];

/** In which ways video can be watched. A criterion that needs one which the target lacks is "not applicable", never green. */
export const VIDEO_ABILITIES = ['flv', 'hls', 'llhls'] as const;
/** One of {@link VIDEO_ABILITIES}. */
export type VideoAbility = (typeof VIDEO_ABILITIES)[number];

/**
 * How many values over time become one. `growth-percent`: median of the last tenth over that of the first; `slope-per-hour`: Theil–Sen; `left-over`: the last value
 * of the run over the one before it began.
 */
export type Reduce =
  | 'max'
  | 'min'
  | 'mean'
  | 'p95'
  | 'p99'
  | 'last'
  | 'sum'
  | 'slope-per-hour'
  | 'growth-percent'
  | 'left-over';

/** A stretch of the run in shares of its length, 0 to 1: it moves with `--time-scale`. */
export type RunShare = { readonly from: number; readonly to: number };

/**
 * A figure that a collector read (`samples.jsonl`). Each thing looked at is judged on its own, the worst of them decides:
 * containers are never averaged. A collector that was silent makes it inconclusive.
 */
export type SampleMeasure = {
  readonly kind: 'sample';
  readonly metric: string;
  readonly reduce: Reduce;
  /** Kinds of collectors that may tell; none named: all that have the metric. */
  readonly collectors?: readonly string[];
  readonly source?: string;
  readonly where?: Tags;
  /** Divided by the viewers of the run, or by the cores of the machine that the lab and its collectors run on. */
  readonly per?: 'viewer' | 'core';
};

/** By how many percent a collected figure (its median) is higher afterwards than before; differences up to `slack` are none. */
export type SampleReturnMeasure = {
  readonly kind: 'sample-return';
  readonly metric: string;
  readonly before: RunShare;
  readonly after: RunShare;
  readonly slack: number;
  readonly collectors?: readonly string[];
  readonly source?: string;
  readonly where?: Tags;
};

/** How much higher a figure of the same people is in one stretch of the run than in another: in its own unit, percent points of a share. */
export type ChangeMeasure = {
  readonly kind: 'change';
  readonly of: Extract<Measure, { readonly kind: 'percentile' | 'ratio' }>;
  readonly before: RunShare;
  readonly after: RunShare;
};

/** What is measured. Ratios are sums divided by sums; percentiles come from merged histograms. */
export type Measure =
  | { readonly kind: 'percentile'; readonly metric: string; readonly percentile: number; readonly where?: Tags }
  /** Average of the merged histogram: only where a document asks for an average. */
  | { readonly kind: 'mean'; readonly metric: string; readonly where?: Tags }
  | {
      readonly kind: 'ratio';
      readonly numerator: string;
      readonly denominator: string;
      readonly where?: Tags;
      /**
       * The numerator follows the denominator in time (a picture its attempt, a delivery its message): a part of the
       * run has at its edges what belongs to its neighbours, so only the whole is judged, without a worst minute.
       */
      readonly isFollowing?: boolean;
    }
  /** A sum that may only be judged when `outOf` (of the same tags) happened at least once: nothing tried, nothing shown. */
  | { readonly kind: 'count'; readonly metric: string; readonly outOf: string; readonly where?: Tags }
  /** Events per hundred seconds of a counter of milliseconds: "rebuffer rate" as the strategy writes it. */
  | {
      readonly kind: 'per-hundred-seconds';
      readonly metric: string;
      readonly time: string;
      readonly where?: Tags;
    }
  /** A counter per second. */
  | { readonly kind: 'rate'; readonly metric: string; readonly where?: Tags }
  /** A level over time; with `versus`: how far it is off that one, percent, in either direction. */
  | {
      readonly kind: 'level';
      readonly metric: string;
      readonly reduce: Reduce;
      readonly where?: Tags;
      readonly versus?: { readonly metric: string; readonly where?: Tags };
    }
  /** Theil–Sen slope of a percentile over the phase, in ms per minute: finds slow leaks of delay. */
  | { readonly kind: 'drift'; readonly metric: string; readonly percentile: number; readonly where?: Tags }
  /** What the generator saw of itself each second: a field of the `self` records in `series.jsonl`. */
  | { readonly kind: 'self'; readonly metric: string; readonly reduce: Reduce }
  | ChangeMeasure
  | SampleMeasure
  | SampleReturnMeasure;

/** How values of this criterion are written for people. */
export type Unit = 'ms' | 'percent' | 'count' | 'megabytes' | 'per-second' | 'ms-per-minute' | 'megabytes-per-hour';

/** One limit. A measured value passes when `value op limit` holds. */
export type Criterion = {
  readonly id: string;
  readonly title: string;
  /** What the number means, in one sentence for people. */
  readonly meaning: string;
  /** Requirement rows and sections that ask for it. */
  readonly source: string;
  /** The line of the readiness gate (section 5 of the strategy) that this is evidence for. */
  readonly gate?: GateId;
  readonly plane: Plane;
  /** On the video plane: only for targets that can be watched in this way. */
  readonly needs?: VideoAbility;
  /** Only where such a part of the platform was watched by a collector; without one it is not applicable. */
  readonly needsCollector?: string;
  /** A failed advisory is printed and leaves the verdict alone. */
  readonly isMandatory: boolean;
  readonly measure: Measure;
  readonly op: '<' | '<=' | '>' | '>=';
  /** In the unit; ratios in percent. */
  readonly limit: number;
  readonly unit: Unit;
  /** `run`: everything (joins happen while it ramps up); else that phase. */
  readonly during: 'run' | 'warm-up' | 'steady' | 'drain';
  /** Compares wall clocks of two hosts: without a known error bound, or with one over 10 % of the value, inconclusive. */
  readonly needsClock?: boolean;
  /** Fewer samples than this: inconclusive. What the limit itself demands (`sample-size.ts`) comes on top. */
  readonly samplesMin: number;
  /** A run that is small on purpose: judged from `samplesMin` on; a pass is then no proof, and the run is stamped so. */
  readonly isIndicative?: boolean;
};
