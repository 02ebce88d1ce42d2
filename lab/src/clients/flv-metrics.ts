/** The series of one FLV viewer. Made when it starts, so that a counter that stays 0 is known to be 0. */
import type { Counter, Recorder, Trend } from '../metrics/recorder.ts';
import type { ClockTier } from './flv-media-reader.ts';
import { createPlaybackMetrics, type PlaybackMetrics } from './playback-metrics.ts';

/** Handles to record with; names are documented in `metric-catalogue.ts`. */
export type FlvMetrics = PlaybackMetrics & {
  readonly connectMs: Trend;
  readonly ttfbMs: Trend;
  readonly firstKeyframeMs: Trend;
  readonly tagGapMs: Trend;
  readonly reconnectMs: Trend;
  readonly latencyMs: Readonly<Record<ClockTier, Trend>>;
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
  const tags = { group, protocol: 'flv' };
  return {
    ...createPlaybackMetrics(recorder, group, 'flv'),
    connectMs: recorder.trend('flv_connect_ms', tags),
    ttfbMs: recorder.trend('flv_ttfb_ms', tags),
    firstKeyframeMs: recorder.trend('flv_first_keyframe_ms', tags),
    tagGapMs: recorder.trend('flv_tag_gap_ms', tags),
    reconnectMs: recorder.trend('flv_reconnect_ms', tags),
    latencyMs: {
      capture: recorder.trend('latency_capture_ms', tags),
      ingest: recorder.trend('latency_ingest_ms', tags),
    },
    tags: recorder.counter('flv_tags_total', tags),
    reconnects: recorder.counter('flv_reconnects_total', tags),
    silences: recorder.counter('flv_tag_silences_total', tags),
    acceptedSilent: recorder.counter('flv_accepted_silent_total', tags),
    regressions: recorder.counter('flv_timestamp_regressions_total', tags),
    gaps: recorder.counter('flv_timestamp_gaps_total', tags),
    sequenceHeaders: recorder.counter('flv_sequence_headers_total', tags),
  };
}
