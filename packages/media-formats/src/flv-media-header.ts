/**
 * The first bytes of FLV audio and video payloads: codec, frame type, packet type.
 * Spec: Adobe FLV 10.1, E.4.2.1 and E.4.3.1; Enhanced RTMP v2 for the FourCC forms.
 */
import { readInt24, readUint8, readUint32 } from './byte-order.ts';

/** What a packet means to a decoder. */
export type MediaPacketKind = 'sequence-header' | 'frames' | 'end-of-sequence' | 'other';

/** `codec` is a name for known ones (`avc`, `hevc`, `av1`, `vp9`, `vp8`), else `unknown`. */
export type FlvVideoHeader = Readonly<{
  codec: 'avc' | 'hevc' | 'av1' | 'vp9' | 'vp8' | 'unknown';
  kind: MediaPacketKind;
  isKeyframe: boolean;
  /** Presentation minus decode time. */
  compositionTimeMs: number;
  /** Where the codec's own bytes begin. */
  dataOffset: number;
}>;

/** `codec` is a name for known ones (`aac`, `opus`, `mp3`), else `unknown`. */
export type FlvAudioHeader = Readonly<{
  codec: 'aac' | 'opus' | 'mp3' | 'unknown';
  kind: MediaPacketKind;
  dataOffset: number;
}>;

const VIDEO_FOURCC = new Map<number, FlvVideoHeader['codec']>([
  [0x61_76_63_31, 'avc'],
  [0x68_76_63_31, 'hevc'],
  [0x61_76_30_31, 'av1'],
  [0x76_70_30_39, 'vp9'],
  [0x76_70_30_38, 'vp8'],
]);
const AUDIO_FOURCC = new Map<number, FlvAudioHeader['codec']>([
  [0x6d_70_34_61, 'aac'],
  [0x4f_70_75_73, 'opus'],
  [0x2e_6d_70_33, 'mp3'],
]);
const LEGACY_KINDS: readonly MediaPacketKind[] = ['sequence-header', 'frames', 'end-of-sequence'];

const FRAME_TYPE_KEY = 1;
const FRAME_TYPE_COMMAND = 5;
const CODEC_AVC = 7;
const CODEC_HEVC_UNOFFICIAL = 12;

/** Reads the header of a video payload. Throws FormatError('bytes.truncated') when it is cut short. */
export function readFlvVideoHeader(payload: Uint8Array): FlvVideoHeader {
  const first = readUint8(payload, 0);
  if ((first & 0x80) !== 0) return readEnhancedVideo(payload, first);
  const isKeyframe = first >> 4 === FRAME_TYPE_KEY;
  const codecId = first & 0x0f;
  if (first >> 4 === FRAME_TYPE_COMMAND) return other('unknown', 1);
  if (codecId !== CODEC_AVC && codecId !== CODEC_HEVC_UNOFFICIAL) {
    return { codec: 'unknown', kind: 'frames', isKeyframe, compositionTimeMs: 0, dataOffset: 1 };
  }
  const kind = LEGACY_KINDS[readUint8(payload, 1)] ?? 'other';
  const codec = codecId === CODEC_AVC ? 'avc' : 'hevc';
  return { codec, kind, isKeyframe, compositionTimeMs: readInt24(payload, 2), dataOffset: 5 };
}

function other(codec: FlvVideoHeader['codec'], dataOffset: number): FlvVideoHeader {
  return { codec, kind: 'other', isKeyframe: false, compositionTimeMs: 0, dataOffset };
}

function readEnhancedVideo(payload: Uint8Array, first: number): FlvVideoHeader {
  const codec = VIDEO_FOURCC.get(readUint32(payload, 1)) ?? 'unknown';
  const isKeyframe = ((first >> 4) & 7) === FRAME_TYPE_KEY;
  const packetType = first & 0x0f;
  if (packetType === 0) return { codec, kind: 'sequence-header', isKeyframe, compositionTimeMs: 0, dataOffset: 5 };
  if (packetType === 2)
    return { codec, kind: 'end-of-sequence', isKeyframe: false, compositionTimeMs: 0, dataOffset: 5 };
  if (packetType === 3) return { codec, kind: 'frames', isKeyframe, compositionTimeMs: 0, dataOffset: 5 };
  if (packetType !== 1) return other(codec, 5);
  // CodedFrames carries a composition time for the codecs that reorder (AVC, HEVC).
  const hasCompositionTime = codec === 'avc' || codec === 'hevc';
  return {
    codec,
    kind: 'frames',
    isKeyframe,
    compositionTimeMs: hasCompositionTime ? readInt24(payload, 5) : 0,
    dataOffset: hasCompositionTime ? 8 : 5,
  };
}

/** Reads the header of an audio payload. Throws FormatError('bytes.truncated') when it is cut short. */
export function readFlvAudioHeader(payload: Uint8Array): FlvAudioHeader {
  const first = readUint8(payload, 0);
  const format = first >> 4;
  if (format === 10) {
    return { codec: 'aac', kind: readUint8(payload, 1) === 0 ? 'sequence-header' : 'frames', dataOffset: 2 };
  }
  if (format === 9) {
    const codec = AUDIO_FOURCC.get(readUint32(payload, 1)) ?? 'unknown';
    const packetType = first & 0x0f;
    const kind = packetType === 0 ? 'sequence-header' : packetType === 1 ? 'frames' : 'other';
    return { codec, kind, dataOffset: 5 };
  }
  return { codec: format === 2 ? 'mp3' : 'unknown', kind: 'frames', dataOffset: 1 };
}
