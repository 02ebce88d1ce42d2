/** What holds for all viewers together, however they watch: who stayed, on the way up, in the hold and after the drain. */
import type { Criterion } from '../../src/index.ts';

const VIDEO = { plane: 'video', isMandatory: true } as const;

/** In the hold nobody drops out, and nothing that was connected breaks (5.1 #1). The length of the hold is the run's own stamp. */
export const HOLD_CRITERIA: readonly Criterion[] = [
  {
    ...VIDEO,
    id: 'hold-drop-outs',
    title: 'Viewers who dropped out in the hold',
    meaning: 'Viewers whose playback failed for good while everybody was there.',
    source: '5.1 #1 (T-199), 1.4 (T-28)',
    gate: 'M1',
    measure: { kind: 'count', metric: 'play_failures_total', outOf: 'watched_ms_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'steady',
    samplesMin: 1000,
  },
  {
    ...VIDEO,
    id: 'hold-flv-reconnects',
    title: 'FLV connections that broke in the hold',
    meaning: 'Endless answers that ended and had to be opened again while everybody was there.',
    source: '5.1 #1 (T-199)',
    gate: 'M1',
    needs: 'flv',
    measure: { kind: 'count', metric: 'flv_reconnects_total', outOf: 'flv_tags_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'steady',
    samplesMin: 1000,
  },
  {
    ...VIDEO,
    id: 'hold-hls-errors',
    title: 'HLS requests that failed in the hold',
    meaning: 'Lists, segments and parts without a whole answer while everybody was there.',
    source: '5.1 #1 (T-199)',
    gate: 'M1',
    needs: 'hls',
    measure: { kind: 'count', metric: 'hls_request_errors_total', outOf: 'hls_requests_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'steady',
    samplesMin: 100,
  },
];

/** While it ramps up nobody is turned away (2.2 S1). */
export const RAMP_UP_CRITERIA: readonly Criterion[] = [
  {
    ...VIDEO,
    id: 'ramp-up-failures',
    title: 'Viewers turned away while it ramped up',
    meaning: 'Attempts to play that failed for good before everybody was there.',
    source: '2.2 S1 (T-60)',
    measure: { kind: 'count', metric: 'play_failures_total', outOf: 'play_attempts_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'warm-up',
    samplesMin: 1,
  },
];

/** All ways of watching together. */
export const ALL_VIEWERS_CRITERIA: readonly Criterion[] = [
  {
    ...VIDEO,
    id: 'all-start-success',
    title: 'Viewers who got a picture',
    meaning: 'First pictures shown, out of all attempts to play, however they watch.',
    source: '1.2 (T-18), 5.1 #5 (T-203)',
    gate: 'M5',
    measure: { kind: 'ratio', numerator: 'play_starts_total', denominator: 'play_attempts_total', isFollowing: true },
    op: '>',
    limit: 99,
    unit: 'percent',
    during: 'run',
    samplesMin: 5,
  },
  {
    ...VIDEO,
    id: 'all-rebuffer-ratio',
    title: 'Time spent stalled, everybody',
    meaning: 'Stalled time of all viewers together, out of the time they watched.',
    source: '5.1 #4 (T-202), 2.2 S3 (T-89), Readings 3',
    gate: 'M4',
    measure: { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total' },
    op: '<',
    limit: 1,
    unit: 'percent',
    during: 'steady',
    samplesMin: 10_000,
  },
  {
    plane: 'video',
    isMandatory: false,
    id: 'rebuffer-events',
    title: 'Stalls per 100 s of play',
    meaning:
      'Stalls out of seconds with a moving picture, in percent: the first of three ways to count; stalled time decides.',
    source: '1.2 (T-16), Readings 3',
    measure: { kind: 'per-hundred-seconds', metric: 'stalls_total', time: 'played_ms_total' },
    op: '<',
    limit: 1,
    unit: 'percent',
    during: 'steady',
    samplesMin: 10_000,
  },
];

/** Delay that grows over hours is a leak (qoe 2.3): 0.5 ms per minute is 3 s in a hundred hours, 180 ms in six. */
export const DRIFT_CRITERIA: readonly Criterion[] = (['flv', 'hls', 'llhls'] as const).map((protocol) => ({
  plane: 'video',
  needs: protocol,
  isMandatory: false,
  id: `${protocol}-latency-drift`,
  title: `${{ flv: 'FLV', hls: 'HLS', llhls: 'LL-HLS' }[protocol]}: delay that grows`,
  meaning: 'Theil–Sen slope of the median glass-to-glass delay (tier A) while everybody was there.',
  source: 'qoe 2.3, 1.1 (T-11, T-12)',
  measure: { kind: 'drift', metric: 'latency_capture_ms', percentile: 50, where: { protocol } },
  op: '<=',
  limit: 0.5,
  unit: 'ms-per-minute',
  during: 'steady',
  samplesMin: 120,
}));

/** The generator itself must not grow, or it measures its own leak. */
export const GENERATOR_CRITERIA: readonly Criterion[] = [
  {
    plane: 'video',
    isMandatory: true,
    id: 'generator-memory',
    title: 'Growth of the generator itself',
    meaning: 'Resident memory of the lab: the last tenth of the steady phase against its first (medians).',
    source: 'T-235 (6.3), qoe 3.7',
    measure: { kind: 'self', metric: 'rssBytes', reduce: 'growth-percent' },
    op: '<',
    limit: 10,
    unit: 'percent',
    during: 'steady',
    samplesMin: 600,
  },
];
