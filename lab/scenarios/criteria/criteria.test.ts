import { describe, expect, test } from 'vitest';
import { SAMPLE_METRICS } from '../../src/collectors/metric-names.ts';
import { METRICS } from '../../src/metrics/metric-catalogue.ts';
import { traceOf } from '../../src/report/trace.ts';
import { GATE } from '../../src/verdict/gate.ts';
import { indicative } from './indicative.ts';
import { KPI_CRITERIA, RAMP_CRITERIA, SOAK_CRITERIA, SPIKE_CRITERIA } from './kpis.ts';
import { RECOVERY_CRITERIA } from './recovery.ts';
import { CHAT_RATE_CRITERIA, RECONNECT_CRITERIA } from './room.ts';

const SETS = {
  ramp: RAMP_CRITERIA,
  spike: SPIKE_CRITERIA,
  soak: SOAK_CRITERIA,
  recovery: [...RECOVERY_CRITERIA, ...RECONNECT_CRITERIA],
  chat: CHAT_RATE_CRITERIA,
};
const ALL = Object.values(SETS).flat();

/** `T-11` to `T-38` and so on, out of all sources. */
const rowsOf = (criteria: readonly { source: string }[]): Set<string> =>
  new Set(criteria.flatMap(({ source }) => source.match(/\bT-\d+\b/g) ?? []));

test.each([11, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 28, 30, 31, 33, 34, 35, 36, 37, 38])(
  'section 1: the target in row T-%i is a threshold that names it',
  (row) => {
    expect(rowsOf(ALL)).toContain(`T-${row}`);
  },
);

test.each([60, 61, 68, 69, 70, 71, 80, 81, 83, 85, 86, 87, 88, 89, 99, 100, 101])(
  'section 2.2: the pass criterion in row T-%i is a threshold that names it',
  (row) => {
    expect(rowsOf(ALL)).toContain(`T-${row}`);
  },
);

describe('the gate', () => {
  test('has ten mandatory lines and seven advisories', () => {
    expect(GATE.filter(({ isMandatory }) => isMandatory)).toHaveLength(10);
    expect(GATE.filter(({ isMandatory }) => !isMandatory)).toHaveLength(7);
  });

  test.each(GATE.map(({ id, test: scenario }) => [id, scenario] as const))(
    '%s is judged by the %s run',
    (id, scenario) => {
      const wanted = scenario === 'all' ? [SETS.ramp, SETS.spike, SETS.soak] : [SETS[scenario]];
      for (const set of wanted) expect(set.filter(({ gate }) => gate === id).length).toBeGreaterThan(0);
    },
  );

  test('a mandatory line rests on a mandatory criterion', () => {
    for (const { id } of GATE.filter(({ isMandatory }) => isMandatory)) {
      expect(
        ALL.some(({ gate, isMandatory }) => gate === id && isMandatory),
        id,
      ).toBe(true);
    }
  });
});

test.each(Object.entries(SETS))('%s: no id twice, and every metric exists', (_name, set) => {
  const ids = set.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const collected = new Set(Object.values(SAMPLE_METRICS).flatMap(({ metrics }) => Object.keys(metrics)));
  for (const { measure, id } of set) {
    if (measure.kind === 'self') continue;
    const isCollected = measure.kind === 'sample' || measure.kind === 'sample-return';
    for (const metric of traceOf(measure).metrics.map((text) => text.split(/[ {]/)[0] ?? '')) {
      expect(isCollected ? collected.has(metric) : metric in METRICS, `${id}: ${metric}`).toBe(true);
    }
  }
});

test('the hold of the ramp allows half a percent of stalled time', () => {
  for (const { limit } of RAMP_CRITERIA.filter(({ id }) => id.endsWith('rebuffer-ratio'))) expect(limit).toBe(0.5);
  for (const { limit } of KPI_CRITERIA.filter(({ id }) => id.endsWith('rebuffer-ratio'))) expect(limit).toBe(1);
});

test('a run that is small on purpose waits for no more samples than it says', () => {
  for (const one of indicative(KPI_CRITERIA, 5)) expect(one).toMatchObject({ isIndicative: true });
  expect(Math.max(...indicative(KPI_CRITERIA, 5).map(({ samplesMin }) => samplesMin))).toBe(5);
});
