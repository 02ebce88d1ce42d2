/** A streaming FLV reader with bounds: bytes in any cut, tags out. Spec: Adobe FLV 10.1, Annex E.2–E.4.1. */
import { readUint8, readUint24, readUint32 } from './byte-order.ts';
import { type FlvTag, FlvTagType, type FlvTagTypeId } from './flv-tag.ts';
import { FormatError } from './format-error.ts';
import { GrowingPayload } from './growing-payload.ts';

const FILE_HEADER_BYTES = 9;
const FILE_HEADER_BYTES_MAX = 1024;
const TAG_HEADER_BYTES = 11;
const TAG_BYTES_MAX_DEFAULT = 8 * 1024 * 1024;

type State =
  | { kind: 'file-header'; needed: number }
  | { kind: 'previous-size'; expected: number }
  | { kind: 'tag-header' }
  | { kind: 'payload'; typeId: FlvTagTypeId; timestampMs: number; payload: GrowingPayload }
  | { kind: 'skip'; missing: number; expected: number };

/** What the file header announces. Servers often set both flags whatever follows. */
export type FlvHeader = Readonly<{ hasAudio: boolean; hasVideo: boolean }>;

/** Reads one FLV byte stream. `onTag` gets each whole tag in order; its payload belongs to the receiver. */
export class FlvDemuxer {
  readonly #onTag: (tag: FlvTag) => void;
  readonly #tagBytesMax: number;
  readonly #small = new Uint8Array(FILE_HEADER_BYTES_MAX);
  #smallFilled = 0;
  #state: State = { kind: 'file-header', needed: FILE_HEADER_BYTES };
  #header: FlvHeader | null = null;

  constructor(options: { onTag: (tag: FlvTag) => void; tagBytesMax?: number }) {
    this.#onTag = options.onTag;
    this.#tagBytesMax = options.tagBytesMax ?? TAG_BYTES_MAX_DEFAULT;
  }

  /** The file header, once read. */
  get header(): FlvHeader | null {
    return this.#header;
  }

  /** True between tags: a stream may end here without having lost bytes. */
  get isAtTagBoundary(): boolean {
    return this.#smallFilled === 0 && this.#state.kind === 'tag-header';
  }

  /** Reads bytes; they are copied. Throws FormatError (`flv.*`); the demuxer is then dead. */
  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) offset = this.#step(bytes, offset);
  }

  #step(bytes: Uint8Array, offset: number): number {
    const state = this.#state;
    switch (state.kind) {
      case 'payload':
        return this.#readPayload(state, bytes, offset);
      case 'skip': {
        const skipped = Math.min(state.missing, bytes.length - offset);
        state.missing -= skipped;
        if (state.missing === 0) this.#state = { kind: 'previous-size', expected: state.expected };
        return offset + skipped;
      }
      case 'file-header':
        return this.#collect(bytes, offset, state.needed, () => this.#readFileHeader(state));
      case 'previous-size':
        return this.#collect(bytes, offset, 4, () => this.#readPreviousSize(state.expected));
      case 'tag-header':
        return this.#collect(bytes, offset, TAG_HEADER_BYTES, () => this.#readTagHeader());
    }
  }

  #collect(bytes: Uint8Array, offset: number, needed: number, done: () => void): number {
    const end = Math.min(bytes.length, offset + needed - this.#smallFilled);
    this.#small.set(bytes.subarray(offset, end), this.#smallFilled);
    this.#smallFilled += end - offset;
    if (this.#smallFilled === needed) done();
    return end;
  }

  #readFileHeader(state: { needed: number }): void {
    const small = this.#small;
    if (readUint24(small, 0) !== 0x46_4c_56) throw new FormatError('flv.signature');
    if (readUint8(small, 3) !== 1) throw new FormatError('flv.version', { version: readUint8(small, 3) });
    const headerBytes = readUint32(small, 5);
    if (headerBytes < FILE_HEADER_BYTES || headerBytes > FILE_HEADER_BYTES_MAX) {
      throw new FormatError('flv.header_length', { headerBytes });
    }
    if (state.needed < headerBytes) {
      state.needed = headerBytes; // a longer header: collect the rest, then come here again
      return;
    }
    const flags = readUint8(small, 4);
    this.#header = { hasAudio: (flags & 4) !== 0, hasVideo: (flags & 1) !== 0 };
    this.#smallFilled = 0;
    this.#state = { kind: 'previous-size', expected: 0 };
  }

  #readPreviousSize(expected: number): void {
    const previousBytes = readUint32(this.#small, 0);
    // Some muxers write 0 throughout; anything else that differs means that we lost the tag boundaries.
    if (previousBytes !== expected && previousBytes !== 0) {
      throw new FormatError('flv.previous_tag_size', { previousBytes, expected });
    }
    this.#smallFilled = 0;
    this.#state = { kind: 'tag-header' };
  }

  #readTagHeader(): void {
    const small = this.#small;
    const typeByte = readUint8(small, 0);
    const payloadBytes = readUint24(small, 1);
    const timestampMs = ((readUint8(small, 7) << 24) | readUint24(small, 4)) >>> 0;
    if ((typeByte & 0x20) !== 0) throw new FormatError('flv.encrypted_tag');
    if (payloadBytes > this.#tagBytesMax) {
      throw new FormatError('flv.tag_too_large', { tagBytes: payloadBytes, limitBytes: this.#tagBytesMax });
    }
    this.#smallFilled = 0;
    const typeId = knownType(typeByte & 0x1f);
    if (typeId !== null && payloadBytes > 0) {
      this.#state = { kind: 'payload', typeId, timestampMs, payload: new GrowingPayload(payloadBytes) };
      return;
    }
    if (typeId !== null) this.#onTag({ typeId, timestampMs, payload: new Uint8Array(0) });
    const expected = TAG_HEADER_BYTES + payloadBytes;
    this.#state =
      payloadBytes > 0 ? { kind: 'skip', missing: payloadBytes, expected } : { kind: 'previous-size', expected };
  }

  #readPayload(state: Extract<State, { kind: 'payload' }>, bytes: Uint8Array, offset: number): number {
    const { payload, typeId, timestampMs } = state;
    const end = Math.min(bytes.length, offset + payload.missingBytes);
    payload.append(bytes.subarray(offset, end));
    if (payload.missingBytes > 0) return end;
    this.#state = { kind: 'previous-size', expected: TAG_HEADER_BYTES + payload.lengthBytes };
    this.#onTag({ typeId, timestampMs, payload: payload.take() });
    return end;
  }
}

function knownType(typeId: number): FlvTagTypeId | null {
  return typeId === FlvTagType.audio || typeId === FlvTagType.video || typeId === FlvTagType.script ? typeId : null;
}
