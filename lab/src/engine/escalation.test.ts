import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunOutcome } from '../verdict/verdict.ts';
import { type EscalationStep, nextStep } from './escalation.ts';
import type { EscalationPlan } from './scenario.ts';

const PLAN: EscalationPlan = {
  levels: [100, 300, 500, 700, 1000],
  viewersMax: 3000,
  resolutionPercent: 5,
  kneeRuns: 3,
  goalViewers: 500,
};

/** Runs the whole search against a target whose outcome depends on size and on how often that size was tried. */
function search(outcomeOf: (viewers: number, run: number) => RunOutcome, plan = PLAN) {
  const steps: EscalationStep[] = [];
  for (;;) {
    const next = nextStep(steps, plan);
    if (next.kind === 'over') return { ...next, steps, sizes: steps.map(({ viewers }) => viewers) };
    const run = steps.filter(({ viewers }) => viewers === next.viewers).length + 1;
    steps.push({ viewers: next.viewers, outcome: outcomeOf(next.viewers, run) });
    expect(steps.length).toBeLessThan(100);
  }
}

test('climbs the levels, halves around the knee, and runs both of its sides three times', () => {
  const { sizes, heldAt, failedAt, end } = search((viewers) => (viewers <= 620 ? 'passed' : 'failed'));
  expect(sizes).toEqual([100, 300, 500, 700, 600, 650, 630, 600, 600, 630, 630]);
  expect([end, heldAt, failedAt]).toEqual(['knee found', 600, 630]);
});

test('above the last level each step is half as large again, up to the largest size', () => {
  const { sizes, heldAt, failedAt, end } = search(() => 'passed');
  expect(sizes).toEqual([100, 300, 500, 700, 1000, 1500, 2250, 3000]);
  expect([end, heldAt, failedAt]).toEqual(['held at the largest size', 3000, null]);
});

test('a size that holds at first and fails when it is repeated is above the knee', () => {
  const { heldAt, failedAt, steps } = search((viewers, run) =>
    viewers < 600 || (viewers === 600 && run === 1) ? 'passed' : 'failed',
  );
  expect([heldAt, failedAt]).toEqual([580, 600]);
  expect(steps.filter(({ viewers }) => viewers === 580)).toHaveLength(3);
});

test('a platform that never holds is searched down to one viewer', () => {
  const { end, heldAt, failedAt } = search(() => 'failed');
  expect([end, heldAt, failedAt]).toEqual(['never held', null, 1]);
});

test('a generator that is too busy is no knee: tried again once, then the search is over', () => {
  const { end, heldAt, failedAt, sizes } = search((viewers) => (viewers >= 700 ? 'invalid' : 'passed'));
  expect(sizes).toEqual([100, 300, 500, 700, 700]);
  expect([end, heldAt, failedAt]).toEqual(['generator exhausted', 500, null]);
});

test('an interrupted step ends the search with what is known', () => {
  const { end, heldAt, failedAt } = search((viewers) => (viewers === 500 ? 'interrupted' : 'passed'));
  expect([end, heldAt, failedAt]).toEqual(['interrupted', 300, null]);
});

test('wherever the knee is, the interval holds it, as fine as asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2999 }), (knee) => {
      const { heldAt, failedAt, end } = search((viewers) => (viewers <= knee ? 'passed' : 'failed'));
      expect(end).toBe('knee found');
      expect(heldAt).toBeLessThanOrEqual(knee);
      expect(failedAt).toBeGreaterThan(knee);
      expect((failedAt ?? 0) - (heldAt ?? 0)).toBeLessThanOrEqual(Math.max(10, 0.05 * (failedAt ?? 0)));
    }),
  );
});
