/** The series of one FLV viewer. Made when it starts, so that a counter that stays 0 is known to be 0. */
import type { Counter, Recorder, Trend } from '../metrics/recorder.ts';
import type { ClockTier } from './flv-media-reader.ts';

/** Stages at which a play attempt can fail. */
const FAILURE_STAGES = ['before_start', 'during_play'] as const;
/** One of the stages. */
export type FailureStage = (typeof FAILURE_STAGES)[number];

/** Handles to record with; names are documented in `metric-catalogue.ts`. */
export type FlvMetrics = {
  readonly connectMs: Trend;
  readonly ttfbMs: Trend;
  readonly firstKeyframeMs: Trend;
  readonly startupMs: Trend;
  readonly stallMs: Trend;
  readonly tagGapMs: Trend;
  readonly reconnectMs: Trend;
  readonly latencyMs: Readonly<Record<ClockTier, Trend>>;
  readonly attempts: Counter;
  readonly starts: Counter;
  readonly failures: Readonly<Record<FailureStage, Counter>>;
  readonly stalls: Counter;
  readonly taintedStalls: Counter;
  readonly stalledMs: Counter;
  readonly watchedMs: Counter;
  readonly playedMs: Counter;
  readonly mediaMs: Counter;
  readonly jumpedMs: Counter;
  readonly bytes: Counter;
  readonly tags: Counter;
  readonly reconnects: Counter;
  readonly silences: Counter;
  readonly acceptedSilent: Counter;
  readonly regressions: Counter;
  readonly gaps: Counter;
  readonly sequenceHeaders: Counter;
};

/** Interns the series for one group. */
export function createFlvMetrics(recorder: Recorder, group: string): FlvMetrics {
  const tags = { group };
  return {
    connectMs: recorder.trend('flv_connect_ms', tags),
    ttfbMs: recorder.trend('flv_ttfb_ms', tags),
    firstKeyframeMs: recorder.trend('flv_first_keyframe_ms', tags),
    startupMs: recorder.trend('startup_ms', tags),
    stallMs: recorder.trend('stall_ms', tags),
    tagGapMs: recorder.trend('flv_tag_gap_ms', tags),
    reconnectMs: recorder.trend('flv_reconnect_ms', tags),
    latencyMs: {
      capture: recorder.trend('latency_capture_ms', tags),
      ingest: recorder.trend('latency_ingest_ms', tags),
    },
    attempts: recorder.counter('play_attempts_total', tags),
    starts: recorder.counter('play_starts_total', tags),
    failures: {
      before_start: recorder.counter('play_failures_total', { ...tags, stage: 'before_start' }),
      during_play: recorder.counter('play_failures_total', { ...tags, stage: 'during_play' }),
    },
    stalls: recorder.counter('stalls_total', tags),
    taintedStalls: recorder.counter('stalls_tainted_total', tags),
    stalledMs: recorder.counter('stalled_ms_total', tags),
    watchedMs: recorder.counter('watched_ms_total', tags),
    playedMs: recorder.counter('played_ms_total', tags),
    mediaMs: recorder.counter('media_ms_total', tags),
    jumpedMs: recorder.counter('jumped_ms_total', tags),
    bytes: recorder.counter('video_bytes_total', tags),
    tags: recorder.counter('flv_tags_total', tags),
    reconnects: recorder.counter('flv_reconnects_total', tags),
    silences: recorder.counter('flv_tag_silences_total', tags),
    acceptedSilent: recorder.counter('flv_accepted_silent_total', tags),
    regressions: recorder.counter('flv_timestamp_regressions_total', tags),
    gaps: recorder.counter('flv_timestamp_gaps_total', tags),
    sequenceHeaders: recorder.counter('flv_sequence_headers_total', tags),
  };
}
