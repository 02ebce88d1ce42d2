import { GUARD_DEFAULTS } from '../src/engine/guard.ts';
import { LatencyHistogram } from '../src/metrics/latency-histogram.ts';
import type { Manifest } from '../src/run-folder/manifest.ts';
import type { RunData } from '../src/run-folder/run-reader.ts';
import type { Criterion } from '../src/verdict/criterion.ts';

/** One percentile, judged from one sample. */
export const CRITERION: Criterion = {
  id: 'startup',
  title: 'Startup <p95>',
  meaning: 'm',
  source: 'T-14',
  plane: 'video',
  isMandatory: true,
  measure: { kind: 'percentile', metric: 'startup_ms', percentile: 100 },
  op: '<=',
  limit: 3000,
  unit: 'ms',
  during: 'run',
  samplesMin: 1,
};

/** A run of one second in which one viewer started, as the report reads it from a folder. */
export function smallRun(startupMs: number, manifest: Partial<Manifest> = {}): RunData {
  const histogram = new LatencyHistogram();
  histogram.record(startupMs);
  const trends = { 'startup_ms{group=viewers}': histogram.encode() };
  const self = { loopDelayP99Ms: 1, workerCpuPercent: 2, timerLatenessP99Ms: 1, memoryPercent: 3, breaches: [] };
  return {
    folder: '/nowhere',
    manifest: {
      version: 1,
      runId: 'r',
      scenario: { name: 'smoke', purpose: 'p', fullDurationMs: 60_000 },
      groups: { viewers: { actor: 'flv-viewer', executor: 'constant-vus', vus: 1 } },
      skippedGroups: ['shoppers'],
      playerProfiles: ['strict'],
      seed: 1,
      viewers: 1,
      durationMs: 60_000,
      phases: [],
      sliceMs: 1000,
      isShortened: false,
      isCoLocated: false,
      target: {
        kind: 'url',
        url: 'http://x/<b>',
        planes: ['video'],
        subject: 's',
        flvUrl: null,
        hls: null,
        room: null,
        shop: null,
        version: null,
      },
      workers: 1,
      criteria: [CRITERION],
      guard: GUARD_DEFAULTS,
      clock: { boundMs: 0, note: 'one clock' },
      fingerprint: {
        lab: '0',
        node: 'v',
        platform: 'linux',
        kernel: 'k',
        cpu: 'c',
        cores: 2,
        memoryBytes: 1e9,
        loadAverage: 0,
        openFilesMax: 1,
      },
      startedAtWallMs: 0,
      end: { atWallMs: 60_000, elapsedMs: 60_000, isInterrupted: false, workerFailures: [], droppedEvents: 0 },
      ...manifest,
    },
    lines: [{ atMs: 0, counters: {}, gauges: {}, trends: {}, self: [{ ...self, second: 0 }] }],
    slices: [{ atMs: 0, data: { trends, counters: {}, gauges: {} } }],
    self: [{ ...self, second: 0 }],
    events: [],
    samples: [],
  };
}
