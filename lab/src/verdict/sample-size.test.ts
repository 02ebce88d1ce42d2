import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { Criterion, Measure } from './criterion.ts';
import { judge } from './judge.ts';
import { chanceOfSoMany, samplesNeeded } from './sample-size.ts';

function criterion(measure: Measure, op: Criterion['op'], limit: number, more: Partial<Criterion> = {}): Criterion {
  return {
    id: 'c',
    title: 'c',
    meaning: '',
    source: '',
    plane: 'video',
    isMandatory: true,
    measure,
    op,
    limit,
    unit: 'percent',
    during: 'run',
    samplesMin: 1,
    ...more,
  };
}

const SHARE: Measure = { kind: 'ratio', numerator: 'bad_total', denominator: 'tries_total' };
const GOOD: Measure = { kind: 'ratio', numerator: 'good_total', denominator: 'tries_total' };
const TIME: Measure = { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total' };
const P95: Measure = { kind: 'percentile', metric: 'startup_ms', percentile: 95 };
const P99: Measure = { kind: 'percentile', metric: 'startup_ms', percentile: 99 };

test.each<[string, Measure, Criterion['op'], number, number]>([
  ['at most 0.1 % of tries', SHARE, '<=', 0.1, 3000],
  ['less than 1 % of tries', SHARE, '<', 1, 300],
  ['more than 99 % of tries', GOOD, '>', 99, 300],
  ['more than 99.9 % of tries', GOOD, '>', 99.9, 3000],
  ['all of them', GOOD, '>=', 100, 1],
  ['a share of time', TIME, '<', 1, 1],
  ['a 95th percentile', P95, '<', 3000, 100],
  ['a 99th percentile', P99, '<', 3000, 500],
])('%s', (_name, measure, op, limit, needed) => {
  expect(samplesNeeded(criterion(measure, op, limit))).toBe(needed);
});

test('the chance of that many failures or more, if the rate were at its limit', () => {
  expect(chanceOfSoMany(10, 0, 0.01)).toBe(1);
  expect(chanceOfSoMany(10, 1, 0.01)).toBeCloseTo(1 - 0.99 ** 10, 10);
  expect(chanceOfSoMany(10, 2, 0.01)).toBeCloseTo(0.00427, 4);
  expect(chanceOfSoMany(100_000, 2000, 0.01)).toBeCloseTo(0, 6); // no underflow
  expect(chanceOfSoMany(10, 3, 0)).toBe(0);
});

describe('judged', () => {
  const counted = (tries: number, bad: number, more: Partial<Criterion> = {}) =>
    judge({
      criteria: [criterion(SHARE, '<=', 0.1, more)],
      planes: ['video'],
      abilities: [],
      phases: [],
      durationMs: 1000,
      sliceMs: 1000,
      clockBoundMs: 0,
      slices: [{ atMs: 0, data: { trends: {}, gauges: {}, counters: { bad_total: bad, tries_total: tries } } }],
    })[0];

  test('2,999 clean tries do not show "at most 0.1 %", 3,000 do', () => {
    expect(counted(2999, 0)).toMatchObject({
      outcome: 'inconclusive',
      reason: 'only 2999 samples, 3000 are needed',
    });
    expect(counted(3000, 0)).toMatchObject({ outcome: 'pass', isIndicative: false });
  });

  test('few tries are enough to show that it does not hold', () => {
    expect(counted(100, 30)?.outcome).toBe('fail');
    expect(counted(20, 1)?.outcome).toBe('fail'); // one of twenty, where one of a thousand is allowed: 2 % luck
    expect(counted(100, 1)?.outcome).toBe('inconclusive'); // 10 % luck
  });

  test('a run that is small on purpose is judged, and says what that is worth', () => {
    expect(counted(20, 0, { isIndicative: true })).toMatchObject({
      outcome: 'pass',
      isIndicative: true,
      samplesNeeded: 3000,
    });
    expect(counted(3000, 0, { isIndicative: true })).toMatchObject({ isIndicative: false });
    expect(counted(2, 0, { isIndicative: true, samplesMin: 5 })?.outcome).toBe('inconclusive');
  });

  test('a percentile needs samples beyond it, and few are enough when nearly all are over', () => {
    const startups = (count: number, ms: number) => {
      const histogram = new LatencyHistogram();
      for (let index = 0; index < count; index += 1) histogram.record(ms);
      return judge({
        criteria: [criterion(P95, '<', 3000, { unit: 'ms' })],
        planes: ['video'],
        abilities: [],
        phases: [],
        durationMs: 1000,
        sliceMs: 1000,
        clockBoundMs: 0,
        slices: [{ atMs: 0, data: { trends: { startup_ms: histogram.encode() }, gauges: {}, counters: {} } }],
      })[0]?.outcome;
    };
    expect([startups(99, 500), startups(100, 500), startups(5, 4000), startups(1, 4000)]).toEqual([
      'inconclusive',
      'pass',
      'fail',
      'inconclusive', // one start over the limit is one in twenty by luck
    ]);
  });
});

test('values above a limit are counted from the histogram', () => {
  const histogram = new LatencyHistogram();
  for (const ms of [1, 2, 3, 4, 5, 100, 200, 3000]) histogram.record(ms);
  expect([0, 2.5, 5.5, 150, 4000].map((ms) => histogram.countAbove(ms))).toEqual([8, 6, 3, 2, 0]);
  expect(new LatencyHistogram().countAbove(1)).toBe(0);
});
