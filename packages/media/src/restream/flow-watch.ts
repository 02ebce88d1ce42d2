/** What is known of a connection: its growing counters, and what waits. `acknowledgedBytes` is null for a server that never says. */
export type Flow = Readonly<{ sentBytes: number; backlogBytes: number; acknowledgedBytes: number | null }>;

/** `hesitates`: bytes wait that it does not take; not long enough to let it go. */
export type FlowVerdict = 'flows' | 'hesitates' | 'stalled';

export type FlowWatchLimits = Readonly<{ hesitantMs: number; stalledMs: number }>;

/** Beside the rhythm of the acknowledgements: what may be on its way between two looks at them. */
const ON_THE_WAY_BYTES = 256 * 1024;

/**
 * Says of one connection whether its server takes what it is sent. Bytes count as sent when the kernel has them, and it takes
 * megabytes for a server that reads no more: one that used to acknowledge and no longer does is known before those are full.
 */
export class FlowWatch {
  readonly #limits: FlowWatchLimits;
  #progress: { sentBytes: number; atMs: number } | null = null;
  /** The latest acknowledgement that was new, and what had been sent then. */
  #heard: { acknowledgedBytes: number; sentBytes: number; atMs: number } | null = null;
  /** The most that was ever sent between two acknowledgements; null before the second. */
  #rhythmBytes: number | null = null;

  constructor(limits: FlowWatchLimits) {
    this.#limits = limits;
  }

  /** Call it about once a second. */
  sample(flow: Flow, nowMs: number): FlowVerdict {
    if (this.#progress === null || flow.sentBytes !== this.#progress.sentBytes || flow.backlogBytes === 0) {
      this.#progress = { sentBytes: flow.sentBytes, atMs: nowMs };
    }
    const stillMs = nowMs - this.#progress.atMs;
    if (stillMs >= this.#limits.stalledMs) return 'stalled';
    return stillMs >= this.#limits.hesitantMs || this.#isUnheard(flow, nowMs) ? 'hesitates' : 'flows';
  }

  #isUnheard({ sentBytes, acknowledgedBytes }: Flow, nowMs: number): boolean {
    if (acknowledgedBytes === null) return false;
    const heard = this.#heard;
    if (heard === null || acknowledgedBytes !== heard.acknowledgedBytes) {
      if (heard !== null) this.#rhythmBytes = Math.max(this.#rhythmBytes ?? 0, sentBytes - heard.sentBytes);
      this.#heard = { acknowledgedBytes, sentBytes, atMs: nowMs };
      return false;
    }
    if (this.#rhythmBytes === null || nowMs - heard.atMs < this.#limits.hesitantMs) return false;
    return sentBytes - heard.sentBytes > 2 * this.#rhythmBytes + ON_THE_WAY_BYTES;
  }
}
