/**
 * FLV video and audio payloads, written: AVC and AAC in the legacy form that every player reads, HEVC in the FourCC form
 * of Enhanced RTMP. Spec: Adobe FLV 10.1, E.4.2.1 and E.4.3.1; Enhanced RTMP v2, "Enhanced Video".
 */
import { concatBytes, writeUint24 } from './byte-order.ts';
import {
  type FlvAudioHeader,
  type FlvVideoHeader,
  type MediaPacketKind,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from './flv-media-header.ts';
import { FormatError } from './format-error.ts';

/** A video packet to be written. `data` is the decoder configuration or length-prefixed NAL units. */
export type FlvVideoPacket = Readonly<{
  codec: 'avc' | 'hevc';
  kind: Exclude<MediaPacketKind, 'other'>;
  isKeyframe: boolean;
  /** Presentation minus decode time, a signed 24-bit number; 0 for anything but frames. */
  compositionTimeMs: number;
  data: Uint8Array;
}>;

const KINDS = ['sequence-header', 'frames', 'end-of-sequence'] as const;
const FRAME_KEY = 0x10;
const FRAME_INTER = 0x20;
const ENHANCED = 0x80;
const CODED_FRAMES_X = 3;
const CODEC_AVC = 7;
const COMPOSITION_TIME_MAX = 0x7f_ff_ff;
const FOURCC = {
  avc: Uint8Array.of(0x61, 0x76, 0x63, 0x31),
  hevc: Uint8Array.of(0x68, 0x76, 0x63, 0x31),
} as const;
/** AAC, "44 kHz, 16 bit, stereo": fixed by E.4.2.1 whatever the sound really is. */
const AAC_HEAD = 0xaf;

/**
 * Encodes a video payload. `form` is by default the one players understand: legacy for AVC, FourCC for HEVC. The FourCC
 * form leaves a composition time of 0 out (CodedFramesX). Throws FormatError('flv.composition_time') out of range and
 * FormatError('flv.form') for HEVC in the legacy form, which has no official codec id.
 */
export function encodeFlvVideo(
  packet: FlvVideoPacket,
  form: 'legacy' | 'fourcc' = packet.codec === 'avc' ? 'legacy' : 'fourcc',
): Uint8Array {
  const frameType = packet.isKeyframe || packet.kind !== 'frames' ? FRAME_KEY : FRAME_INTER;
  const packetType = KINDS.indexOf(packet.kind);
  const time = compositionTime(packet.compositionTimeMs);
  if (form === 'legacy') {
    if (packet.codec !== 'avc') throw new FormatError('flv.form', { codec: packet.codec, form });
    return concatBytes([Uint8Array.of(frameType | CODEC_AVC, packetType), time, packet.data]);
  }
  const fourCc = FOURCC[packet.codec];
  if (packet.kind !== 'frames') {
    return concatBytes([Uint8Array.of(ENHANCED | frameType | packetType), fourCc, packet.data]);
  }
  if (packet.compositionTimeMs === 0) {
    return concatBytes([Uint8Array.of(ENHANCED | frameType | CODED_FRAMES_X), fourCc, packet.data]);
  }
  return concatBytes([Uint8Array.of(ENHANCED | frameType | packetType), fourCc, time, packet.data]);
}

function compositionTime(timeMs: number): Uint8Array {
  if (timeMs > COMPOSITION_TIME_MAX || timeMs < -COMPOSITION_TIME_MAX - 1) {
    throw new FormatError('flv.composition_time', { compositionTimeMs: timeMs });
  }
  const bytes = new Uint8Array(3);
  writeUint24(bytes, 0, timeMs);
  return bytes;
}

/** Encodes an AAC payload in the legacy form. `data` is the AudioSpecificConfig or one raw frame. */
export function encodeFlvAac(kind: 'sequence-header' | 'frames', data: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(AAC_HEAD, kind === 'frames' ? 1 : 0), data]);
}

/**
 * The payload in the one form that our outputs and their players understand: AVC legacy, HEVC FourCC. The same array
 * when it already is, which is the rule; a copy for AVC sent as `avc1` and for HEVC sent under the unofficial codec id
 * 12; unchanged for everything else. Throws FormatError when the payload is cut short.
 */
export function canonicalFlvVideo(
  payload: Uint8Array,
  header: FlvVideoHeader = readFlvVideoHeader(payload),
): Uint8Array {
  const { codec, kind, form, isKeyframe, compositionTimeMs } = header;
  if ((codec !== 'avc' && codec !== 'hevc') || kind === 'other') return payload;
  if ((codec === 'avc') === (form === 'legacy')) return payload;
  return encodeFlvVideo({ codec, kind, isKeyframe, compositionTimeMs, data: payload.subarray(header.dataOffset) });
}

/** The same for audio: AAC sent as `mp4a` becomes legacy AAC; its end of sequence, which FLV lacks, stays as it is. */
export function canonicalFlvAudio(
  payload: Uint8Array,
  header: FlvAudioHeader = readFlvAudioHeader(payload),
): Uint8Array {
  const { codec, kind, form } = header;
  if (codec !== 'aac' || form !== 'fourcc' || (kind !== 'sequence-header' && kind !== 'frames')) return payload;
  return encodeFlvAac(kind, payload.subarray(header.dataOffset));
}
