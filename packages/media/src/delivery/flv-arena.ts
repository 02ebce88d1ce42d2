import { FLV_TAG_OVERHEAD_BYTES, type FlvTag, writeFlvTag } from '@showfloor/media-formats';

const CAPACITY_MIN_BYTES = 64 * 1024;

/**
 * The FLV bytes of one GOP, written once and only ever appended to: first what opens a response (file header, metadata, sequence
 * headers), then the tags. Every buffer a viewer gets is a view into it: a tick is the part since the last tick, a
 * join is everything from the start. So a tag is copied once, a join copies nothing, and views stay valid for as long as a slow
 * socket holds them.
 */
export class FlvArena {
  #buffer: Buffer;
  #filled = 0;
  /** Where sequence headers begin: what a viewer needs that has seen the file header already. */
  readonly headersStart: number;
  /** Where the tags begin. */
  readonly mediaStart: number;

  constructor(
    opening: { fileHeader: Uint8Array; metadata: FlvTag | null; headers: readonly FlvTag[] },
    capacityBytes: number,
  ) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(CAPACITY_MIN_BYTES, capacityBytes));
    this.#reserve(opening.fileHeader.length);
    this.#buffer.set(opening.fileHeader, 0);
    this.#filled = opening.fileHeader.length;
    if (opening.metadata !== null) this.append(opening.metadata);
    this.headersStart = this.#filled;
    for (const header of opening.headers) this.append(header);
    this.mediaStart = this.#filled;
  }

  /** Bytes written so far. */
  get filled(): number {
    return this.#filled;
  }

  append(tag: FlvTag): void {
    this.#reserve(FLV_TAG_OVERHEAD_BYTES + tag.payload.length);
    this.#filled = writeFlvTag(this.#buffer, this.#filled, tag);
  }

  /** A view; what it shows never changes. */
  view(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }

  /** Growing copies into a new buffer: views of the old one stay as they were. */
  #reserve(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#filled);
    this.#buffer = grown;
  }
}
