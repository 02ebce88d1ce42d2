import type { MediaHeartbeat } from '@showfloor/protocol';

const DEVICES_MAX = 64;

/** The last heartbeat of each media server, in memory: a silent one shows as an old `lastSeenMs`. */
export class MediaHeartbeats {
  readonly #lastSeenMs = new Map<string, number>();

  /** At the bound the device that was silent for longest is forgotten. */
  record(heartbeat: MediaHeartbeat, nowMs: number): void {
    this.#lastSeenMs.delete(heartbeat.device_id);
    this.#lastSeenMs.set(heartbeat.device_id, nowMs);
    const oldest = this.#lastSeenMs.keys().next();
    if (this.#lastSeenMs.size > DEVICES_MAX && oldest.done !== true) this.#lastSeenMs.delete(oldest.value);
  }

  lastSeen(): readonly { readonly deviceId: string; readonly lastSeenMs: number }[] {
    return [...this.#lastSeenMs].map(([deviceId, lastSeenMs]) => ({ deviceId, lastSeenMs }));
  }
}
