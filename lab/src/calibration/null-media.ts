/**
 * The stream that the null server plays: 30 pictures a second and sound, 2.6 Mbit/s, a key frame with its capture time at the start
 * of each second. Nobody can decode it, but every length, timestamp and box is right, so that viewers do all their work. Pure.
 */
import {
  CAPTURE_TIME_SEI_UUID,
  concatBytes,
  encodeFlvAac,
  encodeFlvHeader,
  encodeFlvTag,
  encodeFlvVideo,
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeWallClockSei,
  type FlvTag,
  FlvTagType,
  insertUserDataSei,
} from '@showfloor/media-formats';

/** Pictures per second. */
export const NULL_FPS = 30;
/** Length of one part of a segment. */
export const NULL_PART_MS = 200;
/** Parts of a segment, which lasts one second. */
export const NULL_PARTS = 5;

const FRAMES_PER_PART = NULL_FPS / NULL_PARTS;
const VIDEO_BYTES_PER_SECOND = 2_472_000 / 8;
const KEYFRAME_BYTES = 48_000;
const FRAME_BYTES = Math.round((VIDEO_BYTES_PER_SECOND - KEYFRAME_BYTES) / (NULL_FPS - 1));
const AUDIO_FRAME_MS = 1024 / 48;
const AUDIO_FRAME_BYTES = Math.round((128_000 / 8 / 1000) * AUDIO_FRAME_MS);
const TIMESCALE = 90_000;
const FRAME_TICKS = TIMESCALE / NULL_FPS;
const NAL_IDR = 0x65;
const NAL_SLICE = 0x41;
/** 1920 × 1080, High, level 4.0. */
const AVC_CONFIG = Buffer.from(
  '01640028ffe1001f67640028acb200f0044fcb80b5010101a50000030001000003003c0f18324801000668ebc2cb22c0fdf8f800',
  'hex',
);
/** AAC-LC, 48 kHz, stereo. */
const AAC_CONFIG = Buffer.from('1190', 'hex');

const keyframe = picture(NAL_IDR, KEYFRAME_BYTES);
const interFrame = picture(NAL_SLICE, FRAME_BYTES);
const sound = new Uint8Array(AUDIO_FRAME_BYTES).fill(0x21);

/** One length-prefixed NAL unit; the filling has no zeros, so it needs no emulation prevention. */
function picture(nalType: number, bytes: number): Uint8Array {
  const unit = new Uint8Array(bytes).fill(0xa5);
  new DataView(unit.buffer).setUint32(0, bytes - 4);
  unit[4] = nalType;
  return unit;
}

/** The access unit of the n-th picture; key frames say when they were made. */
function accessUnit(frame: number, wallMs: number): Uint8Array {
  if (frame % NULL_FPS !== 0) return interFrame;
  return insertUserDataSei(keyframe, 4, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(wallMs));
}

/** When the n-th picture is due, ms from the first. */
export function pictureAtMs(frame: number): number {
  return (frame * 1000) / NULL_FPS;
}

/** When the n-th frame of sound is due, ms from the first picture. */
export function soundAtMs(index: number): number {
  return index * AUDIO_FRAME_MS;
}

/** What opens every FLV body. */
export function flvOpening(): Buffer {
  const video = encodeFlvVideo({
    codec: 'avc',
    kind: 'sequence-header',
    isKeyframe: true,
    compositionTimeMs: 0,
    data: AVC_CONFIG,
  });
  const headers: FlvTag[] = [
    { typeId: FlvTagType.video, timestampMs: 0, payload: video },
    { typeId: FlvTagType.audio, timestampMs: 0, payload: encodeFlvAac('sequence-header', AAC_CONFIG) },
  ];
  return Buffer.from(concatBytes([encodeFlvHeader({ hasAudio: true, hasVideo: true }), ...headers.map(encodeFlvTag)]));
}

/** The tag of the n-th picture. `wallMs`: its capture time. */
export function flvPicture(frame: number, wallMs: number): Uint8Array {
  const isKeyframe = frame % NULL_FPS === 0;
  const data = accessUnit(frame, wallMs);
  const payload = encodeFlvVideo({ codec: 'avc', kind: 'frames', isKeyframe, compositionTimeMs: 0, data });
  return encodeFlvTag({ typeId: FlvTagType.video, timestampMs: Math.round(pictureAtMs(frame)), payload });
}

/** The tag of the n-th frame of sound. */
export function flvSound(index: number): Uint8Array {
  const payload = encodeFlvAac('frames', sound);
  return encodeFlvTag({ typeId: FlvTagType.audio, timestampMs: Math.round(soundAtMs(index)), payload });
}

/** The init segment. */
export function fmp4Opening(): Buffer {
  return Buffer.from(
    encodeFmp4Init([
      { kind: 'video', codec: 'avc', config: AVC_CONFIG, widthPx: 1920, heightPx: 1080, timescale: TIMESCALE },
    ]),
  );
}

/** The n-th part: its pictures, with sound counted as picture (one track is as much work for a viewer as two). */
export function fmp4Part(part: number, wallMs: number): Buffer {
  const firstFrame = part * FRAMES_PER_PART;
  const samples = Array.from({ length: FRAMES_PER_PART }, (_, index) => ({
    data: padded(accessUnit(firstFrame + index, wallMs + pictureAtMs(index))),
    durationTicks: FRAME_TICKS,
    compositionOffsetTicks: 0,
    isKeyframe: (firstFrame + index) % NULL_FPS === 0,
  }));
  return Buffer.from(
    encodeFmp4Fragment({
      sequenceNumber: part + 1,
      tracks: [{ trackId: 1, baseDecodeTimeTicks: firstFrame * FRAME_TICKS, samples }],
      startsSegment: part % NULL_PARTS === 0,
    }),
  );
}

/** In place of the sound of one picture's length: a filler NAL unit. */
const filler = picture(0x0c, Math.round(128_000 / 8 / NULL_FPS));

function padded(unit: Uint8Array): Uint8Array {
  return concatBytes([unit, filler]);
}
