/** Collects one answer's body after the other in the same memory: lists, and the fragments of sampled viewers. */

const BYTES_FIRST = 4096;

/** Pieces are copied, because reads share a buffer. */
export class BodyBuffer {
  readonly #bytesMax: number;
  #memory = Buffer.alloc(0);
  #bytes = 0;

  /** A longer body is not kept: `take` then gives null. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(bytes: Uint8Array): void {
    const at = this.#bytes;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bytesMax) return;
    if (this.#bytes > this.#memory.length) this.#grow(at);
    this.#memory.set(bytes, at);
  }

  /** The whole body, until the next `push`; null when it was too long. Empty again afterwards. */
  take(): Buffer | null {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes > this.#bytesMax ? null : this.#memory.subarray(0, bytes);
  }

  #grow(keep: number): void {
    const wanted = Math.max(BYTES_FIRST, this.#bytes, 2 * this.#memory.length);
    const memory = Buffer.allocUnsafeSlow(Math.min(wanted, this.#bytesMax));
    memory.set(this.#memory.subarray(0, keep));
    this.#memory = memory;
  }
}
