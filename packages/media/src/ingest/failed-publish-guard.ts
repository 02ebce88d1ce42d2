import { subscriberNetwork } from './subscriber-network.ts';

/** Bounds on guessing keys. */
export type GuardLimits = Readonly<{ failuresMax: number; windowMs: number; blockMs: number }>;

/** Ten refused publishes in a minute block an address for a quarter of an hour (bar S2). */
export const GUARD_LIMITS: GuardLimits = { failuresMax: 10, windowMs: 60_000, blockMs: 15 * 60_000 };

const ADDRESSES_MAX = 10_000;

type Record = { failuresAtMs: number[]; blockedUntilMs: number };

/** Counts refused publishes by address. Bounded: the address that failed longest ago is forgotten first. */
export class FailedPublishGuard {
  readonly #limits: GuardLimits;
  readonly #nowMs: () => number;
  readonly #records = new Map<string, Record>();

  constructor(limits: GuardLimits = GUARD_LIMITS, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** True while the address may not guess. */
  isBlocked(address: string): boolean {
    const record = this.#records.get(subscriberNetwork(address));
    return record !== undefined && record.blockedUntilMs > this.#nowMs();
  }

  /** Addresses blocked now. */
  get blockedCount(): number {
    const nowMs = this.#nowMs();
    let count = 0;
    for (const record of this.#records.values()) if (record.blockedUntilMs > nowMs) count += 1;
    return count;
  }

  /** Counts a refused publish. Returns true when it led to a block. */
  recordFailure(address: string): boolean {
    const nowMs = this.#nowMs();
    const key = subscriberNetwork(address);
    const record = this.#records.get(key) ?? { failuresAtMs: [], blockedUntilMs: 0 };
    record.failuresAtMs = record.failuresAtMs.filter((atMs) => atMs > nowMs - this.#limits.windowMs);
    record.failuresAtMs.push(nowMs);
    this.#records.delete(key);
    this.#records.set(key, record);
    const oldest = this.#records.keys().next();
    if (this.#records.size > ADDRESSES_MAX && oldest.done !== true) this.#records.delete(oldest.value);
    if (record.failuresAtMs.length < this.#limits.failuresMax) return false;
    record.blockedUntilMs = nowMs + this.#limits.blockMs;
    record.failuresAtMs = [];
    return true;
  }
}
