/**
 * Aggregate messages: several audio, video and data messages in one, each as an FLV tag. Spec: Adobe RTMP 1.0, 7.1.6.
 */
import { readUint8, readUint24 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

const SUB_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;
/** Most messages one aggregate may hold; servers that send them collect some hundred milliseconds. */
export const RTMP_AGGREGATE_MESSAGES_MAX = 4_096;

const ALLOWED_TYPES: ReadonlySet<number> = new Set([
  RtmpMessageType.audio,
  RtmpMessageType.video,
  RtmpMessageType.dataAmf0,
  RtmpMessageType.dataAmf3,
]);

/**
 * The messages of an aggregate, in order; payloads are views into it. Their times are the aggregate's plus what lies
 * between them and the first of them. Throws FormatError (`rtmp.aggregate_*`) for anything but media and data inside,
 * for too many, and for lengths that do not add up; a missing last back pointer is forgiven.
 */
export function splitRtmpAggregate(message: RtmpMessage): RtmpMessage[] {
  const { payload, chunkStreamId, messageStreamId } = message;
  const messages: RtmpMessage[] = [];
  let firstMs: number | null = null;
  for (let offset = 0; offset < payload.length; ) {
    if (messages.length >= RTMP_AGGREGATE_MESSAGES_MAX) {
      throw new FormatError('rtmp.aggregate_messages', { limit: RTMP_AGGREGATE_MESSAGES_MAX });
    }
    const typeId = readUint8(payload, offset);
    if (!ALLOWED_TYPES.has(typeId)) throw new FormatError('rtmp.aggregate_type', { typeId });
    const start = offset + SUB_HEADER_BYTES;
    const end = start + readUint24(payload, offset + 1);
    if (end > payload.length) {
      throw new FormatError('rtmp.aggregate_length', {
        messageBytes: end - start,
        remainingBytes: payload.length - start,
      });
    }
    const subMs = ((readUint8(payload, offset + 7) << 24) | readUint24(payload, offset + 4)) >>> 0;
    firstMs ??= subMs;
    const timestampMs = (message.timestampMs + subMs - firstMs) >>> 0;
    messages.push({ chunkStreamId, typeId, messageStreamId, timestampMs, payload: payload.subarray(start, end) });
    offset = end + BACK_POINTER_BYTES;
  }
  return messages;
}
