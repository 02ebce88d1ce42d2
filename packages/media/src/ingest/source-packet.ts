/** RTMP messages → packets of the hub, with the ingest clock written into each AVC keyframe. */
import {
  concatBytes,
  decodeAmf0,
  encodeAmf0,
  encodeWallClockSei,
  FormatError,
  INGEST_TIME_SEI_UUID,
  insertUserDataSei,
  type NalLengthSize,
  type RtmpMessage,
  RtmpMessageType,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import type { SourcePacket } from '../hub/stream.ts';

const METADATA_BYTES_MAX = 64 * 1024;

/** Turns the messages of one publisher into packets. */
export class PacketSource {
  readonly #onUnstamped: () => void;
  #nalLengthSize: NalLengthSize = 4;

  /** `onUnstamped` is called for an AVC keyframe that could not carry the clock (NAL lengths do not add up). */
  constructor(onUnstamped: () => void) {
    this.#onUnstamped = onUnstamped;
  }

  /** Null for messages that carry no media. Throws FormatError. */
  read(message: RtmpMessage, wallClockMs: number): SourcePacket | null {
    if (message.payload.length === 0) return null;
    switch (message.typeId) {
      case RtmpMessageType.video:
        return this.#video(message, wallClockMs);
      case RtmpMessageType.audio: {
        const { kind } = readFlvAudioHeader(message.payload);
        return { track: 'audio', kind, isKeyframe: false, timestampMs: message.timestampMs, payload: message.payload };
      }
      case RtmpMessageType.dataAmf0:
        return metadata(message, 0);
      case RtmpMessageType.dataAmf3:
        return metadata(message, 1);
      default:
        return null;
    }
  }

  #video(message: RtmpMessage, wallClockMs: number): SourcePacket {
    const { payload, timestampMs } = message;
    const { kind, codec, isKeyframe, dataOffset } = readFlvVideoHeader(payload);
    const packet: SourcePacket = { track: 'video', kind, isKeyframe, timestampMs, payload };
    if (codec !== 'avc') return packet;
    if (kind === 'sequence-header') this.#nalLengthSize = nalLengthSizeOf(payload.subarray(dataOffset));
    if (kind !== 'frames' || !isKeyframe) return packet;
    return { ...packet, payload: this.#stamp(payload, dataOffset, wallClockMs) };
  }

  #stamp(payload: Uint8Array, dataOffset: number, wallClockMs: number): Uint8Array {
    const accessUnit = payload.subarray(dataOffset);
    try {
      const sei = encodeWallClockSei(wallClockMs);
      const stamped = insertUserDataSei(accessUnit, this.#nalLengthSize, INGEST_TIME_SEI_UUID, sei);
      return concatBytes([payload.subarray(0, dataOffset), stamped]);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#onUnstamped(); // decoders are more patient than we are: the picture goes out as it came
      return payload;
    }
  }
}

/**
 * All that ingest needs of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). What else is in it is the decoders'
 * business: they understand parameter sets that we do not.
 */
function nalLengthSizeOf(record: Uint8Array): NalLengthSize {
  return (((record[4] ?? 3) & 3) + 1) as NalLengthSize;
}

/** `@setDataFrame onMetaData {…}` → `onMetaData {…}`; everything else an encoder says is not for viewers. */
function metadata(message: RtmpMessage, start: number): SourcePacket | null {
  if (message.payload.length > METADATA_BYTES_MAX) {
    throw new FormatError('rtmp.metadata_too_large', { messageBytes: message.payload.length });
  }
  let name = decodeAmf0(message.payload, start);
  let valueOffset = name.nextOffset;
  if (name.value === '@setDataFrame') {
    name = decodeAmf0(message.payload, name.nextOffset);
    valueOffset = name.nextOffset;
  }
  if (name.value !== 'onMetaData') return null;
  const { nextOffset } = decodeAmf0(message.payload, valueOffset); // a broken value would break every viewer's parser
  const payload = concatBytes([encodeAmf0('onMetaData'), message.payload.subarray(valueOffset, nextOffset)]);
  return { track: 'script', kind: 'other', isKeyframe: false, timestampMs: message.timestampMs, payload };
}
