const FIRST_CAPACITY_BYTES = 16 * 1024;

/**
 * A payload that arrives in pieces and whose length was announced by the peer. Memory follows the bytes that really
 * came (doubling), never the announced length, so that announcing 8 MB costs an attacker 8 MB of traffic.
 */
export class GrowingPayload {
  readonly lengthBytes: number;
  #bytes: Uint8Array;
  #filled = 0;

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
    this.#bytes = new Uint8Array(Math.min(lengthBytes, FIRST_CAPACITY_BYTES));
  }

  /** Bytes received so far. */
  get filledBytes(): number {
    return this.#filled;
  }

  /** Bytes still to come. */
  get missingBytes(): number {
    return this.lengthBytes - this.#filled;
  }

  /** Copies a piece; the caller never passes more than `missingBytes`. */
  append(piece: Uint8Array): void {
    const needed = this.#filled + piece.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.lengthBytes, Math.max(needed, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#filled);
    this.#filled = needed;
  }

  /** The finished payload; owned by the caller from here on. */
  take(): Uint8Array {
    return this.#bytes;
  }
}
