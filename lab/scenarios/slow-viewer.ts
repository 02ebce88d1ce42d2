import type { Criterion, Group, RunShare, Scenario } from '../src/index.ts';
import { FLV_CRITERIA } from './criteria/video.ts';

const MINUTE_MS = 60_000;
const VIEWERS = 110;
const SLOW = 10;
const HEALTHY_GROUP = 'viewers';
/** A third of the strategy's source (2.6 Mbit/s). */
const SLOW_BYTES_PER_SECOND = 100_000;

/** The slow ones are there from the third minute to the sixth, of nine; a quarter minute at each edge is left out. */
const BEFORE: RunShare = { from: 1 / 9, to: 2.75 / 9 };
const MEANWHILE: RunShare = { from: 3.25 / 9, to: 5.75 / 9 };

const slow: Group = {
  actor: 'flv-viewer',
  network: [{ kind: 'bandwidth', bytesPerSecond: SLOW_BYTES_PER_SECOND, direction: 'to-client' }],
  timing: {
    executor: 'ramping-vus',
    startVus: 0,
    stages: [
      { durationMs: 3 * MINUTE_MS, target: 0 },
      { durationMs: 0.1 * MINUTE_MS, target: SLOW },
      { durationMs: 2.8 * MINUTE_MS, target: SLOW },
      { durationMs: 0.1 * MINUTE_MS, target: 0 },
      { durationMs: 3 * MINUTE_MS, target: 0 },
    ],
  },
  options: { profile: 'mpegts.js', sampleEvery: 10 },
};

/** What moves for the others when slow viewers come. */
function unmoved(criterion: Pick<Criterion, 'id' | 'title' | 'limit' | 'unit' | 'measure' | 'samplesMin'>): Criterion {
  return {
    plane: 'video',
    needs: 'flv',
    isMandatory: true,
    meaning: 'Of the viewers who are not slow: while the slow ones are there, less what it was before they came.',
    source: 'qoe 2.2, bar V3',
    op: '<=',
    during: 'run',
    ...criterion,
  };
}

const where = { group: HEALTHY_GROUP };

const UNMOVED: readonly Criterion[] = [
  unmoved({
    id: 'others-latency-change',
    title: 'Delay of the others, p95: change',
    measure: {
      kind: 'change',
      of: { kind: 'percentile', metric: 'latency_capture_ms', percentile: 95, where },
      before: BEFORE,
      after: MEANWHILE,
    },
    limit: 200,
    unit: 'ms',
    samplesMin: 30,
  }),
  unmoved({
    id: 'others-tag-gap-change',
    title: 'Time between pictures of the others, p95: change',
    measure: {
      kind: 'change',
      of: { kind: 'percentile', metric: 'flv_tag_gap_ms', percentile: 95, where },
      before: BEFORE,
      after: MEANWHILE,
    },
    limit: 50,
    unit: 'ms',
    samplesMin: 30,
  }),
  unmoved({
    id: 'others-stalled-change',
    title: 'Stalled time of the others: change',
    measure: {
      kind: 'change',
      of: { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total', where },
      before: BEFORE,
      after: MEANWHILE,
    },
    limit: 0.2,
    unit: 'percent',
    samplesMin: 10_000,
  }),
];

/** Everything that is asked of viewers is asked of those who are not slow; a hundred starts cannot show that 99 % succeed. */
const HEALTHY = FLV_CRITERIA.map((criterion): Criterion => {
  const { id, measure, isMandatory } = criterion;
  return {
    ...criterion,
    isMandatory: isMandatory && id !== 'start-success',
    measure: { ...measure, where } as Criterion['measure'],
  };
});

/** Some viewers read more slowly than the stream runs, through the lab's proxy; nobody else may notice. */
export const scenario: Scenario = {
  name: 'slow-viewer',
  purpose: 'A hundred people watch; for three minutes ten more do whose network carries a third of the stream.',
  durationMs: 9 * MINUTE_MS,
  viewers: VIEWERS,
  groups: {
    [HEALTHY_GROUP]: {
      actor: 'flv-viewer',
      timing: { executor: 'constant-vus', vus: VIEWERS - SLOW, arriveOverMs: 0.5 * MINUTE_MS },
      options: { profile: 'mpegts.js', sampleEvery: 5 },
    },
    slow,
  },
  criteria: [...HEALTHY, ...UNMOVED],
};
