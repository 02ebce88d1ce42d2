/** What every viewer sees: start, stalls, delay, being thrown out. Limits of the strategy's sections 1.1, 1.2 and 5.1. */
import type { Criterion, VideoAbility } from '../../src/index.ts';

/** How the ways of watching differ in what is asked of them. */
export type Way = Readonly<{
  protocol: VideoAbility;
  name: string;
  /** Begins the ids of its criteria. */
  prefix: string;
  startupMsMax: number;
  latencyMsMax: number;
  startupSource: string;
  latencySource: string;
}>;

/** HTTP-FLV. Below 3 s at p95 decides (Readings 26). */
export const FLV: Way = {
  protocol: 'flv',
  name: 'FLV',
  prefix: '',
  startupMsMax: 3000,
  latencyMsMax: 3000,
  startupSource: '1.1 (T-14), Readings 15',
  latencySource: '1.1 (T-11), 5.1 #7 (T-205), Readings 26 and 28',
};
/** Classic HLS. p95 of the delay is stricter than the average that 5.1 #6 names, which has a criterion of its own. */
export const HLS: Way = {
  protocol: 'hls',
  name: 'HLS',
  prefix: 'hls-',
  startupMsMax: 6000,
  latencyMsMax: 8000,
  startupSource: '1.1 (T-15), Readings 15',
  latencySource: '1.1 (T-12), Readings 2, 27 and 28',
};
/** LL-HLS, ahead of what the strategy hopes for (Readings 27). */
export const LLHLS: Way = {
  protocol: 'llhls',
  name: 'LL-HLS',
  prefix: 'llhls-',
  startupMsMax: 3000,
  latencyMsMax: 3500,
  startupSource: '1.1 (T-15), Readings 15',
  latencySource: '1.1 (T-12), Readings 27 and 28',
};

/** Judged for one way of watching. */
export function playback(way: Way): Criterion[] {
  const { protocol, name, prefix } = way;
  const where = { protocol };
  const video = { isMandatory: true, plane: 'video', needs: protocol } as const;
  return [
    {
      ...video,
      id: `${prefix}start-success`,
      title: `${name} viewers who got a picture`,
      meaning: 'First pictures shown, out of all attempts to play.',
      source: '1.2 (T-18), 5.1 #5 (T-203)',
      gate: 'M5',
      measure: {
        kind: 'ratio',
        numerator: 'play_starts_total',
        denominator: 'play_attempts_total',
        where,
        isFollowing: true,
      },
      op: '>',
      limit: 99,
      unit: 'percent',
      during: 'run',
      samplesMin: 5,
    },
    {
      ...video,
      id: `${prefix}startup-p95`,
      title: `${name}: time to first picture, p95`,
      meaning: 'From the planned moment of pressing play until the picture moves. Failed starts are counted above.',
      source: way.startupSource,
      measure: { kind: 'percentile', metric: 'startup_ms', percentile: 95, where },
      op: '<=',
      limit: way.startupMsMax,
      unit: 'ms',
      during: 'run',
      samplesMin: 5,
    },
    {
      ...video,
      id: `${prefix}rebuffer-ratio`,
      title: `${name}: time spent stalled`,
      meaning: 'Stalled time of all viewers together, out of the time they watched (CTA-2066; a ratio of sums).',
      source: '1.2 (T-17), 5.1 #4 (T-202), Readings 3',
      gate: 'M4',
      measure: { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total', where },
      op: '<',
      limit: 1,
      unit: 'percent',
      during: 'steady',
      samplesMin: 10_000,
    },
    {
      ...video,
      id: `${protocol}-latency-p95`,
      title: `${name}: glass-to-glass delay (tier A), p95`,
      meaning: 'Age of the picture when the player shows it, by the capture time inside the picture.',
      source: way.latencySource,
      ...(protocol === 'flv' ? { gate: 'M7' as const } : {}),
      measure: { kind: 'percentile', metric: 'latency_capture_ms', percentile: 95, where },
      needsClock: true,
      op: protocol === 'flv' ? '<' : '<=',
      limit: way.latencyMsMax,
      unit: 'ms',
      during: 'steady',
      samplesMin: 30,
    },
  ];
}

/** What a viewer of HTTP-FLV sees. */
export const FLV_CRITERIA: readonly Criterion[] = [
  ...playback(FLV),
  {
    isMandatory: false,
    id: 'flv-latency-ingest-p95',
    title: 'FLV: ingest-to-glass delay, p95',
    meaning: 'Age of the picture since the media server received it: a tier of its own, without the way to the server.',
    source: '1.1 (T-11), Readings 28',
    plane: 'video',
    needs: 'flv',
    measure: { kind: 'percentile', metric: 'latency_ingest_ms', percentile: 95, where: { protocol: 'flv' } },
    needsClock: true,
    op: '<=',
    limit: 3000,
    unit: 'ms',
    during: 'steady',
    samplesMin: 5,
  },
];
