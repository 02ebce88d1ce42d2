import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { capacityOf } from './capacity.ts';
import type { Criterion } from './criterion.ts';
import { judge } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import { fitScalability } from './universal-scalability.ts';

const CPU: Criterion = {
  id: 'cpu',
  title: 'CPU of the busiest part',
  meaning: '',
  source: 'T-200',
  plane: 'video',
  isMandatory: true,
  measure: { kind: 'sample', metric: 'cpu_pct', reduce: 'max', per: 'core' },
  op: '<=',
  limit: 75,
  unit: 'percent',
  during: 'run',
  samplesMin: 3,
};
const STARTUP: Criterion = {
  ...CPU,
  id: 'startup',
  title: 'Startup p95',
  measure: { kind: 'percentile', metric: 'startup_ms', percentile: 95 },
  op: '<',
  limit: 3000,
  unit: 'ms',
};
const SECONDS = 600;

/** 0 to 500 viewers in five minutes, then a hold. `cpu` of one process on four cores. */
function ramp(options: {
  cpu?: (viewers: number) => number;
  startupMs?: (viewers: number) => number;
  flat?: boolean;
}): JudgeInput {
  const viewersAt = (second: number): number =>
    options.flat === true ? 500 : Math.min(500, Math.round(second * (500 / 300)));
  return {
    criteria: [CPU, STARTUP],
    planes: ['video'],
    abilities: [],
    phases: [{ name: 'steady', fromMs: 300_000, toMs: SECONDS * 1000 }],
    durationMs: SECONDS * 1000,
    sliceMs: 1000,
    clockBoundMs: 0,
    cores: 4,
    slices: Array.from({ length: SECONDS }, (_, second) => {
      const startups = new LatencyHistogram();
      startups.record(options.startupMs?.(viewersAt(second)) ?? 500);
      return {
        atMs: second * 1000,
        data: {
          trends: { startup_ms: startups.encode() },
          counters: { video_bytes_total: viewersAt(second) * 3e5 },
          gauges: {
            'vus_active{actor=flv-viewer,group=v}': viewersAt(second),
            'vus_active{actor=room-member,group=r}': 500,
          },
        },
      };
    }),
    samples: Array.from({ length: SECONDS / 5 + 1 }, (_, index) => ({
      atMs: index * 5000,
      atWallMs: 0,
      collector: 'process',
      source: 'media-server',
      metrics: { cpu_pct: 4 * (options.cpu?.(viewersAt(index * 5)) ?? 10) },
    })),
  };
}

const say = (input: JudgeInput, stamps: readonly string[] = [], isTrusted = true) =>
  capacityOf(input, judge(input), { stamps, isTrusted });

describe('a run that may speak of capacity', () => {
  test('names the viewers at which the first resource reaches its limit', () => {
    expect(say(ramp({ cpu: (viewers) => 5 + viewers / 8 })).sentences).toEqual([
      'Would fail at about 560 viewers: CPU of the busiest part (process media-server) in a straight line, R² 1.00.',
    ]);
  });

  test('says no number further out than twice what it measured', () => {
    const { sentences } = say(ramp({ cpu: (viewers) => 1 + viewers / 100 }));
    expect(sentences[0]).toMatch(/before 1000 viewers, further than this run can tell/);
  });

  test('names the levels between which a criterion broke', () => {
    const { sentences } = say(ramp({ startupMs: (viewers) => (viewers > 400 ? 9000 : 500) }));
    expect(sentences).toContain('Broke between 400 and 450 viewers: Startup p95.');
  });
});

describe('silence', () => {
  const rising = ramp({ cpu: (viewers) => 5 + viewers / 8 });

  test.each([[['co-located']], [['shortened']], [['steered', 'indicative']]])('stamped %s', (stamps) => {
    expect(say(rising, stamps)).toMatchObject({ sentences: [], silentBecause: expect.stringMatching(/stamped/) });
  });

  test('a run that cannot be trusted', () => {
    expect(say(rising, [], false).sentences).toEqual([]);
  });

  test('a load that did not rise', () => {
    expect(say(ramp({ flat: true, cpu: () => 50 }))).toMatchObject({
      sentences: [],
      silentBecause: expect.stringMatching(/six levels/),
    });
  });

  test('a resource that does not follow the load', () => {
    let turn = 0;
    expect(say(ramp({ cpu: () => (turn++ % 2 === 0 ? 5 : 60) })).sentences).toEqual([]);
  });
});

describe('the Universal Scalability Law', () => {
  const curve = (alpha: number, beta: number) =>
    [10, 50, 100, 200, 300, 400, 500].map((load) => ({
      load,
      throughput: (3 * load) / (1 + alpha * (load - 1) + beta * load * (load - 1)),
    }));

  test('finds what made the points, and where they peak', () => {
    const fit = fitScalability(curve(0.001, 0.000004));
    expect(fit?.gamma).toBeCloseTo(3, 6);
    expect(fit?.peakLoad).toBeCloseTo(Math.sqrt(0.999 / 0.000004), 3);
  });

  test('a straight line has no peak', () => {
    expect(fitScalability(curve(0, 0))?.peakLoad).toBeNull();
  });

  test('fewer than six levels, or points beside any curve, are no law', () => {
    expect(fitScalability(curve(0.001, 0.000004).slice(0, 5))).toBeNull();
    const wild = curve(0, 0).map((point, index) => ({
      ...point,
      throughput: point.throughput * (index % 2 === 0 ? 1 : 2),
    }));
    expect(fitScalability(wild)).toBeNull();
  });
});
