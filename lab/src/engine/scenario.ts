/**
 * A scenario is data: who comes, when, what they do, and the limits that the result is judged by. Words are k6's
 * (https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/).
 */
import type { ScheduledFault } from '../faults/fault.ts';
import type { NetworkFault } from '../faults/network-fault.ts';
import type { Criterion } from '../verdict/criterion.ts';
import type { GuardLimits } from './guard.ts';

/** What the actors can be; each is one file under `src/clients`. */
export const ACTOR_KINDS = ['flv-viewer', 'hls-viewer', 'room-member', 'shopper'] as const;
/** One of {@link ACTOR_KINDS}. */
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** The same number of virtual users from start to end. They arrive, Poisson-like, within the first `arriveOverMs`. */
export type ConstantVus = {
  readonly executor: 'constant-vus';
  readonly vus: number;
  readonly arriveOverMs: number;
};

/** The number follows straight lines from stage to stage; who came last leaves first. */
export type RampingVus = {
  readonly executor: 'ramping-vus';
  readonly startVus: number;
  readonly stages: readonly { readonly durationMs: number; readonly target: number }[];
};

/**
 * How long somebody stays who arrives. Live audiences are heavy-tailed: many look in, some stay for the whole show
 * (Veloso et al., "A hierarchical characterization of a live streaming media workload", 2002: lognormal, sigma 1.4).
 */
export type SessionLength =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'exponential'; readonly meanMs: number }
  | { readonly kind: 'lognormal'; readonly medianMs: number; readonly sigma: number };

/**
 * What both arrival executors share. Everything is allocated before the clock starts, so k6's `maxVUs`, which allocates
 * during the run, has no place here: an arrival that finds none of `preAllocatedVus` free is a dropped iteration.
 */
type Arrivals = {
  /** Rates count per this much time. */
  readonly timeUnitMs: number;
  readonly preAllocatedVus: number;
  /** `even`: like a clock; `poisson`: independent of each other, as a crowd is. */
  readonly spacing: 'even' | 'poisson';
  readonly session: SessionLength;
};

/** `rate` arrivals per `timeUnitMs`, however the target fares (an open model). `--viewers` scales rate and VUs. */
export type ConstantArrivalRate = Arrivals & { readonly executor: 'constant-arrival-rate'; readonly rate: number };

/** The rate follows straight lines from stage to stage. */
export type RampingArrivalRate = Arrivals & {
  readonly executor: 'ramping-arrival-rate';
  readonly startRate: number;
  readonly stages: readonly { readonly durationMs: number; readonly target: number }[];
};

/** How an `flv-viewer` watches. */
export type FlvViewerOptions = {
  /** Name of a player profile. */
  readonly profile: 'mpegts.js' | 'strict';
  /** Every n-th viewer demuxes whole tags and reads the clock in the picture; the others read tag headers. */
  readonly sampleEvery: number;
  /** What goes into the player of every n-th viewer is kept in the run's events, for `replay`. */
  readonly recordEvery?: number;
};

/** How an `hls-viewer` watches. */
export type HlsViewerOptions = {
  /** Name of an HLS profile. */
  readonly profile: 'hls.js' | 'native' | 'strict';
  /** `low-latency`: parts, blocking reloads and (by profile) hints; `classic`: whole segments, lists by the clock. */
  readonly mode: 'classic' | 'low-latency';
  /** Every n-th viewer reads whole fragments (CMAF): timestamps, durations, the clocks in the picture. */
  readonly sampleEvery: number;
  /** See {@link FlvViewerOptions}. */
  readonly recordEvery?: number;
};

/** How a `room-member` behaves. */
export type RoomMemberOptions = {
  /** Mean time between two messages of one member (Poisson); null: reads only. */
  readonly chatEveryMs: number | null;
};

/** How a `shopper` behaves. */
export type ShopperOptions = {
  /** Mean time between two visits of one shopper (Poisson). */
  readonly visitEveryMs: number;
  /** Share of visits, 0 to 1, that take the product back out of the cart instead of paying. */
  readonly abandonShare: number;
};

/** One group of actors. Its name becomes the tag `group` of every series it writes. */
export type Group = {
  readonly timing: ConstantVus | RampingVus | ConstantArrivalRate | RampingArrivalRate;
  /** What the network of this group's viewers is like for the whole run, e.g. a bandwidth; absent: as it is. */
  readonly network?: readonly NetworkFault[];
} & (
  | { readonly actor: 'flv-viewer'; readonly options: FlvViewerOptions }
  | { readonly actor: 'hls-viewer'; readonly options: HlsViewerOptions }
  | { readonly actor: 'room-member'; readonly options: RoomMemberOptions }
  | { readonly actor: 'shopper'; readonly options: ShopperOptions }
);

/** How a search for the breaking point goes. Sizes are viewers. */
export type EscalationPlan = {
  /** Climbed in this order; beyond the last one each step is half as large again. */
  readonly levels: readonly number[];
  /** No step is larger. */
  readonly viewersMax: number;
  /** The search is over when the failing size is at most this much above the passing one, percent. */
  readonly resolutionPercent: number;
  /** Runs at each side of the knee. */
  readonly kneeRuns: number;
  /** What the report gives a margin over (5.3). */
  readonly goalViewers: number;
};

/** A whole scenario at full length and size. */
export type Scenario = {
  readonly name: string;
  /** One sentence for people. */
  readonly purpose: string;
  /** Full length. `--duration` and `--time-scale` shorten it; a shortened run is stamped so. */
  readonly durationMs: number;
  /** The size that `--viewers` is measured against: every group grows and shrinks with it. A smaller run is stamped too. */
  readonly viewers: number;
  readonly groups: Readonly<Record<string, Group>>;
  readonly criteria: readonly Criterion[];
  /** What goes wrong, and when. */
  readonly faults?: readonly ScheduledFault[];
  /** Streams that the lab publishes itself (`--seller`, `--rtmp`), at full size; viewers are dealt out over them. */
  readonly publishers?: { readonly streams: number };
  /** The scenario is one step of a search for the size at which the target breaks. */
  readonly escalation?: EscalationPlan;
  /** Limits on the generator itself; default {@link GuardLimits}. */
  readonly guard?: Partial<GuardLimits>;
};
