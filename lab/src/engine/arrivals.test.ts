import { describe, expect, test } from 'vitest';
import { ARRIVALS_MAX, arrivalTimes, drawStayMs, meanStayMs, PlanError, seatArrivals } from './arrivals.ts';
import { makePlan, type Plan, vusOfWorker } from './plan.ts';
import { createRandom } from './random.ts';
import type { ConstantArrivalRate, Group, RampingArrivalRate, Scenario, SessionLength } from './scenario.ts';

const CROWD: ConstantArrivalRate = {
  executor: 'constant-arrival-rate',
  rate: 10,
  timeUnitMs: 1000,
  preAllocatedVus: 200,
  spacing: 'poisson',
  session: { kind: 'exponential', meanMs: 5000 },
};
const RAMP: RampingArrivalRate = {
  ...CROWD,
  executor: 'ramping-arrival-rate',
  startRate: 0,
  stages: [
    { durationMs: 20_000, target: 10 },
    { durationMs: 30_000, target: 10 },
    { durationMs: 10_000, target: 0 },
  ],
};

function scenario(timing: Group['timing']): Scenario {
  const viewers: Group = { actor: 'flv-viewer', options: { profile: 'strict', sampleEvery: 1 }, timing };
  return { name: 's', purpose: '', durationMs: 60_000, viewers: 20, groups: { viewers }, criteria: [] };
}

const arrivals = (plan: Plan): number[] =>
  [...plan.vus.map(({ startAtMs }) => startAtMs), ...plan.dropped.map(({ atMs }) => atMs)].sort((a, b) => a - b);
const activeAt = ({ vus }: Plan, atMs: number): number =>
  vus.filter((vu) => vu.startAtMs <= atMs && atMs < vu.stopAtMs).length;

describe('arrival rates', () => {
  test('evenly spaced arrivals come like a clock; ten per second for a minute are six hundred', () => {
    const plan = makePlan(scenario({ ...CROWD, spacing: 'even' }), { seed: 1 });
    expect(arrivals(plan).slice(0, 4)).toEqual([0, 100, 200, 300]);
    expect(arrivals(plan)).toHaveLength(600);
  });

  test('Poisson arrivals have the same rate, and gaps that vary as much as their mean', () => {
    const times = arrivalTimes([{ lengthMs: 1_000_000, fromRate: 0.01, toRate: 0.01 }], 'poisson', createRandom(4));
    expect(Math.abs(times.length - 10_000)).toBeLessThan(3 * Math.sqrt(10_000));
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  });

  test('a ramp follows the line: a quarter of its arrivals come in its first half', () => {
    const times = arrivals(makePlan(scenario({ ...RAMP, spacing: 'even' }), { seed: 1 }));
    const between = (fromMs: number, toMs: number) => times.filter((atMs) => fromMs <= atMs && atMs < toMs).length;
    expect([between(0, 10_000), between(10_000, 20_000), between(20_000, 50_000), between(50_000, 60_000)]).toEqual([
      25, 75, 300, 50,
    ]);
  });

  test('the same seed gives the same plan, another one another', () => {
    const plan = makePlan(scenario(CROWD), { seed: 7 });
    expect(makePlan(scenario(CROWD), { seed: 7 })).toEqual(plan);
    expect(arrivals(makePlan(scenario(CROWD), { seed: 8 }))).not.toEqual(arrivals(plan));
  });

  test('as many are there as rate times stay (Little), and steady begins when that is reached', () => {
    const plan = makePlan(scenario(CROWD), { seed: 3 });
    const counts = Array.from({ length: 40 }, (_, second) => activeAt(plan, 15_000 + second * 1000));
    expect(counts.reduce((sum, count) => sum + count, 0) / counts.length).toBeGreaterThan(42);
    expect(counts.reduce((sum, count) => sum + count, 0) / counts.length).toBeLessThan(58);
    expect(plan.phases).toEqual([
      { name: 'warm-up', fromMs: 0, toMs: 5000 },
      { name: 'steady', fromMs: 5000, toMs: 60_000 },
    ]);
    const steady = makePlan(scenario(RAMP), { seed: 3 }).phases.find(({ name }) => name === 'steady');
    expect(steady).toMatchObject({ fromMs: 25_000, toMs: 50_000 });
  });

  test('size scales rate and virtual users; a shorter run shrinks stages, not the stays', () => {
    const small = makePlan(scenario({ ...RAMP, spacing: 'even' }), { seed: 1, viewers: 10 });
    expect([small.isShortened, arrivals(small).length]).toEqual([true, 225]);
    const short = makePlan(scenario({ ...RAMP, spacing: 'even' }), { seed: 1, timeScale: 0.5 });
    expect([arrivals(short).length, short.durationMs]).toEqual([225, 30_000]);
  });
});

describe('slots', () => {
  test('an arrival that finds no free virtual user is dropped, in its second, and nobody else changes', () => {
    const session: SessionLength = { kind: 'constant', ms: 2500 };
    const plan = makePlan(scenario({ ...CROWD, rate: 1, spacing: 'even', preAllocatedVus: 2, session }), { seed: 1 });
    expect(plan.vus.slice(0, 4).map(({ slot, startAtMs, stopAtMs }) => [slot, startAtMs, stopAtMs])).toEqual([
      [0, 0, 2500],
      [1, 1000, 3500],
      [0, 3000, 5500],
      [1, 4000, 6500],
    ]);
    expect(plan.dropped.slice(0, 2)).toEqual([
      { group: 'viewers', atMs: 2000 },
      { group: 'viewers', atMs: 5000 },
    ]);
    expect(plan.vus.length + plan.dropped.length).toBe(60);
  });

  test('stays of one slot never overlap and are with one worker; the workers have every stay once', () => {
    const plan = makePlan(scenario({ ...CROWD, preAllocatedVus: 30 }), { seed: 5 });
    expect(plan.dropped.length).toBeGreaterThan(10);
    const parts = [0, 1, 2].map((index) => vusOfWorker(plan, index, 3));
    expect(parts.flat().toSorted((a, b) => a.id - b.id)).toEqual(plan.vus);
    for (const [index, part] of parts.entries()) {
      expect(part.length).toBeGreaterThan(plan.vus.length / 6);
      expect(part.every(({ slot }) => slot % 3 === index)).toBe(true);
    }
    const freeAtMs = new Map<number, number>();
    for (const { slot, startAtMs, stopAtMs } of plan.vus) {
      expect(startAtMs).toBeGreaterThanOrEqual(freeAtMs.get(slot) ?? 0);
      freeAtMs.set(slot, stopAtMs);
    }
    expect(Math.max(...freeAtMs.keys())).toBeLessThan(30);
  });

  test('who comes in the last instant does not come', () => {
    const session: SessionLength = { kind: 'constant', ms: 10 };
    const { stays } = seatArrivals([0, 100], { slots: 1, endMs: 100, session, random: createRandom(1) });
    expect(stays).toEqual([{ slot: 0, startAtMs: 0, stopAtMs: 10 }]);
  });

  test('a plan without end is refused', () => {
    const timing = { ...CROWD, spacing: 'even', rate: (ARRIVALS_MAX + 1) / 60 } as const;
    expect(() => makePlan(scenario(timing), { seed: 1 })).toThrow(PlanError);
  });
});

test.each<[SessionLength, number]>([
  [{ kind: 'constant', ms: 4000 }, 4000],
  [{ kind: 'exponential', meanMs: 4000 }, 2773],
  [{ kind: 'lognormal', medianMs: 4000, sigma: 1.4 }, 4000],
])('stays drawn from %o have its mean and its median', (session, median) => {
  const random = createRandom(2);
  const stays = Array.from({ length: 40_000 }, () => drawStayMs(session, random)).sort((a, b) => a - b);
  const mean = stays.reduce((sum, stay) => sum + stay, 0) / stays.length;
  expect(Math.abs(mean / meanStayMs(session) - 1)).toBeLessThan(0.06);
  expect(Math.abs((stays[20_000] ?? 0) / median - 1)).toBeLessThan(0.03);
});
