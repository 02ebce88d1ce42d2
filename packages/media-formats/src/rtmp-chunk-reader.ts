/**
 * RTMP chunks → messages. Handles all four header forms, 1–3 byte chunk stream ids, extended timestamps (repeated on
 * form 3 or left out), aggregates, Set Chunk Size and Abort. Bytes may come in any cut. Spec: Adobe RTMP 1.0, 5.3.
 */
import { readUint8, readUint24, readUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { GrowingPayload } from './growing-payload.ts';
import { splitRtmpAggregate } from './rtmp-aggregate.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

const EXTENDED_TIMESTAMP = 0xff_ff_ff;
const CHUNK_SIZE_DEFAULT = 128;
/** Basic header 3 + message header 11 + extended timestamp 4. */
const HEADER_BYTES_MAX = 18;
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;

/** Bounds of a reader; over them it throws a FormatError. */
export type RtmpReaderLimits = Readonly<{
  /** Longest message a peer may announce. */
  messageBytesMax: number;
  /** Bytes of unfinished messages over all chunk streams. */
  pendingBytesMax: number;
  /** Chunk streams that may hold state. */
  chunkStreamsMax: number;
}>;

/** 8 MB messages, 16 MB unfinished, 64 chunk streams: generous for one publisher. */
export const RTMP_READER_LIMITS: RtmpReaderLimits = {
  messageBytesMax: 8 * 1024 * 1024,
  pendingBytesMax: 16 * 1024 * 1024,
  chunkStreamsMax: 64,
};

type ChunkStream = {
  id: number;
  timestampMs: number;
  /** The timestamp field of the last header: absolute after form 0, else a delta; form 3 starts a message with it. */
  timestampField: number;
  isExtended: boolean;
  lengthBytes: number;
  typeId: number;
  messageStreamId: number;
  pending: GrowingPayload | null;
};

type Chunk = { stream: ChunkStream; bytes: number };

/** Turns a byte stream into RTMP messages. One per connection and direction; holds no socket. */
export class RtmpChunkReader {
  #limits: RtmpReaderLimits;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = new Uint8Array(HEADER_BYTES_MAX);
  #headerFilled = 0;
  /** Bytes collected as an extended timestamp that are what follows the header instead. */
  #absentTimestamp: Uint8Array | null = null;
  #chunkSizeBytes = CHUNK_SIZE_DEFAULT;
  #pendingBytes = 0;
  /** The chunk whose payload is being read and how much of it is missing. */
  #chunk: Chunk | null = null;

  constructor(limits: RtmpReaderLimits = RTMP_READER_LIMITS) {
    this.#limits = limits;
  }

  /** Bytes of unfinished messages held now. */
  get pendingBytes(): number {
    return this.#pendingBytes + this.#headerFilled;
  }

  /** Replaces the bounds, e.g. once the peer has been authenticated. */
  setLimits(limits: RtmpReaderLimits): void {
    this.#limits = limits;
  }

  /**
   * Reads bytes and hands every finished message to `onMessage`, in order. Set Chunk Size and Abort are applied and not
   * handed on; an aggregate is handed on as the messages in it. The bytes are copied: the caller may reuse them.
   * Throws FormatError (`rtmp.*`); the reader is then dead.
   */
  push(bytes: Uint8Array, onMessage: (message: RtmpMessage) => void): void {
    let offset = 0;
    while (offset < bytes.length || this.#chunk?.bytes === 0) {
      if (this.#chunk === null) {
        offset = this.#readHeader(bytes, offset);
        const notHeader = this.#takeAbsentExtendedTimestamp();
        if (notHeader !== null) this.push(notHeader, onMessage); // four bytes at most, so not deep
      } else {
        offset = this.#readPayload(this.#chunk, bytes, offset, onMessage);
      }
    }
  }

  /** Collects header bytes one need at a time; sets #chunk when the header is whole. Returns the new offset. */
  #readHeader(bytes: Uint8Array, start: number): number {
    let offset = start;
    for (;;) {
      const missing = this.#headerBytesNeeded() - this.#headerFilled;
      if (missing <= 0) break;
      if (offset >= bytes.length) return offset;
      const piece = bytes.subarray(offset, offset + missing);
      this.#header.set(piece, this.#headerFilled);
      this.#headerFilled += piece.length;
      offset += piece.length;
    }
    this.#beginChunk();
    return offset;
  }

  /** How long the header is as far as can be told from the bytes collected. */
  #headerBytesNeeded(): number {
    if (this.#headerFilled === 0) return 1;
    const basic = this.#basicHeaderBytes();
    if (this.#headerFilled < basic) return basic;
    const format = readUint8(this.#header, 0) >> 6;
    const fixed = basic + (MESSAGE_HEADER_BYTES[format] ?? 0);
    if (this.#headerFilled < fixed) return fixed;
    const stream = format === 3 ? this.#streams.get(this.#chunkStreamId()) : undefined;
    const isExtended =
      format === 3 ? stream?.isExtended === true : readUint24(this.#header, basic) === EXTENDED_TIMESTAMP;
    return isExtended ? fixed + 4 : fixed;
  }

  #basicHeaderBytes(): number {
    const low = readUint8(this.#header, 0) & 0x3f;
    return low === 0 ? 2 : low === 1 ? 3 : 1;
  }

  #chunkStreamId(): number {
    const low = readUint8(this.#header, 0) & 0x3f;
    if (low === 0) return 64 + readUint8(this.#header, 1);
    if (low === 1) return 64 + readUint8(this.#header, 1) + readUint8(this.#header, 2) * 256;
    return low;
  }

  #beginChunk(): void {
    const format = readUint8(this.#header, 0) >> 6;
    const basic = this.#basicHeaderBytes();
    const stream = this.#streamFor(this.#chunkStreamId(), format);
    const isNewMessage = stream.pending === null;
    if (format < 3) {
      if (!isNewMessage) throw new FormatError('rtmp.chunk_interrupts_message', { chunkStreamId: stream.id });
      this.#readMessageHeader(stream, format, basic);
    }
    if (format === 3 && stream.isExtended) this.#readRepeatedTimestamp(stream, basic);
    if (isNewMessage) this.#beginMessage(stream, format);
    this.#headerFilled = 0;
    const { pending } = stream;
    if (pending === null) throw new FormatError('rtmp.chunk_state', { chunkStreamId: stream.id });
    this.#chunk = { stream, bytes: Math.min(this.#chunkSizeBytes, pending.missingBytes) };
  }

  #streamFor(id: number, format: number): ChunkStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    // A peer may start with form 1 (librtmp does after a reconnect); 2 and 3 would inherit from nothing.
    if (format > 1) throw new FormatError('rtmp.chunk_without_header', { chunkStreamId: id, format });
    if (this.#streams.size >= this.#limits.chunkStreamsMax) {
      throw new FormatError('rtmp.too_many_chunk_streams', { limit: this.#limits.chunkStreamsMax });
    }
    const stream: ChunkStream = {
      id,
      timestampMs: 0,
      timestampField: 0,
      isExtended: false,
      lengthBytes: 0,
      typeId: 0,
      messageStreamId: 0,
      pending: null,
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #readMessageHeader(stream: ChunkStream, format: number, basic: number): void {
    const header = this.#header;
    const field = readUint24(header, basic);
    stream.isExtended = field === EXTENDED_TIMESTAMP;
    stream.timestampField = field;
    if (format <= 1) {
      stream.lengthBytes = readUint24(header, basic + 3);
      stream.typeId = readUint8(header, basic + 6);
    }
    if (format === 0) {
      // The one little-endian field of RTMP.
      stream.messageStreamId =
        (readUint8(header, basic + 7) |
          (readUint8(header, basic + 8) << 8) |
          (readUint8(header, basic + 9) << 16) |
          (readUint8(header, basic + 10) << 24)) >>>
        0;
    }
    if (stream.isExtended) stream.timestampField = readUint32(header, basic + (MESSAGE_HEADER_BYTES[format] ?? 0));
  }

  #beginMessage(stream: ChunkStream, format: number): void {
    stream.timestampMs = format === 0 ? stream.timestampField : (stream.timestampMs + stream.timestampField) >>> 0;
    if (stream.lengthBytes > this.#limits.messageBytesMax) {
      throw new FormatError('rtmp.message_too_large', {
        messageBytes: stream.lengthBytes,
        limitBytes: this.#limits.messageBytesMax,
      });
    }
    stream.pending = new GrowingPayload(stream.lengthBytes);
  }

  /**
   * Form 3 repeats the extended timestamp of the header before it (5.3.1.3), but some encoders leave it out. The four
   * bytes read in its place are then no part of the header: they differ from that timestamp, which every large server
   * takes as the sign. Encoders also differ in whether they repeat the field or the absolute time.
   */
  #readRepeatedTimestamp(stream: ChunkStream, basic: number): void {
    const repeated = readUint32(this.#header, basic);
    if (repeated === stream.timestampField || repeated === stream.timestampMs) return;
    this.#absentTimestamp = this.#header.slice(basic, basic + 4);
  }

  #takeAbsentExtendedTimestamp(): Uint8Array | null {
    const taken = this.#absentTimestamp;
    this.#absentTimestamp = null;
    return taken;
  }

  #appendPiece(chunk: Chunk, piece: Uint8Array): void {
    const pending = chunk.stream.pending;
    if (pending === null || piece.length > chunk.bytes) {
      throw new FormatError('rtmp.chunk_state', { chunkStreamId: chunk.stream.id });
    }
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes > this.#limits.pendingBytesMax) {
      throw new FormatError('rtmp.too_many_pending_bytes', { limitBytes: this.#limits.pendingBytesMax });
    }
    pending.append(piece);
    chunk.bytes -= piece.length;
  }

  #readPayload(chunk: Chunk, bytes: Uint8Array, offset: number, onMessage: (message: RtmpMessage) => void): number {
    const end = Math.min(bytes.length, offset + chunk.bytes);
    this.#appendPiece(chunk, bytes.subarray(offset, end));
    if (chunk.bytes > 0) return end;
    this.#chunk = null;
    const { stream } = chunk;
    if (stream.pending !== null && stream.pending.missingBytes === 0) this.#finishMessage(stream, onMessage);
    return end;
  }

  #finishMessage(stream: ChunkStream, onMessage: (message: RtmpMessage) => void): void {
    const payload = stream.pending?.take() ?? new Uint8Array(0);
    this.#discard(stream);
    if (stream.typeId === RtmpMessageType.setChunkSize) {
      this.#applyChunkSize(payload);
      return;
    }
    if (stream.typeId === RtmpMessageType.abort) {
      const aborted = this.#streams.get(readUint32(payload, 0));
      if (aborted !== undefined) this.#discard(aborted);
      return;
    }
    const { id: chunkStreamId, typeId, messageStreamId, timestampMs } = stream;
    const message: RtmpMessage = { chunkStreamId, typeId, messageStreamId, timestampMs, payload };
    if (typeId === RtmpMessageType.aggregate) for (const one of splitRtmpAggregate(message)) onMessage(one);
    else onMessage(message);
  }

  #discard(stream: ChunkStream): void {
    this.#pendingBytes -= stream.pending?.filledBytes ?? 0;
    stream.pending = null;
  }

  #applyChunkSize(payload: Uint8Array): void {
    const sizeBytes = readUint32(payload, 0);
    // The first bit must be 0 and sizes above the longest message mean the same (5.4.1).
    if (sizeBytes === 0 || sizeBytes > 0x7f_ff_ff_ff) throw new FormatError('rtmp.chunk_size', { sizeBytes });
    this.#chunkSizeBytes = Math.min(sizeBytes, 0xff_ff_ff);
  }
}
