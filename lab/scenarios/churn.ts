import type { Criterion, RunShare, Scenario, SessionLength } from '../src/index.ts';
import { PLAYBACK_CRITERIA } from './criteria/kpis.ts';
import { DRAIN_CRITERIA } from './criteria/resource-trends.ts';
import { PARTS } from './criteria/resources.ts';
import { watchedBy } from './crowd.ts';

const MINUTE_MS = 60_000;
/** People who are there at the same time, on average. */
const VIEWERS = 200;
/** Most look in for a moment, some stay (Veloso et al. 2002). */
const STAY: SessionLength = { kind: 'lognormal', medianMs: 8000, sigma: 1 };
/** exp(sigma² / 2) medians: a lognormal's mean. */
const MEAN_STAY_MS = 8000 * Math.exp(0.5);
const MIX = { flv: 1, hls: 1, llhls: 0 };

/** One tenth of the run is quiet before anybody comes, and two tenths after the last one has left. */
const BEFORE: RunShare = { from: 0, to: 0.1 };
const AFTER: RunShare = { from: 0.9, to: 1 };

function arrivals(share: number) {
  const rate = (share * VIEWERS) / (MEAN_STAY_MS / 1000);
  return {
    executor: 'ramping-arrival-rate',
    timeUnitMs: 1000,
    // Twice the mean number present: who finds no seat is counted as dropped.
    preAllocatedVus: Math.ceil(2 * share * VIEWERS),
    spacing: 'poisson',
    session: STAY,
    startRate: 0,
    stages: [
      { durationMs: 2 * MINUTE_MS, target: 0 },
      { durationMs: 0.5 * MINUTE_MS, target: rate },
      { durationMs: 12.5 * MINUTE_MS, target: rate },
      { durationMs: 0.5 * MINUTE_MS, target: 0 },
      { durationMs: 4.5 * MINUTE_MS, target: 0 },
    ],
  } as const;
}

/** Memory of every part of the platform after thousands have come and gone, against before. */
const MEMORY_BACK: Criterion = {
  plane: 'video',
  isMandatory: true,
  id: 'memory-back',
  title: 'Memory after the crowd over before',
  meaning: 'Median of resident memory when everybody has left, over the median before anybody came; the worst part.',
  source: '2.2 S2 (T-70), 2.2 S3 (T-80), qoe 2.2',
  measure: {
    kind: 'sample-return',
    metric: 'mem_mb',
    before: BEFORE,
    after: AFTER,
    // A runtime keeps what it once needed: so much is no leak.
    slack: 64,
    collectors: PARTS,
  },
  op: '<=',
  limit: 20,
  unit: 'percent',
  during: 'run',
  samplesMin: 3,
};

/** People come and go all the time; what they needed must come back. */
export const scenario: Scenario = {
  name: 'churn',
  purpose:
    'Two hundred people at a time, each for some seconds, for a quarter of an hour: some fourteen thousand visits.',
  durationMs: 20 * MINUTE_MS,
  viewers: VIEWERS,
  groups: {
    'flv-viewers': {
      actor: 'flv-viewer',
      timing: arrivals(0.5),
      options: { profile: 'mpegts.js', sampleEvery: 20 },
    },
    'hls-viewers': {
      actor: 'hls-viewer',
      timing: arrivals(0.5),
      options: { profile: 'hls.js', mode: 'classic', sampleEvery: 20 },
    },
  },
  criteria: [...watchedBy(MIX, PLAYBACK_CRITERIA), MEMORY_BACK, ...DRAIN_CRITERIA],
};
