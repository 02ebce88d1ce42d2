/**
 * What each scenario of the strategy is judged by: every target of section 1, every pass criterion of section 2.2 and the
 * lines of section 5 that name it. A part that the target lacks is not applicable.
 */
import type { Criterion } from '../../src/index.ts';
import { HLS_CRITERIA, LLHLS_CRITERIA } from './hls.ts';
import { DRAIN_CRITERIA, SOAK_RESOURCE_CRITERIA, SPIKE_RETURN_CRITERIA } from './resource-trends.ts';
import { RESOURCE_CRITERIA, STORE_CRITERIA } from './resources.ts';
import { ROOM_CRITERIA } from './room.ts';
import { SHOP_CRITERIA } from './shop.ts';
import { FLV_CRITERIA } from './video.ts';
import {
  ALL_VIEWERS_CRITERIA,
  DRIFT_CRITERIA,
  GENERATOR_CRITERIA,
  HOLD_CRITERIA,
  RAMP_UP_CRITERIA,
} from './viewers.ts';

/** Everything a viewer sees, by every way of watching. */
export const PLAYBACK_CRITERIA: readonly Criterion[] = [
  ...FLV_CRITERIA,
  ...HLS_CRITERIA,
  ...LLHLS_CRITERIA,
  ...ALL_VIEWERS_CRITERIA,
];

/** Room, shop and the machines beside them. */
const AROUND: readonly Criterion[] = [...ROOM_CRITERIA, ...SHOP_CRITERIA, ...RESOURCE_CRITERIA, ...STORE_CRITERIA];

/** Section 1: every target, for runs that hold a crowd. */
export const KPI_CRITERIA: readonly Criterion[] = [...PLAYBACK_CRITERIA, ...AROUND];

/** 2.2, scenario 1: the targets in the hold, no failure on the way up, a clean drain. Half a percent of stalls (T-17, Readings 3). */
export const RAMP_CRITERIA: readonly Criterion[] = [
  ...stallsBelow(0.5, KPI_CRITERIA),
  ...HOLD_CRITERIA,
  ...RAMP_UP_CRITERIA,
  ...DRAIN_CRITERIA,
];

/** 2.2, scenario 2: no 5xx, first picture below 5 s for both ways (Readings 15), resources back two minutes after the drop. */
export const SPIKE_CRITERIA: readonly Criterion[] = [
  ...startupBelow(5000, KPI_CRITERIA),
  ...SPIKE_RETURN_CRITERIA,
  ...DRAIN_CRITERIA,
];

/** 2.2, scenario 3: flat for six hours. CPU is judged by its average there (Readings 16). */
export const SOAK_CRITERIA: readonly Criterion[] = [
  ...PLAYBACK_CRITERIA,
  ...ROOM_CRITERIA,
  ...SHOP_CRITERIA,
  ...RESOURCE_CRITERIA.filter(({ id }) => id !== 'cpu-max' && id !== 'swap'),
  ...STORE_CRITERIA,
  ...SOAK_RESOURCE_CRITERIA,
  ...DRIFT_CRITERIA,
  ...HOLD_CRITERIA,
  ...GENERATOR_CRITERIA,
];

/** The share of stalled time in every way of watching, lowered to `limit` percent. */
export function stallsBelow(limit: number, criteria: readonly Criterion[]): readonly Criterion[] {
  return criteria.map((one) => (one.id.endsWith('rebuffer-ratio') ? { ...one, limit } : one));
}

/** In a spike the time to the first picture has one limit for every way of watching (2.2 S2, T-69). */
function startupBelow(limitMs: number, criteria: readonly Criterion[]): readonly Criterion[] {
  return criteria.map((one) =>
    one.id.endsWith('startup-p95') ? { ...one, op: '<', limit: limitMs, source: '2.2 S2 (T-69), Readings 15' } : one,
  );
}
