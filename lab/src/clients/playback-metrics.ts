/** The series that every viewer writes, whatever the protocol, and how a session hands in its sums. */
import type { Counter, Recorder, Trend } from '../metrics/recorder.ts';
import type { PlayerTotals } from '../player/player.ts';

/** Value of the tag `protocol`. `llhls`: a viewer that asks for parts. */
export type VideoProtocol = 'flv' | 'hls' | 'llhls';

/** Stages at which a play attempt can fail. */
export type FailureStage = 'before_start' | 'during_play';

/** Handles to record with; names are documented in `metric-catalogue.ts`. */
export type PlaybackMetrics = {
  readonly startupMs: Trend;
  readonly stallMs: Trend;
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
};

/** Interns the series for one group. */
export function createPlaybackMetrics(recorder: Recorder, group: string, protocol: VideoProtocol): PlaybackMetrics {
  const tags = { group, protocol };
  return {
    startupMs: recorder.trend('startup_ms', tags),
    stallMs: recorder.trend('stall_ms', tags),
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
  };
}

/** Adds what was watched, played and stalled between two readings of one session. */
export function addTotals(metrics: PlaybackMetrics, before: PlayerTotals, now: PlayerTotals): void {
  metrics.watchedMs.add(now.watchedMs - before.watchedMs);
  metrics.playedMs.add(now.playedMs - before.playedMs);
  metrics.stalledMs.add(now.stalledMs - before.stalledMs);
  metrics.mediaMs.add(now.mediaMs - before.mediaMs);
  metrics.jumpedMs.add(now.jumpedMs - before.jumpedMs);
  metrics.stalls.add(now.stallCount - before.stallCount);
}
