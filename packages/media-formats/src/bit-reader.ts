import { FormatError } from './format-error.ts';

/** Reads bits, most significant first, and Exp-Golomb codes. Spec: ITU-T H.264, 7.2 and 9.1. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads `count` (0–32) bits as an unsigned number. Throws FormatError('bytes.truncated') past the end. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) {
      const byte = this.#bytes[this.#bit >> 3];
      if (byte === undefined) throw new FormatError('bytes.truncated', { lengthBytes: this.#bytes.length });
      value = value * 2 + ((byte >> (7 - (this.#bit & 7))) & 1);
      this.#bit += 1;
    }
    return value;
  }

  /** Steps over `count` bits. Throws FormatError('bytes.truncated') past the end. */
  skip(count: number): void {
    this.#bit += count;
    if (this.#bit > this.#bytes.length * 8) {
      throw new FormatError('bytes.truncated', { lengthBytes: this.#bytes.length });
    }
  }

  /** Steps over what is left of the byte that was begun. */
  alignToByte(): void {
    this.#bit = (this.#bit + 7) & ~7;
  }

  /** Bits not read yet. */
  get remainingBits(): number {
    return this.#bytes.length * 8 - this.#bit;
  }

  /** One bit as a boolean. */
  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v). Throws FormatError('bits.exp_golomb') over 32 bits. */
  unsignedExpGolomb(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 31) throw new FormatError('bits.exp_golomb');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  signedExpGolomb(): number {
    const code = this.unsignedExpGolomb();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}
