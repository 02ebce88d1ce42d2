/** A virtual viewer of HLS or LL-HLS: plays, and after a failure tries again, until it shall leave. */
import { monotonicMs } from '../clock.ts';
import type { HlsViewerOptions } from '../engine/scenario.ts';
import { type ActorContext, pause } from './actor.ts';
import { hlsMetricsOf } from './hls-metrics.ts';
import { HlsSession } from './hls-session.ts';
import { backoffMs } from './viewer-patience.ts';

/** Watches until the signal aborts, or the stream is over. */
export async function runHlsViewer(context: ActorContext, options: HlsViewerOptions): Promise<void> {
  const { target, signal, recorder, vu } = context;
  if (target.hls === null) return;
  const url = new URL(target.hls.url);
  const metrics = hlsMetricsOf(recorder, vu.group, options.mode === 'low-latency' ? 'llhls' : 'hls');
  let requestedAtMs = context.intendedStartMs;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const session = new HlsSession(context, options, metrics, url, requestedAtMs);
    if ((await session.run()) !== 'failed') return;
    if (session.isStarted) attempt = 0;
    if (!(await pause(backoffMs(attempt, context.random), signal))) return;
    requestedAtMs = monotonicMs();
  }
}
