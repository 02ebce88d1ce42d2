import { expect, test } from 'vitest';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { faultTable } from '../report/fault-table.ts';
import type { PlannedFault } from '../run-folder/manifest.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { recoveryFigures } from './recovery-figures.ts';

const FAULT: PlannedFault = {
  name: 'cut',
  atMs: 3000,
  durationMs: 2000,
  fault: { kind: 'partition' },
  on: ['video'],
  skippedBecause: null,
};

/** Ten viewers; those in `backMs` came back, the others never did. */
function run(backMs: readonly number[], faults: readonly PlannedFault[] = [FAULT]): RunData {
  const histogram = new LatencyHistogram();
  for (const ms of backMs) histogram.record(ms);
  const counters = (second: number) => ({
    'recovery_viewers_total{fault=cut,group=g}': second === 6 ? 10 : 0,
    'recovery_lost_total{fault=cut,group=g}': second === 6 ? 10 - backMs.length : 0,
    'recovery_disturbed_total{fault=cut,group=g}': second === 6 ? 9 : 0,
    'watched_ms_total{group=g}': 10_000,
    'played_ms_total{group=g}': second >= 3 && second < 5 ? 1000 : 10_000,
    'flv_reconnects_total{group=g}': second === 5 ? 7 : 0,
    'play_attempts_total{group=g}': second === 0 ? 10 : 0,
  });
  const seconds = Array.from({ length: 10 }, (_, second) => ({
    atMs: second * 1000,
    counters: counters(second),
    gauges: {},
    trends: {},
    self: [],
  }));
  const slices = seconds.map(({ atMs, ...line }) => ({
    atMs,
    data: { ...line, trends: atMs === 6000 ? { 'recovery_ms{fault=cut,group=g}': histogram.encode() } : {} },
  }));
  const event = (name: string, atMs: number, detail = {}) => ({
    name,
    vu: -1,
    atMs,
    detail: { fault: 'cut', ...detail },
  });
  const events = [
    event('fault_injected', 3001),
    event('fault_active', 4000, { by: 'the probe <was> not answered' }),
    event('fault_healed', 5002),
  ];
  return {
    folder: '',
    manifest: { sliceMs: 1000, faults },
    lines: seconds,
    slices,
    self: [],
    events,
  } as unknown as RunData;
}

test('stamps, share of viewers over time, lost time and the storm after it', () => {
  const [figures] = recoveryFigures(run([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]));
  expect(figures).toMatchObject({
    injectedMs: 3001,
    activeMs: 4000,
    healedMs: 5002,
    viewers: 10,
    disturbed: 9,
    lost: 0,
    lostMsPerViewer: 1800,
    stormPeakPerSecond: 7,
  });
  expect(figures?.t50Ms).toBeCloseTo(400, -1);
  expect(figures?.t95Ms).toBeCloseTo(900, -1);
});

test('who never came back is the slowest: with two of ten lost there is no T95', () => {
  const [figures] = recoveryFigures(run([0, 100, 200, 300, 400, 500, 600, 700]));
  expect([figures?.lost, figures?.t95Ms]).toEqual([2, null]);
  expect(figures?.t50Ms).toBeCloseTo(400, -1);
});

test('the report names every fault, those that were skipped with the reason, and nothing without faults', () => {
  const skipped: PlannedFault = { ...FAULT, name: 'killed', skippedBecause: 'no process <was> named' };
  const table = faultTable(run([0], [FAULT, skipped]));
  expect(table).toContain('0:04: the probe &lt;was&gt; not answered');
  expect(table).toContain('skipped: no process &lt;was&gt; named');
  expect(faultTable(run([0], []))).toBe('');
});
