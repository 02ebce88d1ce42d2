/**
 * Reads only the heads of FLV tags and steps over the rest: what a viewer needs for its player model, at a fraction of
 * the cost of demuxing. Sampled viewers use `FlvDemuxer` of media-formats instead. Spec: Adobe FLV 10.1, E.2–E.4.1.
 */
import { FLV_TAG_OVERHEAD_BYTES, FlvTagType, FormatError } from '@showfloor/media-formats';

/** The head of one tag and the first bytes of its payload (codec, frame type, packet type). */
export type FlvTagHead = {
  readonly typeId: number;
  readonly timestampMs: number;
  readonly payloadBytes: number;
  /** A view that is overwritten by the next tag. */
  readonly firstBytes: Uint8Array;
};

const FILE_HEADER_BYTES = 13; // with PreviousTagSize0
const TAG_HEADER_BYTES = 11;
const FIRST_BYTES = 8;

/** One stream. `onTag` is called when the head of a tag is there: a few bytes before the whole tag is. */
export class FlvTagScanner {
  readonly #onTag: (head: FlvTagHead) => void;
  readonly #head = new Uint8Array(FILE_HEADER_BYTES + TAG_HEADER_BYTES + FIRST_BYTES);
  #filled = 0;
  #needed = FILE_HEADER_BYTES;
  #state: 'file-header' | 'tag-header' | 'first-bytes' = 'file-header';
  #skipBytes = 0;

  constructor(onTag: (head: FlvTagHead) => void) {
    this.#onTag = onTag;
  }

  /** Throws FormatError (`flv.*`); the scanner is then dead. */
  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - offset);
        this.#skipBytes -= skipped;
        offset += skipped;
        continue;
      }
      const end = Math.min(bytes.length, offset + this.#needed - this.#filled);
      this.#head.set(bytes.subarray(offset, end), this.#filled);
      this.#filled += end - offset;
      offset = end;
      if (this.#filled === this.#needed) this.#advance();
    }
  }

  #advance(): void {
    if (this.#state === 'file-header') {
      if (this.#head[0] !== 0x46 || this.#head[1] !== 0x4c || this.#head[2] !== 0x56) {
        throw new FormatError('flv.signature');
      }
      this.#expectTag();
      return;
    }
    const payloadBytes = this.#readUint24(1);
    if (this.#state === 'tag-header') {
      this.#state = 'first-bytes';
      this.#needed = TAG_HEADER_BYTES + Math.min(FIRST_BYTES, payloadBytes);
      if (this.#needed > this.#filled) return;
    }
    this.#emit(payloadBytes);
    this.#skipBytes = payloadBytes + FLV_TAG_OVERHEAD_BYTES - this.#needed;
    this.#expectTag();
  }

  #emit(payloadBytes: number): void {
    const typeId = (this.#head[0] ?? 0) & 0x1f;
    const isKnown = typeId === FlvTagType.audio || typeId === FlvTagType.video || typeId === FlvTagType.script;
    // Another type means that the tag boundaries are lost: the rest would be noise.
    if (!isKnown) throw new FormatError('flv.tag_type', { typeId });
    const timestampMs = (((this.#head[7] ?? 0) << 24) | this.#readUint24(4)) >>> 0;
    const firstBytes = this.#head.subarray(TAG_HEADER_BYTES, this.#needed);
    this.#onTag({ typeId, timestampMs, payloadBytes, firstBytes });
  }

  #expectTag(): void {
    this.#state = 'tag-header';
    this.#filled = 0;
    this.#needed = TAG_HEADER_BYTES;
  }

  #readUint24(at: number): number {
    return ((this.#head[at] ?? 0) << 16) | ((this.#head[at + 1] ?? 0) << 8) | (this.#head[at + 2] ?? 0);
  }
}
