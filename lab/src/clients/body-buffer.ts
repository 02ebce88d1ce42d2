/**
 * Collects the body of an answer: lists, and the fragments of sampled viewers. Memory is lent only while a body is under way:
 * thousands of viewers of a thread share what the few that are just reading need.
 */

const BYTES_FIRST = 4096;
/** Pieces of memory kept for the next one; further ones are left to the garbage collector. */
export const SPARE_BUFFERS_MAX = 64;

/** Of this thread. */
const spare: Buffer[] = [];

/** Pieces are copied, because reads share a buffer. */
export class BodyBuffer {
  readonly #bytesMax: number;
  #memory: Buffer | null = null;
  #bytes = 0;

  /** A longer body is not kept: `take` then gives null. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(bytes: Uint8Array): void {
    const at = this.#bytes;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bytesMax) return;
    const memory = this.#room(at);
    memory.set(bytes, at);
  }

  /** The whole body, to be used at once: its memory is lent to others. Null when it was too long. Empty again afterwards. */
  take(): Buffer | null {
    const bytes = this.#bytes;
    const memory = this.#memory;
    this.#bytes = 0;
    this.#memory = null;
    if (memory !== null && spare.length < SPARE_BUFFERS_MAX) spare.push(memory);
    if (bytes > this.#bytesMax) return null;
    return memory === null ? Buffer.alloc(0) : memory.subarray(0, bytes);
  }

  #room(keep: number): Buffer {
    const known = this.#memory ?? spare.pop() ?? null;
    if (known !== null && known.length >= this.#bytes) {
      this.#memory = known;
      return known;
    }
    const wanted = Math.max(BYTES_FIRST, this.#bytes, 2 * (known?.length ?? 0));
    const memory = Buffer.allocUnsafeSlow(Math.min(wanted, this.#bytesMax));
    if (known !== null && keep > 0) memory.set(known.subarray(0, keep));
    this.#memory = memory;
    return memory;
  }
}
