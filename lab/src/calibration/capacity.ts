/** What this machine can do, and how much of it a plan needs. Pure. */
import { protocolOf } from '../canary/canary-plan.ts';
import type { Plan } from '../engine/plan.ts';
import type { Scenario } from '../engine/scenario.ts';
import { VIDEO_ABILITIES, type VideoAbility } from '../verdict/criterion.ts';

/** Plans may need this much of what was found; the rest is for what a null server does not ask of a generator. */
export const CAPACITY_PERCENT_MAX = 70;

/**
 * Plans that never have more virtual users at once than this on one worker thread need no calibration: the dearest viewer (LL-HLS)
 * must do 300 on one core of a slow server, so that 50 are under 70 % even of a core four times slower. The guard watches them all the same.
 */
export const SAFE_VUS_PER_WORKER = 50;

/** Of one way of watching. */
export type ProtocolCapacity = {
  readonly viewersPerCore: number;
  /** The search ended before the generator did: at its highest step, or because the null server could not go on. */
  readonly isLowerBound: boolean;
  /** Guard limits that ended it, or `null server`. */
  readonly limitedBy: readonly string[];
  /** What the same viewers measure with nothing in the way: no latency below this can be told. */
  readonly floorMs: { readonly timeToFirstByteP50: number | null; readonly timerLatenessP99: number };
};

/** `calibrate` found this. */
export type Calibration = {
  readonly version: 1;
  readonly machine: string;
  readonly lab: string;
  readonly atWallMs: number;
  readonly cores: number;
  readonly capacities: Partial<Readonly<Record<VideoAbility, ProtocolCapacity>>>;
};

/** What the manifest keeps of it. */
export type CapacityRecord = {
  /** `needless`: too small to ask. `unknown`: skipped, or nothing in the plan is calibrated. */
  readonly source: 'needless' | 'stored' | 'quick' | 'unknown';
  /** At the worst moment of the plan; null where it is not known. */
  readonly usedPercent: number | null;
  readonly limitPercent: number;
  readonly isForced: boolean;
  readonly note: string;
};

/** Viewers of each way of watching at one moment. */
export type Mix = Readonly<Record<VideoAbility, number>>;

const NOBODY: Mix = { flv: 0, hls: 0, llhls: 0 };

/** The most virtual users that are there at once, actors of every kind. */
export function mostVus(plan: Pick<Plan, 'vus'>): number {
  let [count, most] = [0, 0];
  for (const { by } of changesOf(plan)) {
    count += by;
    most = Math.max(most, count);
  }
  return most;
}

/** The moment that costs most, by `cost` of one viewer of each kind. */
export function dearestMix(plan: Pick<Plan, 'vus'>, groups: Scenario['groups'], cost: Mix): Mix {
  const protocols = new Map(Object.entries(groups).map(([name, group]) => [name, protocolOf(group)]));
  let dearest = NOBODY;
  const now = { ...NOBODY };
  for (const { by, group } of changesOf(plan)) {
    const protocol = protocols.get(group) ?? null;
    if (protocol === null) continue;
    now[protocol] += by;
    if (by > 0 && costOf(now, cost) > costOf(dearest, cost)) dearest = { ...now };
  }
  return dearest;
}

/** Percent of what the workers can do that this mix needs; null when one of its ways of watching was not calibrated. */
export function usedPercent(mix: Mix, { capacities }: Pick<Calibration, 'capacities'>, workers: number): number | null {
  let share = 0;
  for (const protocol of VIDEO_ABILITIES) {
    if (mix[protocol] === 0) continue;
    const capacity = capacities[protocol];
    if (capacity === undefined || capacity.viewersPerCore === 0) return null;
    share += mix[protocol] / capacity.viewersPerCore;
  }
  return (100 * share) / Math.max(1, workers);
}

/** Cost of a viewer of each kind, in shares of a core; those that are not known cost nothing. */
export function costFrom({ capacities }: Pick<Calibration, 'capacities'>): Mix {
  const cost = { ...NOBODY };
  for (const protocol of VIDEO_ABILITIES) {
    const viewers = capacities[protocol]?.viewersPerCore ?? 0;
    cost[protocol] = viewers === 0 ? 0 : 1 / viewers;
  }
  return cost;
}

/** Everybody counts the same: for plans that nothing is known of. */
export const EQUAL_COST: Mix = { flv: 1, hls: 1, llhls: 1 };

function costOf(mix: Mix, cost: Mix): number {
  return VIDEO_ABILITIES.reduce((sum, protocol) => sum + mix[protocol] * cost[protocol], 0);
}

type Change = { readonly atMs: number; readonly by: 1 | -1; readonly group: string };

/** Who leaves at an instant is gone before somebody comes. */
function changesOf({ vus }: Pick<Plan, 'vus'>): Change[] {
  return vus
    .flatMap(({ group, startAtMs, stopAtMs }): Change[] => [
      { atMs: startAtMs, by: 1, group },
      { atMs: stopAtMs, by: -1, group },
    ])
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by);
}
