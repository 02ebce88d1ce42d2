/**
 * FLV file header and tags: an 11-byte header, the payload, a 4-byte PreviousTagSize.
 * Spec: Adobe FLV 10.1, Annex E.2–E.4.1.
 */
import { writeUint24, writeUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';

/** Bytes of a tag beside its payload: header 11 + PreviousTagSize 4. */
export const FLV_TAG_OVERHEAD_BYTES = 15;
/** DataSize is UI24. */
export const FLV_PAYLOAD_BYTES_MAX = 0xff_ff_ff;

/** Tag types; the numbers are the same as RTMP's audio, video and AMF0 data messages. */
export const FlvTagType = { audio: 8, video: 9, script: 18 } as const;
/** One of {@link FlvTagType}. */
export type FlvTagTypeId = (typeof FlvTagType)[keyof typeof FlvTagType];

/** One tag. `timestampMs` is the decode time, an unsigned 32-bit number. `payload` starts with the codec byte. */
export type FlvTag = Readonly<{ typeId: FlvTagTypeId; timestampMs: number; payload: Uint8Array }>;

/** The file header and PreviousTagSize0: 13 bytes that open every FLV response. */
export function encodeFlvHeader(has: { hasAudio: boolean; hasVideo: boolean }): Uint8Array {
  const flags = (has.hasAudio ? 4 : 0) | (has.hasVideo ? 1 : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0);
}

/** Writes a whole tag at `offset`, which has room for payload + 15 bytes. Returns the offset after it. */
export function writeFlvTag(target: Uint8Array, offset: number, tag: FlvTag): number {
  const { payload } = tag;
  if (payload.length > FLV_PAYLOAD_BYTES_MAX) {
    throw new FormatError('flv.tag_too_large', { tagBytes: payload.length, limitBytes: FLV_PAYLOAD_BYTES_MAX });
  }
  target[offset] = tag.typeId;
  writeUint24(target, offset + 1, payload.length);
  writeUint24(target, offset + 4, tag.timestampMs);
  target[offset + 7] = (tag.timestampMs >>> 24) & 0xff; // TimestampExtended: the upper 8 bits
  writeUint24(target, offset + 8, 0);
  target.set(payload, offset + 11);
  writeUint32(target, offset + 11 + payload.length, 11 + payload.length);
  return offset + FLV_TAG_OVERHEAD_BYTES + payload.length;
}

/** Encodes one tag into a new array. */
export function encodeFlvTag(tag: FlvTag): Uint8Array {
  const bytes = new Uint8Array(FLV_TAG_OVERHEAD_BYTES + tag.payload.length);
  writeFlvTag(bytes, 0, tag);
  return bytes;
}
