import type { MediaMetrics } from '../media-metrics.ts';
import type { HlsTarget } from './hls-request.ts';

type Kind = HlsTarget['kind'];

/**
 * Requests by what was asked for and outcome, counted here and told to the metric once in a while: a labelled counter costs as much
 * as looking up what was asked for.
 */
export class RequestTally {
  readonly #counts: Readonly<Record<Kind, Map<string, number>>> = {
    multivariant: new Map(),
    playlist: new Map(),
    object: new Map(),
  };

  /** `outcome` is one of few words. */
  count(kind: Kind, outcome: string, requests: number): void {
    const counts = this.#counts[kind];
    counts.set(outcome, (counts.get(outcome) ?? 0) + requests);
  }

  /** Moves what was counted since the last time to the metric. */
  report(metric: MediaMetrics['hlsRequests']): void {
    for (const kind of ['multivariant', 'playlist', 'object'] as const) {
      for (const [outcome, requests] of this.#counts[kind]) {
        if (requests === 0) continue;
        metric.inc({ kind, outcome }, requests);
        this.#counts[kind].set(outcome, 0);
      }
    }
  }
}
