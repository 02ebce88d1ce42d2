import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { Criterion } from './criterion.ts';
import type { TimedSlice } from './evidence.ts';
import { judge } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import { decide, type RunTrust, whyInvalid } from './verdict.ts';

const STARTUP: Criterion = {
  id: 'startup',
  title: 'Startup p95',
  meaning: '',
  source: 'T-14',
  plane: 'video',
  isMandatory: true,
  measure: { kind: 'percentile', metric: 'startup_ms', percentile: 95 },
  op: '<=',
  limit: 3000,
  unit: 'ms',
  during: 'run',
  samplesMin: 5,
  isIndicative: true,
};
const REBUFFER: Criterion = {
  ...STARTUP,
  id: 'rebuffer',
  measure: { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total' },
  op: '<',
  limit: 1,
  unit: 'percent',
  during: 'steady',
  samplesMin: 1000,
};
const OVERSELL: Criterion = {
  ...STARTUP,
  id: 'oversell',
  plane: 'commerce',
  measure: { kind: 'count', metric: 'oversold_units_total', outOf: 'orders_total' },
  op: '<=',
  limit: 0,
  unit: 'count',
  samplesMin: 1,
};
const TRUSTED: RunTrust = {
  isInterrupted: false,
  taintedSeconds: 0,
  totalSeconds: 60,
  taintedPercentMax: 10,
  breaches: {},
  workerFailures: [],
};

function histogram(...values: number[]): string {
  const created = new LatencyHistogram();
  for (const value of values) created.record(value);
  return created.encode();
}

function run(slices: readonly Partial<TimedSlice['data']>[], planes: JudgeInput['planes'] = ['video', 'commerce']) {
  const durationMs = slices.length * 1000;
  return {
    planes,
    abilities: ['flv'] as const,
    phases: [{ name: 'steady' as const, fromMs: 2000, toMs: durationMs }],
    durationMs,
    sliceMs: 1000,
    clockBoundMs: 0,
    slices: slices.map((data, index) => ({
      atMs: index * 1000,
      data: { trends: {}, counters: {}, gauges: {}, ...data },
    })),
  };
}

const check = (criterion: Criterion, input: Omit<JudgeInput, 'criteria'>) => judge({ ...input, criteria: [criterion] });

describe('no data is never green', () => {
  test.each([
    ['an empty run', run([])],
    ['slices without the series', run([{ counters: { other_total: 3 } }])],
    ['a series of another name with the same beginning', run([{ counters: { orders_total_x: 3 } }])],
    [
      'a ratio of nothing',
      run(Array.from({ length: 9 }, () => ({ counters: { stalled_ms_total: 0, watched_ms_total: 0 } }))),
    ],
    ['a zero count when nothing was tried', run([{ counters: { oversold_units_total: 0, orders_total: 0 } }])],
  ])('%s is inconclusive', (_name, input) => {
    for (const criterion of [STARTUP, REBUFFER, OVERSELL]) {
      expect(check(criterion, input)[0]?.outcome).toBe('inconclusive');
      expect(decide(check(criterion, input), TRUSTED)).toBe('inconclusive');
    }
  });

  test('a counter that nobody keeps is not a zero', () => {
    expect(check(OVERSELL, run([{ counters: { orders_total: 5 } }]))[0]?.outcome).toBe('inconclusive');
    const watched = run(Array.from({ length: 9 }, () => ({ counters: { watched_ms_total: 1000 } })));
    expect(check(REBUFFER, watched)[0]?.outcome).toBe('inconclusive');
  });

  test('a share of more than everything is a mistake in counting, not a pass', () => {
    const delivery = { ...REBUFFER, op: '>' as const, limit: 99.9, samplesMin: 1 };
    const counted = (top: number) =>
      run(Array.from({ length: 9 }, () => ({ counters: { stalled_ms_total: top, watched_ms_total: 100 } })));
    expect(check(delivery, counted(100))[0]?.outcome).toBe('pass');
    expect(check(delivery, counted(101))[0]).toMatchObject({
      outcome: 'inconclusive',
      value: 101,
      reason: expect.stringMatching(/more than 100 %/),
    });
  });

  test('too few samples are inconclusive', () => {
    const input = run([{ trends: { startup_ms: histogram(100, 200, 300, 400) } }]);
    expect(check(STARTUP, input)[0]).toMatchObject({ outcome: 'inconclusive', samples: 4 });
  });

  test('a plane that the target lacks is not applicable, and nothing judged is not a pass', () => {
    const judgements = check(OVERSELL, run([{}], ['video']));
    expect(judgements[0]?.outcome).toBe('not applicable');
    expect(decide(judgements, TRUSTED)).toBe('inconclusive');
  });
});

test('a way of watching that the target lacks is not applicable, and says so', () => {
  const input = run([{ trends: { startup_ms: histogram(1, 2, 3, 4, 5, 6) } }]);
  expect(check({ ...STARTUP, needs: 'flv' }, input)[0]?.outcome).toBe('pass');
  expect(check({ ...STARTUP, needs: 'llhls' }, input)[0]).toMatchObject({
    outcome: 'not applicable',
    reason: 'the target has no LL-HLS',
  });
});

test('a count of one kind is judged by the tries of that kind', () => {
  const counters = { 'oversold_units_total{protocol=a}': 0, 'orders_total{protocol=b}': 5 };
  const measure = {
    kind: 'count',
    metric: 'oversold_units_total',
    outOf: 'orders_total',
    where: { protocol: 'a' },
  } as const;
  expect(check({ ...OVERSELL, measure }, run([{ counters }]))[0]?.outcome).toBe('inconclusive');
});

describe('clocks', () => {
  const latency: Criterion = { ...STARTUP, needsClock: true };
  const input = run([{ trends: { startup_ms: histogram(500, 500, 500, 500, 500) } }]);

  test.each([
    [0, 'pass'],
    [40, 'pass'],
    [60, 'inconclusive'],
    [null, 'inconclusive'],
  ])('an error bound of %s ms at 500 ms: %s', (clockBoundMs, outcome) => {
    expect(check(latency, { ...input, clockBoundMs })[0]?.outcome).toBe(outcome);
    expect(check(STARTUP, { ...input, clockBoundMs })[0]?.outcome).toBe('pass');
  });
});

describe('samples below zero', () => {
  const negative = (metric: string) => ({ counters: { [`latency_negative_total{group=g,metric=${metric}}`]: 1 } });
  const good = { trends: { startup_ms: histogram(500, 500, 500, 500, 500) } };

  test('one of them makes the clocks doubtful, wherever in the run it was', () => {
    for (const during of ['run', 'steady'] as const) {
      const latency: Criterion = { ...STARTUP, needsClock: true, during };
      expect(check(latency, run([negative('startup_ms'), {}, good]))[0]).toMatchObject({
        outcome: 'inconclusive',
        reason: expect.stringMatching(/1 sample below zero.*clock/),
      });
    }
  });

  test('those of another metric say nothing about this one', () => {
    expect(check({ ...STARTUP, needsClock: true }, run([negative('other_ms'), good]))[0]?.outcome).toBe('pass');
  });
});

describe('limits', () => {
  test('a percentile is one of the merged histogram, over slices and tags', () => {
    // 94 fast starts in one worker's series, 6 slow ones in the other's: p95 is slow though each average is not.
    const fast = histogram(...Array.from({ length: 94 }, () => 500));
    const slow = histogram(...Array.from({ length: 6 }, () => 4000));
    const input = run([{ trends: { 'startup_ms{group=a}': fast } }, { trends: { 'startup_ms{group=b}': slow } }]);
    expect(check(STARTUP, input)[0]).toMatchObject({ outcome: 'fail', samples: 100 });
    const onlyFast = { ...STARTUP, measure: { ...STARTUP.measure, where: { group: 'a' } } } as Criterion;
    expect(check(onlyFast, input)[0]).toMatchObject({ outcome: 'pass' });
  });

  test('a ratio is the sum of one over the sum of the other', () => {
    const seconds = [
      ...Array.from({ length: 50 }, () => ({ counters: { stalled_ms_total: 0, watched_ms_total: 10_000 } })),
      { counters: { stalled_ms_total: 500, watched_ms_total: 1000 } },
    ];
    // The mean of ratios would be 1 %; the ratio of sums is 0.1 %.
    const [judgement] = check(REBUFFER, run(seconds));
    expect(judgement).toMatchObject({ outcome: 'pass' });
    expect(judgement?.value).toBeCloseTo(0.1, 1);
    expect(judgement?.worst?.value).toBeGreaterThan(0.2);
  });

  test('in a full-length run the worst minute decides too', () => {
    const seconds = Array.from({ length: 1000 }, (_, index) => ({
      counters: { stalled_ms_total: index >= 500 && index < 560 ? 30 : 0, watched_ms_total: 1000 },
    }));
    expect(check(REBUFFER, run(seconds))[0]).toMatchObject({
      outcome: 'fail',
      reason: expect.stringMatching(/worst minute/),
    });
  });

  test('what happens outside the steady phase does not count for a steady criterion', () => {
    const seconds = Array.from({ length: 20 }, (_, index) => ({
      counters: { stalled_ms_total: index < 2 ? 900 : 0, watched_ms_total: 1000 },
    }));
    expect(check(REBUFFER, run(seconds))[0]).toMatchObject({ outcome: 'pass', value: 0 });
  });

  test('zero tolerance: one is too many', () => {
    const input = run([{ counters: { oversold_units_total: 1, orders_total: 500 } }]);
    expect(check(OVERSELL, input)[0]?.outcome).toBe('fail');
  });

  test('the margin is the distance to the limit', () => {
    const input = run([{ trends: { startup_ms: histogram(1500, 1500, 1500, 1500, 1500) } }]);
    expect(check(STARTUP, input)[0]?.marginPercent).toBeCloseTo(50, 0);
  });
});

describe('trust', () => {
  const failed = check(STARTUP, run([{ trends: { startup_ms: histogram(9, 9e3, 9e3, 9e3, 9e3) } }]));

  test('a failed criterion fails the run; a failed advisory does not', () => {
    expect(decide(failed, TRUSTED)).toBe('failed');
    const passed = check(STARTUP, run([{ trends: { startup_ms: histogram(1, 1, 1, 1, 1) } }]));
    const advisory = failed.map((one) => ({ ...one, criterion: { ...one.criterion, isMandatory: false } }));
    expect(decide([...passed, ...advisory], TRUSTED)).toBe('passed');
  });

  test('a starved generator makes the run invalid, never a slow server', () => {
    const starved = { ...TRUSTED, taintedSeconds: 12, breaches: { 'event-loop delay p99': 12 } };
    expect(decide(failed, starved)).toBe('invalid');
    expect(whyInvalid(starved)).toMatch(/event-loop delay p99 in 12 s/);
    expect(decide(failed, { ...TRUSTED, totalSeconds: 0 })).toBe('invalid');
    expect(decide(failed, { ...TRUSTED, workerFailures: ['worker 1 ended'] })).toBe('invalid');
  });

  test('an interrupted run says so', () => {
    expect(decide(failed, { ...TRUSTED, isInterrupted: true })).toBe('interrupted');
  });
});
