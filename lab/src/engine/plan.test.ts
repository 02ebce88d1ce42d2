import { describe, expect, test } from 'vitest';
import { parseDurationMs } from './duration.ts';
import { breachedLimits, GUARD_DEFAULTS, worstSelfSample } from './guard.ts';
import { makePlan } from './plan.ts';
import { createRandom, exponentialMs } from './random.ts';
import type { Group, Scenario } from './scenario.ts';

const VIEWER = { actor: 'flv-viewer', options: { profile: 'strict', sampleEvery: 1 } } as const;

function scenario(timing: Group['timing'], durationMs = 60_000): Scenario {
  return { name: 's', purpose: '', durationMs, viewers: 20, groups: { viewers: { timing, ...VIEWER } }, criteria: [] };
}

const CONSTANT = scenario({ executor: 'constant-vus', vus: 20, arriveOverMs: 5000 });
const RAMP = scenario({
  executor: 'ramping-vus',
  startVus: 0,
  stages: [
    { durationMs: 20_000, target: 20 },
    { durationMs: 30_000, target: 20 },
    { durationMs: 10_000, target: 0 },
  ],
});

/** How many virtual users the plan has at an instant. */
function vusAt(plan: ReturnType<typeof makePlan>, atMs: number): number {
  return plan.vus.filter((vu) => vu.startAtMs <= atMs && atMs < vu.stopAtMs).length;
}

describe('plan', () => {
  test('the same seed gives the same plan, another seed another one', () => {
    expect(makePlan(CONSTANT, { seed: 7 })).toEqual(makePlan(CONSTANT, { seed: 7 }));
    expect(makePlan(CONSTANT, { seed: 7 }).vus).not.toEqual(makePlan(CONSTANT, { seed: 8 }).vus);
  });

  test('constant-vus arrive within their window and stay to the end', () => {
    const { vus, phases } = makePlan(CONSTANT, { seed: 1 });
    expect(vus).toHaveLength(20);
    expect(vus.every((vu) => vu.startAtMs <= 5000 && vu.stopAtMs === 60_000)).toBe(true);
    expect(phases.map((phase) => phase.name)).toEqual(['warm-up', 'steady']);
  });

  test.each([
    [0, 0],
    [10_000, 10],
    [19_999, 20],
    [40_000, 20],
    [55_000, 10],
    [60_000, 0],
  ])('ramping-vus follow the line: at %d ms there are about %d', (atMs, expected) => {
    expect(Math.abs(vusAt(makePlan(RAMP, { seed: 3 }), atMs) - expected)).toBeLessThanOrEqual(1);
  });

  test('steady is when everybody is there', () => {
    const steady = makePlan(RAMP, { seed: 3 }).phases.find((phase) => phase.name === 'steady');
    expect(steady?.fromMs).toBeGreaterThan(20_000);
    expect(steady?.toMs).toBeGreaterThan(49_000);
    expect(steady?.toMs).toBeLessThan(52_000);
  });

  test('size and length scale; a shortened run is stamped', () => {
    const small = makePlan(RAMP, { seed: 3, viewers: 10, durationMs: 15_000 });
    expect([small.isShortened, small.durationMs, vusAt(small, 10_000)]).toEqual([true, 15_000, 10]);
    expect(makePlan(RAMP, { seed: 3, timeScale: 0.1 })).toMatchObject({ durationMs: 6000, isShortened: true });
    expect(makePlan(RAMP, { seed: 3 }).isShortened).toBe(false);
    expect(makePlan(RAMP, { seed: 3, viewers: 19 }).isShortened).toBe(true);
    expect(makePlan(RAMP, { seed: 3, viewers: 40 }).isShortened).toBe(false);
  });
});

test.each([
  ['60s', 60_000],
  ['1m30s', 90_000],
  ['15', 15_000],
  ['250ms', 250],
  ['6h', 21_600_000],
  ['0s', null],
  ['soon', null],
  ['-5s', null],
])('duration %s is %s ms', (text, expected) => {
  expect(parseDurationMs(text)).toBe(expected);
});

test('randomness is seeded and gaps have their mean', () => {
  const sequence = (seed: number): number[] => Array.from({ length: 5 }, createRandom(seed, 'x'));
  expect(sequence(5)).toEqual(sequence(5));
  expect(sequence(5)).not.toEqual(sequence(6));
  const random = createRandom(1);
  const gaps = Array.from({ length: 20_000 }, () => exponentialMs(random, 100));
  expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeCloseTo(100, -1);
});

test('a second is tainted by the worst of its workers, and by a value that is not a number', () => {
  const calm = { loopDelayP99Ms: 12, workerCpuPercent: 30, timerLatenessP99Ms: 3, memoryPercent: 20 };
  expect(breachedLimits(calm, GUARD_DEFAULTS)).toEqual([]);
  const worst = worstSelfSample([calm, { ...calm, workerCpuPercent: 97 }]);
  expect(breachedLimits(worst, GUARD_DEFAULTS)).toEqual(['worker CPU']);
  expect(breachedLimits({ ...calm, loopDelayP99Ms: Number.NaN }, GUARD_DEFAULTS)).toEqual(['event-loop delay p99']);
});
