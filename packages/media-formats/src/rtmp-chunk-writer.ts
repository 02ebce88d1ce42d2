/** RTMP messages → chunks, with the shortest header form the previous message allows. Spec: Adobe RTMP 1.0, 5.3. */
import { writeUint24, writeUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

const EXTENDED_TIMESTAMP = 0xff_ff_ff;
const CHUNK_SIZE_DEFAULT = 128;
const MESSAGE_BYTES_MAX = 0xff_ff_ff;
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;

type Previous = {
  timestampMs: number;
  timestampField: number;
  lengthBytes: number;
  typeId: number;
  messageStreamId: number;
};
type Format = 0 | 1 | 2 | 3;

/** Turns messages into bytes for one direction of one connection. Holds no socket. */
export class RtmpChunkWriter {
  readonly #previous = new Map<number, Previous>();
  #chunkSizeBytes = CHUNK_SIZE_DEFAULT;

  /** Encodes Set Chunk Size and uses the new size (1 … 16,777,215) from the next message on. Throws FormatError beyond. */
  setChunkSize(sizeBytes: number): Uint8Array {
    if (!(sizeBytes >= 1 && sizeBytes <= MESSAGE_BYTES_MAX)) throw new FormatError('rtmp.chunk_size', { sizeBytes });
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, sizeBytes);
    const bytes = this.write({
      chunkStreamId: 2,
      typeId: RtmpMessageType.setChunkSize,
      messageStreamId: 0,
      timestampMs: 0,
      payload,
    });
    this.#chunkSizeBytes = sizeBytes;
    return bytes;
  }

  /** Encodes one message into a new array. Throws FormatError for a payload over 16 MB or a bad chunk stream id. */
  write(message: RtmpMessage): Uint8Array {
    const { chunkStreamId: id, payload } = message;
    if (id < 2 || id > 65_599) throw new FormatError('rtmp.chunk_stream_id', { chunkStreamId: id });
    if (payload.length > MESSAGE_BYTES_MAX) {
      throw new FormatError('rtmp.message_too_large', { messageBytes: payload.length, limitBytes: MESSAGE_BYTES_MAX });
    }
    const { format, field } = this.#chooseForm(message);
    const basicBytes = id < 64 ? 1 : id < 320 ? 2 : 3;
    const extendedBytes = field >= EXTENDED_TIMESTAMP ? 4 : 0;
    const continuations = Math.max(0, Math.ceil(payload.length / this.#chunkSizeBytes) - 1);
    const headerBytes = basicBytes + MESSAGE_HEADER_BYTES[format] + extendedBytes;
    const target = new Uint8Array(headerBytes + payload.length + continuations * (basicBytes + extendedBytes));
    let offset = writeBasicHeader(target, 0, format, id);
    offset = writeMessageHeader(target, offset, format, field, message);
    if (extendedBytes > 0) offset = writeExtended(target, offset, field);
    this.#writePayload(target, offset, id, field, payload);
    return target;
  }

  #chooseForm(message: RtmpMessage): { format: Format; field: number } {
    const previous = this.#previous.get(message.chunkStreamId);
    const timestampMs = message.timestampMs >>> 0;
    const canDelta =
      previous !== undefined &&
      previous.messageStreamId === message.messageStreamId &&
      timestampMs >= previous.timestampMs;
    const field = canDelta ? timestampMs - previous.timestampMs : timestampMs;
    let format: Format = 0;
    if (canDelta) {
      const isSameShape = previous.typeId === message.typeId && previous.lengthBytes === message.payload.length;
      format = !isSameShape ? 1 : previous.timestampField !== field ? 2 : 3;
    }
    this.#previous.set(message.chunkStreamId, {
      timestampMs,
      timestampField: field,
      lengthBytes: message.payload.length,
      typeId: message.typeId,
      messageStreamId: message.messageStreamId,
    });
    return { format, field };
  }

  #writePayload(target: Uint8Array, start: number, id: number, field: number, payload: Uint8Array): void {
    let offset = start;
    for (let from = 0; from < payload.length; from += this.#chunkSizeBytes) {
      if (from > 0) {
        offset = writeBasicHeader(target, offset, 3, id);
        if (field >= EXTENDED_TIMESTAMP) offset = writeExtended(target, offset, field);
      }
      const piece = payload.subarray(from, from + this.#chunkSizeBytes);
      target.set(piece, offset);
      offset += piece.length;
    }
  }
}

function writeBasicHeader(target: Uint8Array, offset: number, format: Format, id: number): number {
  const top = format << 6;
  if (id < 64) {
    target[offset] = top | id;
    return offset + 1;
  }
  const rest = id - 64;
  target[offset] = id < 320 ? top : top | 1;
  target[offset + 1] = rest & 0xff;
  if (id < 320) return offset + 2;
  target[offset + 2] = rest >> 8;
  return offset + 3;
}

function writeMessageHeader(
  target: Uint8Array,
  offset: number,
  format: Format,
  field: number,
  message: RtmpMessage,
): number {
  if (format === 3) return offset;
  writeUint24(target, offset, Math.min(field, EXTENDED_TIMESTAMP));
  if (format <= 1) {
    writeUint24(target, offset + 3, message.payload.length);
    target[offset + 6] = message.typeId;
  }
  if (format === 0) {
    const id = message.messageStreamId;
    target.set([id & 0xff, (id >>> 8) & 0xff, (id >>> 16) & 0xff, (id >>> 24) & 0xff], offset + 7);
  }
  return offset + MESSAGE_HEADER_BYTES[format];
}

function writeExtended(target: Uint8Array, offset: number, field: number): number {
  writeUint32(target, offset, field);
  return offset + 4;
}
