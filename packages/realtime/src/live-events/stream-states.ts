import type { StreamState } from '@showfloor/protocol';
import { BoundedMap } from '../bounded-map.ts';

const ROOMS_MAX = 10_000;

/** The last known state of each stream: what a late joiner is told. `unknown` until the first event. */
export class StreamStates {
  readonly #rooms = new BoundedMap<string, { readonly state: StreamState; readonly atMs: number }>(ROOMS_MAX);

  get(playbackId: string): StreamState {
    return this.#rooms.get(playbackId)?.state ?? 'unknown';
  }

  /** Returns whether anything changed: an event older than the last one is stale, the same state again says nothing new. */
  set(playbackId: string, state: StreamState, atMs: number): 'changed' | 'same' | 'stale' {
    const known = this.#rooms.get(playbackId);
    if (known !== undefined && atMs < known.atMs) return 'stale';
    this.#rooms.set(playbackId, { state, atMs });
    return known?.state === state ? 'same' : 'changed';
  }
}
