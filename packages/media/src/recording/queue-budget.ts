/**
 * What all recordings together may have waiting for the disk. A bound per show alone would let a disk that hangs under two
 * hundred shows take gigabytes from the process that serves their viewers.
 */
export class QueueBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes taken now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes bytes if there is room for them; who took them gives them back. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
