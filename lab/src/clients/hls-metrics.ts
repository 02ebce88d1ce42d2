/** The series of HLS viewers of one group, made once per thread and shared by them. A counter that stays 0 is known to be 0. */
import type { Counter, Recorder, Trend } from '../metrics/recorder.ts';
import type { LatencyTier } from '../player/hls-player.ts';
import { SKIP_CAUSES, type SkipCause } from '../player/media-follower.ts';
import { createPlaybackMetrics, type PlaybackMetrics } from './playback-metrics.ts';

/** What can be asked for. */
export const OBJECT_TYPES = ['master', 'list', 'blocking-list', 'init', 'segment', 'part', 'hint'] as const;
/** One of {@link OBJECT_TYPES}. */
export type ObjectType = (typeof OBJECT_TYPES)[number];

/** What waits by design: these times stand in series of their own and are never mixed with the others. */
const WAITING_TYPES: ReadonlySet<string> = new Set<ObjectType>(['blocking-list', 'hint']);

/** What a startup is made of, in order. */
export const STARTUP_STAGES = ['connect', 'master', 'list', 'init', 'media', 'fill'] as const;
/** One of {@link STARTUP_STAGES}. */
export type StartupStage = (typeof STARTUP_STAGES)[number];

/** Of one type of object. */
export type ObjectMetrics = {
  readonly ttfbMs: Trend;
  readonly ttlbMs: Trend;
  readonly requests: Counter;
  readonly errors: Counter;
  readonly silent: Counter;
};

/** Handles to record with; names are documented in `metric-catalogue.ts`. */
export type HlsMetrics = PlaybackMetrics & {
  readonly stageMs: Readonly<Record<StartupStage, Trend>>;
  readonly connectMs: Trend;
  readonly firstSegmentMs: Trend;
  readonly latencyMs: Readonly<Record<LatencyTier, Trend>>;
  readonly objects: Readonly<Record<ObjectType, ObjectMetrics>>;
  readonly overrunMs: Trend;
  readonly changeGapMs: Trend;
  readonly skips: Readonly<Record<SkipCause, Counter>>;
  readonly lostMediaMs: Readonly<Record<SkipCause, Counter>>;
  readonly holdBackBreaches: Readonly<Record<'must' | 'should', Counter>>;
} & Readonly<Record<HlsCounter, Counter>>;

const COUNTERS = {
  unmet: 'hls_blocking_unmet_total',
  brokenHints: 'hls_hints_broken_total',
  fragments: 'hls_fragments_total',
  lateFragments: 'hls_fragments_late_total',
  missing: 'hls_fragments_missing_total',
  regressions: 'hls_sequence_regressions_total',
  renumbered: 'hls_sequence_renumbered_total',
  discontinuities: 'hls_discontinuities_total',
  changes: 'hls_list_changes_total',
  stale: 'hls_list_stale_total',
  staleMs: 'hls_list_stale_ms_total',
  reloads: 'hls_reloads_total',
  tooEarly: 'hls_reloads_too_early_total',
  fragmentsRead: 'hls_fragments_read_total',
  ptsBreaks: 'hls_pts_breaks_total',
  durationLies: 'hls_duration_lies_total',
  unreadable: 'hls_media_unreadable_total',
} as const;
type HlsCounter = keyof typeof COUNTERS;

const known = new WeakMap<Recorder, Map<string, HlsMetrics>>();

/** The series of a group. `protocol` becomes a tag. */
export function hlsMetricsOf(recorder: Recorder, group: string, protocol: 'hls' | 'llhls'): HlsMetrics {
  const groups = known.get(recorder) ?? new Map<string, HlsMetrics>();
  known.set(recorder, groups);
  const metrics = groups.get(group) ?? createHlsMetrics(recorder, group, protocol);
  groups.set(group, metrics);
  return metrics;
}

function createHlsMetrics(recorder: Recorder, group: string, protocol: 'hls' | 'llhls'): HlsMetrics {
  const tags = { group, protocol };
  const each = <K extends string, T>(names: readonly K[], make: (name: K) => T) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, T>;
  const names = Object.keys(COUNTERS) as HlsCounter[];
  return {
    ...createPlaybackMetrics(recorder, group, protocol),
    ...each(names, (name) => recorder.counter(COUNTERS[name], tags)),
    stageMs: each(STARTUP_STAGES, (stage) => recorder.trend('startup_stage_ms', { ...tags, stage })),
    connectMs: recorder.trend('hls_connect_ms', tags),
    firstSegmentMs: recorder.trend('hls_first_segment_ms', tags),
    latencyMs: each(['capture', 'ingest', 'pdt', 'edge'], (tier) => recorder.trend(`latency_${tier}_ms`, tags)),
    objects: each(OBJECT_TYPES, (type) => objectMetrics(recorder, type, { ...tags, type })),
    overrunMs: recorder.trend('hls_blocking_overrun_ms', tags),
    changeGapMs: recorder.trend('hls_list_change_gap_ms', tags),
    skips: each(SKIP_CAUSES, (cause) => recorder.counter('hls_sequence_gaps_total', { ...tags, cause })),
    lostMediaMs: each(SKIP_CAUSES, (cause) => recorder.counter('hls_lost_media_ms_total', { ...tags, cause })),
    holdBackBreaches: each(['must', 'should'], (level) =>
      recorder.counter('hls_hold_back_breaches_total', { ...tags, level }),
    ),
  };
}

function objectMetrics(recorder: Recorder, type: ObjectType, tags: Readonly<Record<string, string>>): ObjectMetrics {
  const isWaiting = WAITING_TYPES.has(type);
  return {
    ttfbMs: recorder.trend(isWaiting ? 'hls_wait_ttfb_ms' : 'hls_ttfb_ms', tags),
    ttlbMs: recorder.trend(isWaiting ? 'hls_wait_ttlb_ms' : 'hls_ttlb_ms', tags),
    requests: recorder.counter('hls_requests_total', tags),
    errors: recorder.counter('hls_request_errors_total', tags),
    silent: recorder.counter('hls_accepted_silent_total', tags),
  };
}
