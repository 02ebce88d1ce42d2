/** Before a run: is the plan within what this machine can measure? */
import { protocolOf } from '../canary/canary-plan.ts';
import type { GuardLimits } from '../engine/guard.ts';
import type { Plan } from '../engine/plan.ts';
import type { Group, Scenario } from '../engine/scenario.ts';
import { VIDEO_ABILITIES, type VideoAbility } from '../verdict/criterion.ts';
import { Calibrator, type StepLength } from './calibrator.ts';
import {
  CAPACITY_PERCENT_MAX,
  type Calibration,
  type CapacityRecord,
  costFrom,
  dearestMix,
  EQUAL_COST,
  type Mix,
  mostVus,
  SAFE_VUS_PER_WORKER,
  usedPercent,
} from './capacity.ts';

/** `auto`: the stored one, else a quick one. */
export type CalibrationMode = 'auto' | 'stored' | 'quick' | 'skip';

export type CheckOptions = {
  readonly plan: Plan;
  readonly groups: Scenario['groups'];
  readonly workers: number;
  readonly guard: GuardLimits;
  readonly mode: CalibrationMode;
  readonly stored: Calibration | null;
  readonly isForced: boolean;
  readonly onProgress: (line: string) => void;
};

/** The answer; `refusal` is one line that says what to do, null when the run may begin. */
export type PlanCheck = { readonly record: CapacityRecord; readonly refusal: string | null };

/** A quick calibration tries a few first: a plan that is far too large needs no try. */
const QUICK_FIRST = 150;
const QUICK_STEP: StepLength = { rampS: 2, settleS: 1, holdS: 2 };
/** What a first step says holds up to about this many times its size. */
const FORETOLD_MAX = 2;

/** Measures for at most ten seconds, and only when nothing is stored and the plan is large enough to ask. */
export async function checkPlan(options: CheckOptions): Promise<PlanCheck> {
  const { plan, groups, workers, mode, stored } = options;
  const most = mostVus(plan);
  const mix = dearestMix(plan, groups, stored === null ? EQUAL_COST : costFrom(stored));
  const isWatched = VIDEO_ABILITIES.some((protocol) => mix[protocol] > 0);
  if (most <= SAFE_VUS_PER_WORKER * workers) {
    return decided(options, 'needless', null, `at most ${most} at once: any machine can measure that`);
  }
  if (mode === 'skip') return decided(options, 'unknown', null, 'skipped');
  if (!isWatched) return decided(options, 'unknown', null, 'nobody watches: only viewers are calibrated');
  const others = othersNote(groups);
  const known = stored === null || mode === 'quick' ? null : usedPercent(mix, stored, workers);
  if (known !== null) return decided(options, 'stored', known, `by the calibration of this machine${others}`);
  if (mode === 'stored') {
    return decided(options, 'unknown', null, 'nothing is stored for this machine and its ways of watching');
  }
  return decided(options, 'quick', await quickPercent(options, mix), `by a quick calibration${others}`);
}

function othersNote(groups: Scenario['groups']): string {
  const others = Object.values(groups).filter((group) => protocolOf(group) === null);
  const actors = [...new Set(others.map(({ actor }) => actor))];
  return actors.length === 0 ? '' : `; not counted: ${actors.join(', ')}`;
}

function decided(
  { isForced, plan }: CheckOptions,
  source: CapacityRecord['source'],
  used: number | null,
  note: string,
): PlanCheck {
  const record = { source, usedPercent: used, limitPercent: CAPACITY_PERCENT_MAX, isForced, note };
  if (used === null || used <= CAPACITY_PERCENT_MAX || isForced) return { record, refusal: null };
  const viewers = Math.max(1, Math.floor((plan.viewers * CAPACITY_PERCENT_MAX) / used));
  return {
    record,
    refusal:
      `the plan needs ${Math.round(used)} % of what this machine can measure, ${CAPACITY_PERCENT_MAX} % are allowed ` +
      `(${note}): at most --viewers ${viewers} here, or more cores; --force runs it all the same, stamped over-capacity`,
  };
}

/**
 * One thread gets its share of the plan at its dearest moment, made so much larger that it may just need all of the thread. Returns the
 * percent that the plan needs; no less than the limit when it breaks.
 */
async function quickPercent({ groups, workers, guard, onProgress }: CheckOptions, mix: Mix): Promise<number> {
  const used = VIDEO_ABILITIES.filter((protocol) => mix[protocol] > 0);
  const scale = 100 / CAPACITY_PERCENT_MAX / workers;
  const wanted = used.reduce((sum, protocol) => sum + Math.ceil(mix[protocol] * scale), 0);
  const countsFor = (total: number): Record<string, number> =>
    Object.fromEntries(
      used.map((protocol) => [protocol, Math.max(1, Math.round((total * mix[protocol] * scale) / wanted))]),
    );
  const calibrator = await Calibrator.open(Object.fromEntries(used.map((one) => [one, groupOf(one, groups)])), guard);
  try {
    const sizes = wanted <= QUICK_FIRST ? [wanted] : [QUICK_FIRST, wanted];
    for (const size of sizes) {
      onProgress(`calibrating: ${size} viewers of this plan on one core against a null server`);
      const step = await calibrator.step(countsFor(size), QUICK_STEP);
      const foretold = (step.viewers * guard.workerCpuPercentMax) / Math.max(1, step.cpuPercent);
      const percent = (100 * (wanted * (CAPACITY_PERCENT_MAX / 100))) / foretold;
      const isHeld = step.breaches.length === 0;
      if (size === wanted)
        return isHeld ? Math.min(percent, CAPACITY_PERCENT_MAX) : Math.max(percent, CAPACITY_PERCENT_MAX + 1);
      if (!isHeld || foretold * FORETOLD_MAX < wanted) return Math.max(percent, CAPACITY_PERCENT_MAX + 1);
    }
    return Number.POSITIVE_INFINITY;
  } finally {
    await calibrator.close();
  }
}

/** The first group of the scenario that watches in this way. */
function groupOf(protocol: VideoAbility, groups: Scenario['groups']): Group {
  const found = Object.values(groups).find((group) => protocolOf(group) === protocol);
  if (found === undefined) throw new RangeError(`nobody watches by ${protocol}`);
  return found;
}
