/** A criterion: what to measure, the limit, and where the demand comes from. Data; judged by `judge.ts`. */
import type { Tags } from '../metrics/series-key.ts';

/** What a target can have. A criterion on a plane that the target lacks is "not applicable", never green. */
export const PLANES = ['video', 'realtime', 'commerce'] as const;
/** One of {@link PLANES}. */
export type Plane = (typeof PLANES)[number];

/** In which ways video can be watched. A criterion that needs one which the target lacks is "not applicable", never green. */
export const VIDEO_ABILITIES = ['flv', 'hls', 'llhls'] as const;
/** One of {@link VIDEO_ABILITIES}. */
export type VideoAbility = (typeof VIDEO_ABILITIES)[number];

/** What is measured. Ratios are sums divided by sums; percentiles come from merged histograms. */
export type Measure =
  | { readonly kind: 'percentile'; readonly metric: string; readonly percentile: number; readonly where?: Tags }
  | {
      readonly kind: 'ratio';
      readonly numerator: string;
      readonly denominator: string;
      readonly where?: Tags;
    }
  /** A sum that may only be judged when `outOf` (of the same tags) happened at least once: nothing tried, nothing shown. */
  | { readonly kind: 'count'; readonly metric: string; readonly outOf: string; readonly where?: Tags };

/** How values of this criterion are written for people. */
export type Unit = 'ms' | 'percent' | 'count';

/** One limit. A measured value passes when `value op limit` holds. */
export type Criterion = {
  readonly id: string;
  readonly title: string;
  /** What the number means, in one sentence for people. */
  readonly meaning: string;
  /** Requirement rows and sections that ask for it. */
  readonly source: string;
  readonly plane: Plane;
  /** On the video plane: only for targets that can be watched in this way. */
  readonly needs?: VideoAbility;
  /** A failed advisory is printed and leaves the verdict alone. */
  readonly isMandatory: boolean;
  readonly measure: Measure;
  readonly op: '<' | '<=' | '>' | '>=';
  /** In the unit; ratios in percent. */
  readonly limit: number;
  readonly unit: Unit;
  /** `run`: everything (joins happen while it ramps up); `steady`: when everybody is there. */
  readonly during: 'run' | 'steady';
  /** Compares wall clocks of two hosts: without a known error bound, or with one over 10 % of the value, inconclusive. */
  readonly needsClock?: boolean;
  /** Fewer samples than this: inconclusive. */
  readonly samplesMin: number;
};
