import { expect, test } from 'vitest';
import { GUARD_DEFAULTS } from '../engine/guard.ts';
import { makePlan, type Plan } from '../engine/plan.ts';
import type { Scenario } from '../engine/scenario.ts';
import { CALIBRATED_GROUPS } from './calibrator.ts';
import {
  type Calibration,
  costFrom,
  dearestMix,
  EQUAL_COST,
  mostVus,
  type ProtocolCapacity,
  usedPercent,
} from './capacity.ts';
import { type CalibrationMode, checkPlan } from './check-plan.ts';

function scenarioOf(counts: Readonly<Record<'flv' | 'hls' | 'llhls', number>>): Scenario {
  const groups = Object.entries(counts).map(([name, vus]) => {
    const group = CALIBRATED_GROUPS[name as keyof typeof counts];
    return [name, { ...group, timing: { executor: 'constant-vus', vus, arriveOverMs: 0 } }] as const;
  });
  return {
    name: 'crowd',
    purpose: '',
    durationMs: 10_000,
    viewers: Object.values(counts).reduce((sum, count) => sum + count, 0),
    groups: Object.fromEntries(groups) as Scenario['groups'],
    criteria: [],
  };
}

const capacity = (viewersPerCore: number): ProtocolCapacity => ({
  viewersPerCore,
  isLowerBound: false,
  limitedBy: ['worker CPU'],
  floorMs: { timeToFirstByteP50: 1, timerLatenessP99: 2 },
});
const STORED: Calibration = {
  version: 1,
  machine: 'm',
  lab: '0.1.0',
  atWallMs: 0,
  cores: 2,
  capacities: { flv: capacity(2000), hls: capacity(2000), llhls: capacity(500) },
};

async function check(
  counts: Readonly<Record<'flv' | 'hls' | 'llhls', number>>,
  options: { stored?: Calibration | null; mode?: CalibrationMode; isForced?: boolean } = {},
) {
  const scenario = scenarioOf(counts);
  const { record, refusal } = await checkPlan({
    plan: makePlan(scenario, { seed: 1 }),
    groups: scenario.groups,
    workers: 2,
    guard: GUARD_DEFAULTS,
    mode: options.mode ?? 'stored',
    stored: options.stored === undefined ? STORED : options.stored,
    isForced: options.isForced ?? false,
    onProgress: () => {},
  });
  return { source: record.source, used: record.usedPercent, refusal };
}

test('a plan above 70 % of what the machine can measure is refused, in one line that says what to do', async () => {
  // 1000/2000 + 500/500 of a core, on two of them: 75 %.
  const { used, refusal } = await check({ flv: 1000, hls: 0, llhls: 500 });
  expect(used).toBeCloseTo(75);
  expect(refusal).toMatch(/needs 75 % .* 70 % are allowed .* --viewers 1400 here, or more cores; --force/);
  expect(refusal).not.toContain('\n');
  expect(await check({ flv: 1000, hls: 0, llhls: 400 })).toMatchObject({ source: 'stored', refusal: null });
});

test('a plan that is forced runs, and its record says so', async () => {
  expect(await check({ flv: 4000, hls: 0, llhls: 0 }, { isForced: true })).toMatchObject({ used: 100, refusal: null });
});

test('small plans need no calibration; large ones without any are not known', async () => {
  expect(await check({ flv: 60, hls: 20, llhls: 20 }, { stored: null })).toMatchObject({ source: 'needless' });
  expect(await check({ flv: 101, hls: 0, llhls: 0 }, { stored: null })).toMatchObject({ source: 'unknown' });
  expect(await check({ flv: 101, hls: 0, llhls: 0 }, { mode: 'skip' })).toMatchObject({ source: 'unknown' });
});

test('a way of watching that was never measured leaves the whole unknown', () => {
  expect(usedPercent({ flv: 10, hls: 1, llhls: 0 }, { capacities: { flv: capacity(2000) } }, 2)).toBeNull();
});

test('the dearest moment counts, not the fullest', () => {
  const stay = (group: string, startAtMs: number, stopAtMs: number, count: number) =>
    Array.from({ length: count }, () => ({
      group,
      startAtMs,
      stopAtMs,
      actor: 'flv-viewer',
      id: 0,
      slot: 0,
      indexInGroup: 0,
    }));
  const vus = [...stay('flv', 0, 100, 300), ...stay('llhls', 100, 200, 200)] as Plan['vus'];
  const { groups } = scenarioOf({ flv: 1, hls: 0, llhls: 1 });
  expect(mostVus({ vus })).toBe(300);
  expect(dearestMix({ vus }, groups, costFrom(STORED))).toEqual({ flv: 0, hls: 0, llhls: 200 });
  expect(dearestMix({ vus }, groups, EQUAL_COST)).toEqual({ flv: 300, hls: 0, llhls: 0 });
});
