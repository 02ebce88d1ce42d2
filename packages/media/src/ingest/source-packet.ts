/** RTMP messages → packets of the hub, with the ingest clock written into each keyframe. */
import {
  amf0BodyOffset,
  canonicalFlvAudio,
  canonicalFlvVideo,
  concatBytes,
  decodeAmf0,
  encodeAmf0,
  encodeWallClockSei,
  type FlvVideoHeader,
  FormatError,
  INGEST_TIME_SEI_UUID,
  insertUserDataSeiAt,
  type NalLengthSize,
  type RtmpMessage,
  RtmpMessageType,
} from '@showfloor/media-formats';
import type { SourcePacket } from '../hub/stream.ts';
import { readAcceptedAudio, readAcceptedVideo } from './accepted-media.ts';

const METADATA_BYTES_MAX = 64 * 1024;

/** Turns the messages of one publisher into packets. */
export class PacketSource {
  readonly #onUnstamped: () => void;
  #nalLengthSize: NalLengthSize = 4;
  #hasKeyframe = false;
  #droppedPictures = 0;

  /** `onUnstamped` is called for a keyframe that could not carry the clock (NAL lengths do not add up). */
  constructor(onUnstamped: () => void) {
    this.#onUnstamped = onUnstamped;
  }

  /** Pictures came, and none that a decoder could begin with. */
  get awaitsKeyframe(): boolean {
    return this.#droppedPictures > 0 && !this.#hasKeyframe;
  }

  /**
   * Null for messages that carry no media, and for pictures before the first keyframe. Throws FormatError: broken bytes, or
   * `ingest.unsupported_…` for what we do not take.
   */
  read(message: RtmpMessage, wallClockMs: number): SourcePacket | null {
    if (message.payload.length === 0) return null;
    switch (message.typeId) {
      case RtmpMessageType.video:
        return this.#video(message, wallClockMs);
      case RtmpMessageType.audio: {
        const header = readAcceptedAudio(message.payload);
        const payload = canonicalFlvAudio(message.payload, header);
        const { timestampMs } = message;
        return { track: 'audio', kind: header.kind, isKeyframe: false, timestampMs, payload };
      }
      case RtmpMessageType.dataAmf0:
      case RtmpMessageType.dataAmf3:
        return metadata(message);
      default:
        return null;
    }
  }

  #video(message: RtmpMessage, wallClockMs: number): SourcePacket | null {
    const { timestampMs } = message;
    const { payload, header } = canonicalVideo(message.payload);
    const { kind, codec, isKeyframe, dataOffset } = header;
    const packet: SourcePacket = { track: 'video', kind, isKeyframe, timestampMs, payload };
    if (codec !== 'avc' && codec !== 'hevc') return packet; // a command or metadata
    if (kind === 'sequence-header') this.#nalLengthSize = nalLengthSizeOf(payload.subarray(dataOffset), codec);
    if (kind !== 'frames') return packet;
    if (!isKeyframe) {
      if (this.#hasKeyframe) return packet;
      this.#droppedPictures += 1;
      return null;
    }
    this.#hasKeyframe = true;
    return { ...packet, payload: this.#stamp(payload, dataOffset, codec, wallClockMs) };
  }

  #stamp(payload: Uint8Array, dataOffset: number, codec: 'avc' | 'hevc', wallClockMs: number): Uint8Array {
    try {
      const sei = encodeWallClockSei(wallClockMs);
      return insertUserDataSeiAt(payload, dataOffset, this.#nalLengthSize, INGEST_TIME_SEI_UUID, sei, codec);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#onUnstamped(); // decoders are more patient than we are: the picture goes out as it came
      return payload;
    }
  }
}

/** In the one form that outputs and players know: H.264 legacy, H.265 by its FourCC. */
function canonicalVideo(received: Uint8Array): { payload: Uint8Array; header: FlvVideoHeader } {
  const header = readAcceptedVideo(received);
  const payload = canonicalFlvVideo(received, header);
  return payload === received ? { payload, header } : { payload, header: readAcceptedVideo(payload) };
}

/** Where lengthSizeMinusOne lies in an AVC and in an HEVC configuration record (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1). */
const NAL_LENGTH_OFFSET = { avc: 4, hevc: 21 } as const;

/**
 * All that ingest needs of a configuration record. What else is in it is the decoders' business: they understand parameter sets
 * that we do not.
 */
function nalLengthSizeOf(record: Uint8Array, codec: 'avc' | 'hevc'): NalLengthSize {
  return (((record[NAL_LENGTH_OFFSET[codec]] ?? 3) & 3) + 1) as NalLengthSize;
}

/** `@setDataFrame onMetaData {…}` → `onMetaData {…}`; everything else an encoder says is not for viewers. */
function metadata(message: RtmpMessage): SourcePacket | null {
  if (message.payload.length > METADATA_BYTES_MAX) {
    throw new FormatError('rtmp.metadata_too_large', { messageBytes: message.payload.length });
  }
  let name = decodeAmf0(message.payload, amf0BodyOffset(message));
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
