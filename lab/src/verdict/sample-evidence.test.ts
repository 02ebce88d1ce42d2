import { describe, expect, test } from 'vitest';
import type { SampleLine } from '../collectors/sample.ts';
import type { Criterion, SampleMeasure, SampleReturnMeasure } from './criterion.ts';
import { judge } from './judge.ts';

const MEASURE: SampleMeasure = {
  kind: 'sample',
  metric: 'cpu_pct',
  reduce: 'max',
  collectors: ['process', 'container'],
};
const CPU: Criterion = {
  id: 'cpu',
  title: 'CPU',
  meaning: '',
  source: 'T-200',
  plane: 'video',
  isMandatory: true,
  measure: MEASURE,
  op: '<=',
  limit: 75,
  unit: 'percent',
  during: 'run',
  samplesMin: 3,
};
const EVERY_MS = 5000;
const DURATION_MS = 300_000;

type LineOptions = { collector?: string; metric?: string; fromMs?: number; toMs?: number };

/** One line every five seconds. */
function lines(source: string, value: (atMs: number) => number, options: LineOptions = {}): SampleLine[] {
  const { collector = 'process', metric = 'cpu_pct', fromMs = 0, toMs = DURATION_MS } = options;
  return Array.from({ length: Math.floor((toMs - fromMs) / EVERY_MS) + 1 }, (_, index) => {
    const atMs = fromMs + index * EVERY_MS;
    return { atMs, atWallMs: atMs, collector, source, metrics: { [metric]: value(atMs) } };
  });
}

function check(samples: readonly SampleLine[], criterion: Criterion = CPU) {
  const phases = [{ name: 'steady' as const, fromMs: 60_000, toMs: 240_000 }];
  return judge({
    criteria: [criterion],
    planes: ['video'],
    abilities: [],
    phases,
    durationMs: DURATION_MS,
    sliceMs: 1000,
    clockBoundMs: 0,
    slices: [],
    samples,
    viewers: 500,
    cores: 4,
  })[0];
}

describe('the worst part decides', () => {
  const quiet = lines('commerce', () => 20);
  const busy = lines('media-server', (atMs) => (atMs === 150_000 ? 76 : 40));

  test('one sample of one process over the limit is enough', () => {
    expect(check([...quiet, ...busy])).toMatchObject({
      outcome: 'fail',
      value: 76,
      which: 'process media-server, the worst of 2',
    });
    expect(check(quiet)).toMatchObject({ outcome: 'pass', value: 20, which: 'process commerce' });
  });

  test('the moment is shown', () => {
    const worst = check([...quiet, ...busy])?.worst;
    expect(worst).toMatchObject({ value: 76, isDecisive: false });
    expect(worst?.fromMs).toBeLessThanOrEqual(150_000);
    expect(worst?.toMs).toBeGreaterThanOrEqual(150_000);
  });

  test('other collectors that know a metric of this name are not asked', () => {
    expect(check([...quiet, ...lines('whole machine', () => 99, { collector: 'host' })])?.value).toBe(20);
  });

  test('per core and per viewer', () => {
    const perCore: Criterion = { ...CPU, measure: { ...MEASURE, per: 'core' } };
    expect(
      check(
        lines('media-server', () => 240),
        perCore,
      ),
    ).toMatchObject({ outcome: 'pass', value: 60 });
    const perViewer: Criterion = { ...CPU, measure: { ...MEASURE, metric: 'mem_mb', per: 'viewer' }, limit: 4 };
    expect(
      check(
        lines('media-server', () => 1500, { metric: 'mem_mb' }),
        perViewer,
      )?.value,
    ).toBe(3);
  });

  test('only what happened in the phase counts', () => {
    const late = lines('media-server', (atMs) => (atMs > 250_000 ? 90 : 10));
    expect(check(late)?.outcome).toBe('fail');
    expect(check(late, { ...CPU, during: 'steady' })).toMatchObject({ outcome: 'pass', value: 10 });
  });
});

describe('silence is no proof', () => {
  test('nothing was collected at all', () => {
    expect(check([])).toMatchObject({
      outcome: 'inconclusive',
      reason: 'nothing was collected: no cpu_pct (process or container) in this run',
    });
  });

  test('a collector that died is named, with the time', () => {
    expect(check([...lines('a', () => 1), ...lines('media-server', () => 1, { toMs: 100_000 })])).toMatchObject({
      outcome: 'inconclusive',
      reason: 'the collector of process media-server was silent for 200 s from second 100 on',
    });
  });

  test('a gap in the middle, and one at the start', () => {
    const gap = lines('m', () => 1).filter(({ atMs }) => atMs < 100_000 || atMs > 125_000);
    expect(check(gap)?.reason).toMatch(/silent for 35 s from second 95 on/);
    expect(check(lines('m', () => 1, { fromMs: 40_000 }))?.reason).toMatch(/silent for 40 s from second 0 on/);
  });

  test('two scrapes that failed are a gap that may be', () => {
    const two = lines('m', () => 1).filter(({ atMs }) => atMs !== 100_000 && atMs !== 105_000);
    expect(check(two)?.outcome).toBe('pass');
  });

  test('one of several that never answered', () => {
    const dead: SampleLine = { atMs: 0, atWallMs: 0, collector: 'process', source: 'worker', error: 'no such process' };
    expect(check([...lines('a', () => 1), dead])).toMatchObject({
      outcome: 'inconclusive',
      reason: 'the collector of process worker never brought a figure: no such process',
    });
  });

  test('a figure that is no number proves nothing', () => {
    expect(check(lines('m', () => Number.NaN))?.outcome).toBe('inconclusive');
  });

  test('a part that nobody watched is not applicable; one that was watched in vain is inconclusive', () => {
    const redis: Criterion = {
      ...CPU,
      needsCollector: 'redis',
      measure: { kind: 'sample', metric: 'evicted_keys', reduce: 'sum', collectors: ['redis'] },
    };
    expect(
      check(
        lines('a', () => 1),
        redis,
      ),
    ).toMatchObject({ outcome: 'not applicable', reason: 'no redis was watched' });
    const dead: SampleLine = { atMs: 0, atWallMs: 0, collector: 'redis', source: 'r', error: 'refused' };
    expect(check([dead], redis)?.outcome).toBe('inconclusive');
  });
});

describe('over hours', () => {
  const growth: Criterion = {
    ...CPU,
    measure: { ...MEASURE, metric: 'mem_mb', reduce: 'growth-percent' },
    op: '<',
    limit: 10,
  };

  test('a process that leaks is caught by name, flat ones are not', () => {
    const flat = lines('commerce', (atMs) => 200 + (atMs % 3), { metric: 'mem_mb' });
    const leak = lines('media-server', (atMs) => 200 + atMs / 5000, { metric: 'mem_mb' });
    expect(check(flat, growth)?.outcome).toBe('pass');
    expect(check([...flat, ...leak], growth)).toMatchObject({
      outcome: 'fail',
      which: 'process media-server, the worst of 2',
    });
  });

  test('back where it was after a spike, or not', () => {
    const measure: SampleReturnMeasure = {
      kind: 'sample-return',
      metric: 'heap_used_mb',
      before: { from: 0, to: 0.1 },
      after: { from: 0.8, to: 1 },
      slack: 5,
    };
    const back: Criterion = { ...CPU, measure, limit: 10 };
    const heap = (after: number) =>
      lines('web', (atMs) => (atMs < 40_000 ? 100 : atMs < 200_000 ? 400 : after), { metric: 'heap_used_mb' });
    expect(check(heap(108), back)).toMatchObject({ outcome: 'pass', value: 8 });
    expect(check(heap(104), back)).toMatchObject({ outcome: 'pass', value: 0 }); // within the slack
    expect(check(heap(130), back)).toMatchObject({ outcome: 'fail', value: 30 });
    expect(check(heap(100).slice(20), back)?.outcome).toBe('inconclusive'); // nothing from before
  });
});
