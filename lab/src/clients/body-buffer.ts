/** Collects one answer's body: lists, and the fragments of sampled viewers. Pieces are copied, because reads share a buffer. */
export class BodyBuffer {
  readonly #bytesMax: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** A longer body is not kept: `take` then gives null. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#bytesMax) this.#pieces.push(Buffer.from(bytes));
    else this.#pieces = [];
  }

  /** The whole body, or null when it was too long. Empty again afterwards. */
  take(): Buffer | null {
    const isWhole = this.#bytes <= this.#bytesMax;
    const [only = Buffer.alloc(0), ...others] = this.#pieces;
    const body = others.length === 0 ? only : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return isWhole ? body : null;
  }
}
