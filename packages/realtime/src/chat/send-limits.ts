import { BoundedMap } from '../bounded-map.ts';

/** G-79: twenty messages in any ten seconds, over all connections of a user. */
export const SEND_LIMIT = { messagesMax: 20, windowMs: 10_000 } as const;
/** Users remembered at once; a user is forgotten only after this many others wrote since. */
const USERS_MAX = 20_000;

/**
 * Exact sliding window per key: the instants of the last `messagesMax` sends in a ring of numbers. (A bucket that refills
 * while it is drained would let through up to twice the promise in one window.)
 */
export class SendLimits {
  readonly #messagesMax: number;
  readonly #windowMs: number;
  readonly #users = new BoundedMap<string, { readonly sentAtMs: Float64Array; next: number }>(USERS_MAX);

  constructor(limit: { readonly messagesMax: number; readonly windowMs: number } = SEND_LIMIT) {
    this.#messagesMax = limit.messagesMax;
    this.#windowMs = limit.windowMs;
  }

  /** Returns 0 and counts the send, or the milliseconds to wait (not counted). `nowMs` never goes backwards. */
  take(key: string, nowMs: number): number {
    let user = this.#users.get(key);
    if (user === undefined) {
      user = { sentAtMs: new Float64Array(this.#messagesMax).fill(Number.NEGATIVE_INFINITY), next: 0 };
      this.#users.set(key, user);
    }
    const oldestAtMs = user.sentAtMs[user.next] ?? Number.NEGATIVE_INFINITY;
    const freeAtMs = oldestAtMs + this.#windowMs;
    if (freeAtMs > nowMs) return Math.ceil(freeAtMs - nowMs);
    user.sentAtMs[user.next] = nowMs;
    user.next = (user.next + 1) % this.#messagesMax;
    return 0;
  }
}
