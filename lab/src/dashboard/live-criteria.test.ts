import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SampleLine } from '../collectors/sample.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { SliceMerger } from '../metrics/slice.ts';
import { formatValue } from '../report/sentences.ts';
import type { Criterion, Measure } from '../verdict/criterion.ts';
import { judge } from '../verdict/judge.ts';
import type { CriterionRow } from './dashboard-frame.ts';
import { LiveCriteria } from './live-criteria.ts';
import type { LiveSecond } from './live-second.ts';

const SELF = { loopDelayP99Ms: 4, workerCpuPercent: 20, timerLatenessP99Ms: 2, memoryPercent: 1 } as LiveSecond['self'];

function criterion(id: string, measure: Measure, more: Partial<Criterion> = {}): Criterion {
  const common = { title: id, meaning: '', source: '', plane: 'video', isMandatory: true, isIndicative: true } as const;
  return { id, ...common, measure, op: '<=', limit: 500, unit: 'ms', during: 'run', samplesMin: 1, ...more };
}

const STARTUP = criterion('startup', { kind: 'percentile', metric: 'startup_ms', percentile: 95 });
const STALLED = { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total' } as const;

/** What happened in one second. */
type Happened = { startupMs?: number[]; stalledMs?: number; watchedMs?: number; members?: number; oversold?: number };

function secondOf(index: number, { startupMs = [], stalledMs, watchedMs, members, oversold }: Happened) {
  const merger = new SliceMerger();
  const histogram = new LatencyHistogram();
  for (const value of startupMs) histogram.record(value);
  const known = (values: Record<string, number | undefined>): Record<string, number> =>
    Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined));
  const data = {
    trends: startupMs.length === 0 ? {} : { 'startup_ms{group=v}': histogram.encode() },
    counters: known({
      'stalled_ms_total{group=v}': stalledMs,
      'watched_ms_total{group=v}': watchedMs,
      oversold_total: oversold,
    }),
    gauges: known({ 'room_members{group=r}': members, 'vus_active{group=r}': members === undefined ? undefined : 10 }),
  };
  merger.add(data);
  const { trends, counters } = merger;
  const live: LiveSecond = { atMs: (index + 1) * 1000, trends, counters, gauges: data.gauges, self: SELF };
  return { live, slice: { atMs: index * 1000, data } };
}

function setup(criteria: readonly Criterion[], durationMs: number) {
  return {
    criteria,
    planes: ['video'] as const,
    abilities: ['flv'] as const,
    phases: [{ name: 'steady' as const, fromMs: 3000, toMs: durationMs - 1000 }],
    sliceMs: 1000,
    divisors: { viewers: 10, cores: 2 },
    isClockKnown: true,
  };
}

function rowsAfter(
  criteria: readonly Criterion[],
  happened: readonly Happened[],
  durationMs = 600_000,
): CriterionRow[] {
  const live = new LiveCriteria(setup(criteria, durationMs));
  for (const [index, second] of happened.entries()) live.addSecond(secondOf(index, second).live);
  return live.rows();
}

const CRITERIA: readonly Criterion[] = [
  STARTUP,
  criterion('mean', { kind: 'mean', metric: 'startup_ms', where: { group: 'v' } }, { during: 'steady' }),
  criterion('stalled', STALLED, { unit: 'percent', during: 'steady' }),
  criterion('stalled-rate', { kind: 'per-hundred-seconds', metric: 'oversold_total', time: 'watched_ms_total' }),
  criterion('oversold', { kind: 'count', metric: 'oversold_total', outOf: 'watched_ms_total' }, { unit: 'count' }),
  criterion('rate', { kind: 'rate', metric: 'oversold_total' }, { unit: 'per-second' }),
  criterion('members', { kind: 'level', metric: 'room_members', reduce: 'max', versus: { metric: 'vus_active' } }),
  criterion('members-mean', { kind: 'level', metric: 'room_members', reduce: 'mean' }, { during: 'steady' }),
  criterion('loop', { kind: 'self', metric: 'loopDelayP99Ms', reduce: 'max' }),
  criterion('cpu', { kind: 'sample', metric: 'cpu_pct', reduce: 'max', collectors: ['process'], per: 'core' }),
  criterion('memory', { kind: 'sample', metric: 'mem_mb', reduce: 'mean', source: 'media' }, { during: 'steady' }),
];

const happenedIn = fc.record({
  startupMs: fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 4 }),
  stalledMs: fc.integer({ min: 0, max: 50 }),
  watchedMs: fc.integer({ min: 1, max: 1000 }),
  members: fc.integer({ min: 1, max: 12 }),
  oversold: fc.integer({ min: 0, max: 2 }),
});

test('read live, every measure comes to what the verdict comes to', () => {
  fc.assert(
    fc.property(fc.array(happenedIn, { minLength: 12, maxLength: 40 }), (happened) => {
      const seconds = happened.map((one, index) => secondOf(index, one));
      const durationMs = seconds.length * 1000;
      const samples: SampleLine[] = seconds.flatMap(({ live }, index) =>
        ['media', 'worker'].map((source) => ({
          atMs: live.atMs - 500,
          atWallMs: 0,
          collector: 'process',
          source,
          metrics: { cpu_pct: (7 * index) % 90, mem_mb: 100 + index },
        })),
      );
      const live = new LiveCriteria(setup(CRITERIA, durationMs));
      for (const [index, { live: second }] of seconds.entries()) {
        live.addSecond(second);
        for (const line of samples.slice(2 * index, 2 * index + 2)) live.addLine(line);
      }
      const shown = new Map(live.rows().map(({ id, value }) => [id, value]));
      const judged = judge({
        ...setup(CRITERIA, durationMs),
        durationMs,
        clockBoundMs: 0,
        slices: seconds.map(({ slice }) => slice),
        samples,
        self: seconds.map((_, index) => ({ ...SELF, second: index })),
        viewers: 10,
        cores: 2,
      });
      for (const { criterion: one, value } of judged) {
        expect(shown.get(one.id), one.id).toBe(value === null ? '–' : formatValue(value, one.unit));
      }
    }),
    { numRuns: 40 },
  );
});

describe('a row says', () => {
  test('how much room there is, and that it holds', () => {
    const [row] = rowsAfter([STARTUP], [{ startupMs: [100, 100, 100] }]);
    expect(row).toMatchObject({ outcome: 'pass', value: '100 ms', limit: '≤ 500 ms', marginPercent: 80 });
  });

  test('by how much it is broken', () => {
    const [row] = rowsAfter([STARTUP], [{ startupMs: [750] }]);
    expect(row).toMatchObject({ outcome: 'fail', marginPercent: -50 });
  });

  test('nothing before its phase has begun, nor from too few samples', () => {
    const stalled = criterion('stalled', STALLED, { unit: 'percent', during: 'steady' });
    expect(rowsAfter([stalled], [{ stalledMs: 1, watchedMs: 1000 }])).toMatchObject([
      { outcome: 'waiting', value: '–', note: 'judged from 0:03 on' },
    ]);
    const many = { ...STARTUP, samplesMin: 5 };
    expect(rowsAfter([many], [{ startupMs: [100] }])).toMatchObject([
      { outcome: 'waiting', note: '1 of 5 samples so far' },
    ]);
  });

  test('no verdict where there is no data, no plane, no collector', () => {
    const shop = criterion('shop', STALLED, { plane: 'commerce' });
    const redis = criterion(
      'redis',
      { kind: 'sample', metric: 'evicted_keys', reduce: 'sum' },
      { needsCollector: 'redis' },
    );
    const slope = criterion('leak', { kind: 'sample', metric: 'mem_mb', reduce: 'slope-per-hour' });
    expect(rowsAfter([STARTUP, shop, redis, slope], [{}]).map(({ id, outcome }) => [id, outcome])).toEqual([
      ['startup', 'waiting'],
      ['leak', 'waiting'],
      ['shop', 'not applicable'],
      ['redis', 'not applicable'],
    ]);
  });

  test('that clocks which nobody compared say nothing yet', () => {
    const live = new LiveCriteria({ ...setup([{ ...STARTUP, needsClock: true }], 60_000), isClockKnown: false });
    live.addSecond(secondOf(0, { startupMs: [100] }).live);
    expect(live.rows()).toMatchObject([{ outcome: 'waiting', note: expect.stringContaining('clocks') }]);
  });
});

describe('the trend', () => {
  const seconds = (count: number, startupMs: (index: number) => number): Happened[] =>
    Array.from({ length: count }, (_, index) => ({ startupMs: [startupMs(index)] }));

  test('a figure that grows towards its limit is closing in, and when it gets there', () => {
    const [row] = rowsAfter(
      [STARTUP],
      seconds(90, (index) => 100 + 3 * index),
    );
    expect(row).toMatchObject({
      outcome: 'pass',
      direction: 'closing',
      note: expect.stringMatching(/over its limit in \d:\d\d/),
    });
  });

  test('a figure that falls back is easing, one that stays is steady', () => {
    expect(
      rowsAfter(
        [STARTUP],
        seconds(90, (index) => 480 - 2 * index),
      ),
    ).toMatchObject([{ direction: 'easing' }]);
    expect(
      rowsAfter(
        [STARTUP],
        seconds(90, () => 300),
      ),
    ).toMatchObject([{ direction: 'steady' }]);
  });

  test('two seconds are no trend', () => {
    expect(
      rowsAfter(
        [STARTUP],
        seconds(2, (index) => 100 + 200 * index),
      ),
    ).toMatchObject([{ direction: 'unknown' }]);
  });
});

test('what fails comes first, then what is closing in, then the rest in order', () => {
  const ids = rowsAfter(
    [
      criterion('quiet', { kind: 'level', metric: 'room_members', reduce: 'max' }),
      STARTUP,
      criterion(
        'broken',
        { kind: 'count', metric: 'oversold_total', outOf: 'watched_ms_total' },
        { limit: 0, unit: 'count' },
      ),
      criterion('advice', { kind: 'level', metric: 'room_members', reduce: 'min' }, { isMandatory: false }),
    ],
    Array.from({ length: 90 }, (_, index) => ({
      startupMs: [100 + 3 * index],
      watchedMs: 10,
      oversold: 1,
      members: 5,
    })),
  ).map(({ id }) => id);
  expect(ids).toEqual(['broken', 'startup', 'quiet', 'advice']);
});
