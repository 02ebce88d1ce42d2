/**
 * What one member received of each sender: unique, again (duplicate), or after a later one (inversion). Senders number
 * their messages from 1. No I/O.
 */

/** How a received message stands to those before it. */
export type Delivery = 'unique' | 'late' | 'duplicate';

type SenderState = { highest: number; readonly missing: Set<number> };

/** Senders and gaps remembered per member; beyond, the oldest is forgotten and its messages count as unique. */
export const SENDERS_MAX = 2000;
export const MISSING_MAX = 256;

/** One per member. */
export class DeliveryLedger {
  readonly #senders = new Map<number, SenderState>();

  /** `late` is a unique message that came after one with a higher number. */
  receive(sender: number, number: number): Delivery {
    const state = this.#senders.get(sender);
    if (state === undefined) {
      if (this.#senders.size >= SENDERS_MAX) this.#senders.delete(this.#senders.keys().next().value ?? -1);
      // Numbers before the first one seen were sent before this member came, or are on their way.
      const missing = new Set<number>();
      for (let earlier = Math.max(1, number - MISSING_MAX); earlier < number; earlier += 1) missing.add(earlier);
      this.#senders.set(sender, { highest: number, missing });
      return 'unique';
    }
    if (number > state.highest) {
      for (let skipped = state.highest + 1; skipped < number && state.missing.size < MISSING_MAX; skipped += 1) {
        state.missing.add(skipped);
      }
      state.highest = number;
      return 'unique';
    }
    return state.missing.delete(number) ? 'late' : 'duplicate';
  }
}

/** What the lab writes into a chat message: enough to know sender, number and send time at every receiver. */
export type Stamp = {
  readonly runId: string;
  readonly sender: number;
  readonly number: number;
  readonly sentAtMs: number;
  /** Number of the roster it was sent at: who is owed this message. */
  readonly roster: number;
};

const PATTERN = /^lab ([0-9a-z]+) (\d+) (\d+) (\d+\.\d) (\d+)$/;

/** Text of a stamped message; `sentAtMs` is monotonic, so it means something on this host only. */
export function writeStamp({ runId, sender, number, sentAtMs, roster }: Stamp): string {
  return `lab ${runId} ${sender} ${number} ${sentAtMs.toFixed(1)} ${roster}`;
}

/** Null for messages of people and of other runs. */
export function readStamp(text: string, runId: string): Stamp | null {
  const match = PATTERN.exec(text);
  if (match === null || match[1] !== runId) return null;
  return {
    runId,
    sender: Number(match[2]),
    number: Number(match[3]),
    sentAtMs: Number(match[4]),
    roster: Number(match[5]),
  };
}
