/** Series of the lab's publishers, all streams together; names are documented in `metric-catalogue.ts`. */
import type { Counter, Gauge, Recorder, Trend } from '../metrics/recorder.ts';

/** One set per thread. */
export type PublisherMetrics = {
  readonly attempts: Counter;
  readonly accepted: Counter;
  readonly refusals: (reason: string) => Counter;
  readonly connectMs: Trend;
  readonly pacingErrorMs: Trend;
  readonly pacingChecks: Counter;
  readonly backlogBytes: Gauge;
  readonly onAir: Gauge;
  readonly droppedTags: Counter;
  readonly losses: Counter;
  readonly republishMs: Trend;
};

/** They exist from now on, also without a value. */
export function createPublisherMetrics(recorder: Recorder, encoder: string): PublisherMetrics {
  const tags = { encoder };
  return {
    attempts: recorder.counter('publish_attempts_total', tags),
    accepted: recorder.counter('publish_accepted_total', tags),
    refusals: (reason) => recorder.counter('publish_refusals_total', { ...tags, reason }),
    connectMs: recorder.trend('publish_connect_ms', tags),
    pacingChecks: recorder.counter('publish_pacing_checks_total', tags),
    pacingErrorMs: recorder.trend('publish_pacing_error_ms', tags),
    backlogBytes: recorder.gauge('publish_backlog_bytes', tags),
    onAir: recorder.gauge('publishers_on_air', tags),
    droppedTags: recorder.counter('publish_dropped_tags_total', tags),
    losses: recorder.counter('publish_losses_total', tags),
    republishMs: recorder.trend('publish_republish_ms', tags),
  };
}
