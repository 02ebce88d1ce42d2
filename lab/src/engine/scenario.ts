/**
 * A scenario is data: who comes, when, what they do, and the limits that the result is judged by. Words are k6's
 * (https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/).
 */
import type { Criterion } from '../verdict/criterion.ts';
import type { GuardLimits } from './guard.ts';

/** What the actors can be; each is one file under `src/clients`. */
export const ACTOR_KINDS = ['flv-viewer', 'room-member', 'shopper'] as const;
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

/** How an `flv-viewer` watches. */
export type FlvViewerOptions = {
  /** Name of a player profile. */
  readonly profile: 'mpegts.js' | 'strict';
  /** Every n-th viewer demuxes whole tags and reads the clock in the picture; the others read tag headers. */
  readonly sampleEvery: number;
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
  readonly timing: ConstantVus | RampingVus;
} & (
  | { readonly actor: 'flv-viewer'; readonly options: FlvViewerOptions }
  | { readonly actor: 'room-member'; readonly options: RoomMemberOptions }
  | { readonly actor: 'shopper'; readonly options: ShopperOptions }
);

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
  /** Limits on the generator itself; default {@link GuardLimits}. */
  readonly guard?: Partial<GuardLimits>;
};
