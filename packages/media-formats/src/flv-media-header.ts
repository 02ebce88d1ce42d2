/**
 * The first bytes of FLV audio and video payloads: codec, frame type, packet type, in the legacy and the FourCC form.
 * Spec: Adobe FLV 10.1, E.4.2.1 and E.4.3.1; Enhanced RTMP v2, "Enhanced Audio" and "Enhanced Video".
 */
import { readInt24, readUint8, readUint32 } from './byte-order.ts';

/** What a packet means to a decoder. */
export type MediaPacketKind = 'sequence-header' | 'frames' | 'end-of-sequence' | 'other';

/** Video codecs that have a name here; everything else is `unknown`. */
export type FlvVideoCodec = 'avc' | 'hevc' | 'av1' | 'vp9' | 'vp8' | 'vvc' | 'unknown';
/** Audio codecs that have a name here; everything else is `unknown`. */
export type FlvAudioCodec = 'aac' | 'opus' | 'mp3' | 'ac3' | 'eac3' | 'flac' | 'unknown';

/**
 * How the payload is wrapped. `multitrack` and `mod-ex` are Enhanced RTMP v2 packets that must be negotiated
 * (`capsEx`), which we never do: their kind is `other` and what is inside is not looked at.
 */
export type FlvPayloadForm = 'legacy' | 'fourcc' | 'multitrack' | 'mod-ex';

/** Head of a video payload. */
export type FlvVideoHeader = Readonly<{
  codec: FlvVideoCodec;
  kind: MediaPacketKind;
  form: FlvPayloadForm;
  isKeyframe: boolean;
  /** Presentation minus decode time; 0 for everything but frames. */
  compositionTimeMs: number;
  /** Where the codec's own bytes begin. */
  dataOffset: number;
}>;

/** Head of an audio payload. */
export type FlvAudioHeader = Readonly<{
  codec: FlvAudioCodec;
  kind: MediaPacketKind;
  form: FlvPayloadForm;
  dataOffset: number;
}>;

const VIDEO_FOURCC = new Map<number, FlvVideoCodec>([
  [0x61_76_63_31, 'avc'],
  [0x68_76_63_31, 'hevc'],
  [0x61_76_30_31, 'av1'],
  [0x76_70_30_39, 'vp9'],
  [0x76_70_30_38, 'vp8'],
  [0x76_76_63_31, 'vvc'],
]);
const AUDIO_FOURCC = new Map<number, FlvAudioCodec>([
  [0x6d_70_34_61, 'aac'],
  [0x4f_70_75_73, 'opus'],
  [0x2e_6d_70_33, 'mp3'],
  [0x61_63_2d_33, 'ac3'],
  [0x65_63_2d_33, 'eac3'],
  [0x66_4c_61_43, 'flac'],
]);
const LEGACY_KINDS: readonly MediaPacketKind[] = ['sequence-header', 'frames', 'end-of-sequence'];

const FRAME_TYPE_KEY = 1;
const FRAME_TYPE_COMMAND = 5;
const CODEC_AVC = 7;
const CODEC_HEVC_UNOFFICIAL = 12;
const SOUND_MP3 = 2;
const SOUND_ENHANCED = 9;
const SOUND_AAC = 10;

/** Packet types of Enhanced RTMP video; those of audio differ where the table below says so. */
const VideoPacket = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  codedFramesX: 3,
  metadata: 4,
  multitrack: 6,
  modEx: 7,
} as const;
const AudioPacket = { sequenceStart: 0, codedFrames: 1, sequenceEnd: 2, multitrack: 5, modEx: 7 } as const;

/** Reads the header of a video payload. Throws FormatError('bytes.truncated') when it is cut short. */
export function readFlvVideoHeader(payload: Uint8Array): FlvVideoHeader {
  const first = readUint8(payload, 0);
  if ((first & 0x80) !== 0) return readEnhancedVideo(payload, first);
  const isKeyframe = first >> 4 === FRAME_TYPE_KEY;
  const codecId = first & 0x0f;
  if (first >> 4 === FRAME_TYPE_COMMAND) return otherVideo('legacy', 'unknown', 1);
  if (codecId !== CODEC_AVC && codecId !== CODEC_HEVC_UNOFFICIAL) {
    return { codec: 'unknown', kind: 'frames', form: 'legacy', isKeyframe, compositionTimeMs: 0, dataOffset: 1 };
  }
  const kind = LEGACY_KINDS[readUint8(payload, 1)] ?? 'other';
  const codec = codecId === CODEC_AVC ? 'avc' : 'hevc';
  const field = readInt24(payload, 2);
  const compositionTimeMs = kind === 'frames' ? field : 0; // E.4.3.1: 0 in all others, whatever is written there
  return { codec, kind, form: 'legacy', isKeyframe, compositionTimeMs, dataOffset: 5 };
}

function otherVideo(form: FlvPayloadForm, codec: FlvVideoCodec, dataOffset: number): FlvVideoHeader {
  return { codec, kind: 'other', form, isKeyframe: false, compositionTimeMs: 0, dataOffset };
}

function readEnhancedVideo(payload: Uint8Array, first: number): FlvVideoHeader {
  const packetType = first & 0x0f;
  if (packetType === VideoPacket.multitrack) return otherVideo('multitrack', 'unknown', 1);
  if (packetType === VideoPacket.modEx) return otherVideo('mod-ex', 'unknown', 1);
  const frameType = (first >> 4) & 7;
  if (frameType === FRAME_TYPE_COMMAND && packetType !== VideoPacket.metadata) {
    return otherVideo('fourcc', 'unknown', 1); // a command byte follows, no codec
  }
  const codec = VIDEO_FOURCC.get(readUint32(payload, 1)) ?? 'unknown';
  const kind = enhancedVideoKind(packetType);
  if (kind === 'other') return otherVideo('fourcc', codec, 5);
  const isKeyframe = frameType === FRAME_TYPE_KEY && kind !== 'end-of-sequence';
  // CodedFrames carries a composition time for the codecs that reorder, CodedFramesX says that it is 0.
  const hasCompositionTime =
    packetType === VideoPacket.codedFrames && (codec === 'avc' || codec === 'hevc' || codec === 'vvc');
  const compositionTimeMs = hasCompositionTime ? readInt24(payload, 5) : 0;
  return { codec, kind, form: 'fourcc', isKeyframe, compositionTimeMs, dataOffset: hasCompositionTime ? 8 : 5 };
}

function enhancedVideoKind(packetType: number): MediaPacketKind {
  switch (packetType) {
    case VideoPacket.sequenceStart:
      return 'sequence-header';
    case VideoPacket.codedFrames:
    case VideoPacket.codedFramesX:
      return 'frames';
    case VideoPacket.sequenceEnd:
      return 'end-of-sequence';
    default: // metadata (HDR), MPEG-2 TS sequence start (AV1 only), reserved
      return 'other';
  }
}

/** Reads the header of an audio payload. Throws FormatError('bytes.truncated') when it is cut short. */
export function readFlvAudioHeader(payload: Uint8Array): FlvAudioHeader {
  const first = readUint8(payload, 0);
  const format = first >> 4;
  if (format === SOUND_AAC) {
    const kind = readUint8(payload, 1) === 0 ? 'sequence-header' : 'frames';
    return { codec: 'aac', kind, form: 'legacy', dataOffset: 2 };
  }
  if (format === SOUND_ENHANCED) return readEnhancedAudio(payload, first & 0x0f);
  return { codec: format === SOUND_MP3 ? 'mp3' : 'unknown', kind: 'frames', form: 'legacy', dataOffset: 1 };
}

function readEnhancedAudio(payload: Uint8Array, packetType: number): FlvAudioHeader {
  const other = { codec: 'unknown', kind: 'other', dataOffset: 1 } as const;
  if (packetType === AudioPacket.multitrack) return { ...other, form: 'multitrack' };
  if (packetType === AudioPacket.modEx) return { ...other, form: 'mod-ex' };
  const codec = AUDIO_FOURCC.get(readUint32(payload, 1)) ?? 'unknown';
  return { codec, kind: LEGACY_KINDS[packetType] ?? 'other', form: 'fourcc', dataOffset: 5 };
}

/**
 * Why a payload cannot be part of a show, as a stable code, or null when it can: `flv.multitrack`, `flv.mod_ex` (v2
 * packets that we do not negotiate), `flv.video_codec` (AV1, VP9 …). Commands and metadata are no reason.
 */
export function refusalOfFlvVideo(header: FlvVideoHeader): string | null {
  const isCarried = header.codec === 'avc' || header.codec === 'hevc' || header.kind === 'other';
  return refusalOfForm(header.form) ?? (isCarried ? null : 'flv.video_codec');
}

/** The same for audio: `flv.audio_codec` for everything but AAC. */
export function refusalOfFlvAudio(header: FlvAudioHeader): string | null {
  const isCarried = header.codec === 'aac' || header.kind === 'other';
  return refusalOfForm(header.form) ?? (isCarried ? null : 'flv.audio_codec');
}

function refusalOfForm(form: FlvPayloadForm): string | null {
  if (form === 'multitrack') return 'flv.multitrack';
  return form === 'mod-ex' ? 'flv.mod_ex' : null;
}
