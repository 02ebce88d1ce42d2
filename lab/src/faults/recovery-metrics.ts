/** Series about recovery; names are documented in `metric-catalogue.ts`. */
import type { Recorder } from '../metrics/recorder.ts';
import type { ViewerRecovery } from './recovery-board.ts';

/** Limits that criteria ask about, each with a counter of those who were back in time. */
const WITHIN = [
  ['recovered_5s_total', 5000],
  ['recovered_10s_total', 10_000],
] as const;

/** Records what became of one viewer. Who never came back is in the counters, never in the distribution. */
export function recordRecovery(recorder: Recorder, { fault, group, recoveryMs }: ViewerRecovery): void {
  const tags = { fault, group };
  recorder.counter('recovery_viewers_total', tags).add();
  recorder.counter('recovery_lost_total', tags).add(recoveryMs === null ? 1 : 0);
  recorder.counter('recovery_disturbed_total', tags).add(recoveryMs === 0 ? 0 : 1);
  for (const [metric, limitMs] of WITHIN) {
    recorder.counter(metric, tags).add(recoveryMs !== null && recoveryMs <= limitMs ? 1 : 0);
  }
  const trend = recorder.trend('recovery_ms', tags);
  if (recoveryMs !== null) trend.record(recoveryMs);
}
