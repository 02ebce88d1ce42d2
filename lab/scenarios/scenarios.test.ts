import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadScenario } from '../src/cli/load-scenario.ts';
import { makePlan, type Plan, type Scenario } from '../src/index.ts';
import { METRICS } from '../src/metrics/metric-catalogue.ts';

/** Slots are threads' work for hours; stays are lines of `plan.json`. */
const SLOTS_MAX = 3000;
const STAYS_MAX = 50_000;

const names = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -3));
const scenarios = (await Promise.all(names.map((name) => loadScenario(name)))).filter((one) => one !== null);

test('the scenarios of the strategy, and those beyond it', () => {
  const wanted = ['baseline', 'churn', 'escalation', 'grace', 'ramp', 'ramp-mini', 'recovery', 'slow-viewer'];
  const found = scenarios.map(({ name }) => name).toSorted();
  expect(found).toEqual(expect.arrayContaining([...wanted, 'smoke', 'soak', 'spike', 'streams']));
});

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => {
  test('plans within limits at full size, and shrinks to a handful of viewers', () => {
    const whole = makePlan(scenario, { seed: 1 });
    expect(new Set(whole.vus.map(({ slot }) => slot)).size).toBeLessThanOrEqual(SLOTS_MAX);
    expect(whole.vus.length).toBeLessThanOrEqual(STAYS_MAX);
    expect(whole.isShortened).toBe(false);
    const small = makePlan(scenario, { seed: 1, viewers: 5 });
    expect(small.vus.length).toBeLessThan(Math.max(60, whole.vus.length / 5));
    expect(whole.phases.map(({ name }) => name)).toContain('steady');
  });

  test('every criterion names where it comes from, and measures what somebody in it records', () => {
    const ids = scenario.criteria.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    for (const { id, source, measure } of scenario.criteria) {
      expect(source, id).toMatch(/\d\.\d|qoe|bar|Readings|RFC|[TGIL]-\d+/);
      const read = measure.kind === 'change' ? measure.of : measure;
      if (read.kind === 'ratio') expect(Object.keys(METRICS)).toContain(read.numerator);
      if (read.kind === 'percentile' || read.kind === 'count') expect(Object.keys(METRICS)).toContain(read.metric);
    }
  });
});

test('what is mandatory in the ramp can be shown by its five hundred viewers', () => {
  const { criteria } = scenarioOf('ramp');
  const starts = criteria.filter(({ id }) => id.endsWith('start-success'));
  expect(starts.map(({ id, isMandatory }) => [id, isMandatory])).toEqual([
    ['start-success', false],
    ['hls-start-success', false],
    ['all-start-success', true],
  ]);
});

/** Viewers there at this share of the run, by plan. */
function viewersAt(plan: Plan, share: number, groups = /viewers/): number {
  const atMs = share * plan.durationMs;
  return plan.vus.filter((vu) => groups.test(vu.group) && vu.startAtMs <= atMs && atMs < vu.stopAtMs).length;
}

const scenarioOf = (name: string): Scenario => {
  const found = scenarios.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};

test.each([
  [
    'ramp',
    40,
    [
      [0, 0],
      [2.5, 250],
      [5, 500],
      [34.9, 500],
      [37.5, 250],
    ],
  ],
  [
    'spike',
    15,
    [
      [1, 50],
      [2.25, 275],
      [2.6, 500],
      [9.9, 500],
      [10.6, 50],
      [14.9, 50],
    ],
  ],
  [
    'soak',
    360,
    [
      [5, 150],
      [10.1, 300],
      [349, 300],
      [355, 150],
    ],
  ],
] as const)('%s: %i minutes, and the crowd of the strategy at each of them', (name, minutes, crowd) => {
  const plan = makePlan(scenarioOf(name), { seed: 1 });
  expect(plan.durationMs).toBe(minutes * 60_000);
  for (const [minute, viewers] of crowd) {
    expect(Math.abs(viewersAt(plan, minute / minutes) - viewers), `${name} at ${minute}`).toBeLessThanOrEqual(10);
  }
});

test('recovery: three faults where the strategy has them, moved together by the time scale', () => {
  const faults = (timeScale: number) =>
    makePlan(scenarioOf('recovery'), { seed: 1, timeScale }).faults.map(({ atMs, durationMs }) => [atMs, durationMs]);
  expect(faults(1)).toEqual([
    [300_000, 10_000],
    [600_000, 5000],
    [900_000, 5000],
  ]);
  expect(faults(0.1)).toEqual([
    [30_000, 10_000],
    [60_000, 5000],
    [90_000, 5000],
  ]);
});

test('seventy of a hundred watch by classic HLS and thirty by FLV; LL-HLS takes its share from both', async () => {
  const groups = async (settings: Record<string, number>) => {
    const scenario = await loadScenario('ramp', settings);
    if (scenario === null) throw new Error('ramp');
    const plan = makePlan(scenario, { seed: 1, viewers: 100 });
    return ['flv-viewers', 'hls-viewers', 'llhls-viewers'].map((name) => viewersAt(plan, 0.5, new RegExp(`^${name}$`)));
  };
  expect(await groups({})).toEqual([30, 70, 0]);
  expect(await groups({ 'llhls-share': 0.2 })).toEqual([24, 56, 20]);
});

test('slow viewers have a network of their own, the others none', () => {
  const { groups } = scenarioOf('slow-viewer');
  expect(groups.slow?.network).toEqual([{ kind: 'bandwidth', bytesPerSecond: 100_000, direction: 'to-client' }]);
  expect(groups.viewers?.network).toBeUndefined();
});
