import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOM_CRITERIA, SHOP_CRITERIA } from '../scenarios/criteria.ts';
import { BASELINE_ATTEMPTS_MAX } from '../src/engine/stock-check.ts';
import { type RunResult, runScenario, type Scenario } from '../src/index.ts';
import { METRICS } from '../src/metrics/metric-catalogue.ts';
import { parseSeriesKey } from '../src/metrics/series-key.ts';
import { mergedTrend } from '../src/run-folder/run-figures.ts';
import { type PlantedDefects, startPlantedPlatform } from './planted-platform.ts';
import { target as adapter } from './planted-target.ts';
import { total } from './run-against.ts';

const TOLERANT = { loopDelayP99MsMax: 400, timerLatenessP99MsMax: 400, workerCpuPercentMax: 101 };

function scenario(durationMs: number, guard: Scenario['guard'] = TOLERANT): Scenario {
  const timing = (vus: number) => ({ executor: 'constant-vus' as const, vus, arriveOverMs: 300 });
  return {
    name: 'room-and-shop',
    purpose: 'A room and a shop.',
    durationMs,
    viewers: 6,
    groups: {
      room: { actor: 'room-member', timing: timing(6), options: { chatEveryMs: 400 } },
      shoppers: { actor: 'shopper', timing: timing(3), options: { visitEveryMs: 800, abandonShare: 0.2 } },
    },
    criteria: [...ROOM_CRITERIA, ...SHOP_CRITERIA],
    guard,
  };
}

async function meet(defects: PlantedDefects, path = '/room', what = scenario(6000)): Promise<RunResult> {
  const platform = await startPlantedPlatform(defects);
  const parent = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  try {
    const description = await adapter.detect(new URL(path, platform.url));
    if (description === null) throw new Error('the planted adapter takes every URL');
    return await runScenario({
      scenario: what,
      target: description,
      adapter,
      adapterUrl: new URL('./planted-target.ts', import.meta.url).href,
      folder: join(parent, 'run'),
      size: { seed: 1 },
      workers: 2,
    });
  } finally {
    await platform.close();
    await rm(parent, { recursive: true, force: true });
  }
}

/** Ids of the criteria that failed. */
const failed = ({ verdict }: RunResult): string[] =>
  verdict.judgements.filter(({ outcome }) => outcome === 'fail').map(({ criterion }) => criterion.id);

const outcomeOf = ({ verdict }: RunResult, id: string) =>
  verdict.judgements.find(({ criterion }) => criterion.id === id)?.outcome;

test('a platform that keeps its promises passes', async () => {
  const result = await meet({});
  expect(failed(result)).toEqual([]);
  expect(result.verdict).toMatchObject({ outcome: 'passed', exitCode: 0, isReady: false });
  expect(total(result, 'room_joins_total')).toBe(6);
  expect(total(result, 'chat_received_total')).toBe(total(result, 'chat_expected_total'));
  expect(total(result, 'orders_paid_total')).toBeGreaterThan(0);
  expect(total(result, 'api_outcomes_total')).toBeGreaterThan(0); // sold out after three units: an outcome, not an error
  expect(total(result, 'api_errors_total')).toBe(0);
  const metrics = result.run.slices.flatMap(({ data }) =>
    [data.trends, data.counters, data.gauges].flatMap((series) =>
      Object.keys(series).map((key) => parseSeriesKey(key).metric),
    ),
  );
  expect([...new Set(metrics)].filter((metric) => !(metric in METRICS))).toEqual([]);
});

describe.concurrent('planted defects are caught by name', () => {
  test('chat that gets lost', async () => {
    expect(failed(await meet({ loseEvery: 5 }))).toContain('chat-delivery');
  });

  test('a room that nobody can join', async () => {
    const result = await meet({ refusesJoins: true });
    expect(failed(result)).toContain('room-join-success');
    expect(result.verdict.outcome).not.toBe('passed');
  });

  test('chat that vanishes without an answer was owed all the same', async () => {
    expect(failed(await meet({ swallowEvery: 5 }))).toEqual(
      expect.arrayContaining(['chat-delivery', 'chat-unacknowledged']),
    );
  });

  test('chat that is refused is an error, and nothing owed', async () => {
    const result = await meet({ refuseEvery: 5 });
    expect(failed(result)).toContain('chat-errors');
    expect(failed(result)).not.toContain('chat-delivery');
  });

  test('chat that comes twice', async () => {
    expect(failed(await meet({ repeatEvery: 5 }))).toContain('chat-duplicates');
  });

  test('chat that comes late, measured as late as it is', async () => {
    const result = await meet({ delayMs: 300 });
    expect(failed(result)).toContain('chat-fanout-p95');
    const median = mergedTrend(result.run, 'chat_fanout_ms')?.percentileMs(50) ?? 0;
    expect(median).toBeGreaterThan(290);
    expect(median).toBeLessThan(420);
  });

  test('units sold that were not there', async () => {
    expect(failed(await meet({ oversells: true }))).toContain('oversold');
  });

  test('a repeated checkout that makes a second order', async () => {
    expect(failed(await meet({ ignoresKeys: true }))).toContain('duplicate-orders');
  });

  test('requests that fail', async () => {
    expect(failed(await meet({ failEvery: 9 }))).toContain('api-errors');
  });

  test('carts with a wrong total', async () => {
    expect(failed(await meet({ miscounts: true }))).toContain('cart-total');
  });
});

describe.concurrent('what could not be checked is not green', () => {
  test('a shop whose stock was unknown before the run: oversell is inconclusive though orders were paid', async () => {
    const result = await meet({ failFirst: BASELINE_ATTEMPTS_MAX, oversells: true });
    expect(total(result, 'orders_paid_total')).toBeGreaterThan(0);
    expect(outcomeOf(result, 'oversold')).toBe('inconclusive');
  });

  test('a shop that is slow to come up: the stock is read again until it is known', async () => {
    const result = await meet({ failFirst: BASELINE_ATTEMPTS_MAX - 1 });
    expect(outcomeOf(result, 'oversold')).toBe('pass');
    expect(total(result, 'shop_units_checked_total')).toBe(total(result, 'shop_units_sold_total'));
  });

  test('a shop that never shows its products: stock and carts are inconclusive', async () => {
    const result = await meet({ failEvery: 1 });
    expect(total(result, 'shop_visits_total')).toBeGreaterThan(0);
    const outcomes = ['negative-stock', 'cart-total', 'oversold', 'duplicate-orders'].map((id) =>
      outcomeOf(result, id),
    );
    expect(outcomes).toEqual(Array.from({ length: 4 }, () => 'inconclusive'));
  });
});

describe.concurrent('an order that is not decided yet', () => {
  test('is asked for again with the same key until it is paid', async () => {
    const result = await meet({ undecided: 2 });
    expect(failed(result)).toEqual([]);
    expect(total(result, 'orders_paid_total')).toBeGreaterThan(0);
    expect(total(result, 'orders_undecided_total')).toBe(0);
  });

  test('that is never decided proves nothing', async () => {
    const result = await meet({ undecided: 1000 });
    expect(total(result, 'orders_paid_total')).toBe(0);
    expect(total(result, 'checkouts_total')).toBeGreaterThan(0);
    expect(result.verdict.outcome).not.toBe('passed');
  });
});

test('a generator starved of CPU makes the run invalid, never a slow server', async () => {
  const result = await meet({}, '/starve', scenario(6000, {}));
  expect(result.verdict).toMatchObject({ outcome: 'invalid', exitCode: 3 });
  expect(result.verdict.invalidBecause).toMatch(/the generator was too busy to measure/);
});
