import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { Criterion, Measure } from './criterion.ts';
import { judge } from './judge.ts';

function check(
  measure: Measure,
  slices: readonly Partial<SliceData>[],
  more: Partial<Criterion> = {},
  self: object[] = [],
) {
  const criterion: Criterion = {
    id: 'c',
    title: 'c',
    meaning: '',
    source: '',
    plane: 'video',
    isMandatory: true,
    measure,
    op: '<=',
    limit: 10,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
    ...more,
  };
  return judge({
    criteria: [criterion],
    planes: ['video'],
    abilities: [],
    phases: [{ name: 'steady', fromMs: 0, toMs: slices.length * 1000 }],
    durationMs: slices.length * 1000,
    sliceMs: 1000,
    clockBoundMs: 0,
    slices: slices.map((data, index) => ({
      atMs: index * 1000,
      data: { trends: {}, counters: {}, gauges: {}, ...data },
    })),
    self: self as { second: number }[],
  })[0];
}

function trend(metric: string, ...values: number[]): Partial<SliceData> {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return { trends: { [metric]: histogram.encode() } };
}

test('an average, where a document asks for one', () => {
  const measured = check({ kind: 'mean', metric: 'l_ms' }, [trend('l_ms', 4000, 6000), trend('l_ms', 8000)], {
    limit: 8000,
  });
  expect(measured).toMatchObject({ outcome: 'pass', samples: 3 });
  expect(measured?.value).toBeCloseTo(6000, -1);
});

test('messages per second', () => {
  const slices = Array.from({ length: 10 }, () => ({ counters: { chat_sent_total: 55 } }));
  expect(check({ kind: 'rate', metric: 'chat_sent_total' }, slices, { op: '>=', limit: 50 })).toMatchObject({
    outcome: 'pass',
    value: 55,
  });
  expect(check({ kind: 'rate', metric: 'nothing_total' }, slices)?.outcome).toBe('inconclusive');
});

test('stalls per hundred seconds of play', () => {
  const slices = [
    { counters: { stalls_total: 1, played_ms_total: 100_000 } },
    { counters: { stalls_total: 1, played_ms_total: 100_000 } },
  ];
  const measure: Measure = { kind: 'per-hundred-seconds', metric: 'stalls_total', time: 'played_ms_total' };
  expect(check(measure, slices, { op: '<', limit: 1 })).toMatchObject({ outcome: 'fail', value: 1 });
});

describe('levels', () => {
  const room = (members: number, vus: number) => ({
    gauges: {
      'room_members{group=a}': members,
      'vus_active{actor=room-member,group=a}': vus,
      'vus_active{actor=flv-viewer,group=b}': 500,
    },
  });
  const measure: Measure = {
    kind: 'level',
    metric: 'room_members',
    reduce: 'max',
    versus: { metric: 'vus_active', where: { actor: 'room-member' } },
  };

  test('against another level: how far off, in either direction', () => {
    expect(check(measure, [room(100, 100), room(97, 100)], { limit: 5 })).toMatchObject({ outcome: 'pass', value: 3 });
    expect(check(measure, [room(100, 100), room(106, 100)], { limit: 5 })).toMatchObject({ outcome: 'fail', value: 6 });
  });

  test('nobody there is no proof', () => {
    expect(check(measure, [room(0, 0)])?.outcome).toBe('inconclusive');
  });
});

test('delay that grows over hours', () => {
  const growing = Array.from({ length: 300 }, (_, second) => trend('l_ms', 1000 + second, 1000 + second));
  const measure: Measure = { kind: 'drift', metric: 'l_ms', percentile: 50 };
  const drift = check(measure, growing, { limit: 0.5, unit: 'ms-per-minute' });
  expect(drift?.outcome).toBe('fail');
  expect(drift?.value).toBeCloseTo(60, 0);
  expect(drift?.worst).toBeNull();
  const flat = Array.from({ length: 300 }, (_, second) => trend('l_ms', 1000 + (second % 3)));
  expect(check(measure, flat, { limit: 0.5 })?.outcome).toBe('pass');
});

test('the generator itself', () => {
  const self = Array.from({ length: 100 }, (_, second) => ({ second, rssBytes: 1e8 + second * 1e6, breaches: [] }));
  const measure: Measure = { kind: 'self', metric: 'rssBytes', reduce: 'growth-percent' };
  const slices = Array.from({ length: 100 }, () => ({}));
  expect(check(measure, slices, { unit: 'percent' }, self)?.outcome).toBe('fail');
  expect(check({ ...measure, metric: 'noSuchField' }, slices, {}, self)?.outcome).toBe('inconclusive');
});

describe('the worst minute', () => {
  const seconds = (bad: (second: number) => number, tries = 100) =>
    Array.from({ length: 300 }, (_, second) => ({ counters: { bad_total: bad(second), tries_total: tries } }));
  const share: Measure = { kind: 'ratio', numerator: 'bad_total', denominator: 'tries_total' };

  test('one with samples enough decides', () => {
    const judged = check(
      share,
      seconds((second) => (second >= 120 && second < 180 ? 3 : 0)),
      { op: '<', limit: 1, unit: 'percent' },
    );
    expect(judged).toMatchObject({ outcome: 'fail', reason: 'holds on average, not in its worst minute' });
    expect(judged?.worst).toMatchObject({ fromMs: 120_000, toMs: 180_000, value: 3, isDecisive: true });
  });

  test('one bad try of a few in a minute is bad luck: shown, and not decisive', () => {
    const rare = seconds((second) => (second === 150 ? 1 : 0), 1);
    const judged = check(share, rare, { op: '<', limit: 1, unit: 'percent' });
    expect(judged).toMatchObject({ outcome: 'pass' });
    expect(judged?.worst).toMatchObject({ isDecisive: false });
    expect(judged?.worst?.value).toBeGreaterThan(1);
  });

  test('a share whose tries are answered later is judged as a whole: a window cuts between a try and its answer', () => {
    // Every try succeeds, 10 s after it was made; a burst of them lies across the edge of a window.
    const late = Array.from({ length: 300 }, (_, second) => ({
      counters: { bad_total: second === 130 ? 5000 : 100, tries_total: second === 120 ? 5000 : 100 },
    }));
    const limit = { op: '>', limit: 99, unit: 'percent' } as const;
    expect(check({ ...share, isFollowing: true }, late, limit)).toMatchObject({ outcome: 'pass', worst: null });
    expect(check(share, late, limit)).toMatchObject({ outcome: 'fail' });
  });

  test('of a count it is the minute with the most of them', () => {
    const measure: Measure = { kind: 'count', metric: 'bad_total', outOf: 'tries_total' };
    const judged = check(
      measure,
      seconds((second) => (second === 150 ? 2 : 0)),
      { limit: 0 },
    );
    expect(judged).toMatchObject({ outcome: 'fail', value: 2, worst: { value: 2, isDecisive: false } });
    expect(
      check(
        measure,
        seconds(() => 0),
        { limit: 0 },
      )?.worst,
    ).toBeNull();
  });
});

test('room to the limit is out of what it allows', () => {
  const good: Measure = { kind: 'ratio', numerator: 'good_total', denominator: 'tries_total' };
  const slices = [{ counters: { good_total: 9980, tries_total: 10_000 } }];
  const judged = check(good, slices, { op: '>', limit: 99, unit: 'percent' });
  expect(judged?.marginPercent).toBeCloseTo(80, 5);
});
