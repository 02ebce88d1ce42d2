/**
 * From FLV bytes to what the player model is fed with. Two ways of reading: `sampled` demuxes whole tags and reads the
 * clocks in the picture, `light` reads tag heads only.
 */
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  FlvDemuxer,
  FlvTagType,
  INGEST_TIME_SEI_UUID,
  type NalLengthSize,
  parseAvcConfig,
  readFlvAudioHeader,
  readFlvVideoHeader,
  readUserDataSei,
} from '@showfloor/media-formats';
import type { MediaUnit } from '../player/media-timeline.ts';
import { FlvTagScanner } from './flv-tag-scanner.ts';

/** Where a latency starts. Tiers are never merged: each has its own series. */
export type ClockTier = 'capture' | 'ingest';

/**
 * What one tag brings. `clocks`: wall-clock stamps in this picture. The player model runs on decode times; a keyframe's
 * offset to presentation is the same constant for the whole stream, so its stamp is read at its decode time.
 */
export type FlvMedia =
  | {
      readonly kind: 'frame';
      readonly unit: MediaUnit;
      readonly clocks: Readonly<Partial<Record<ClockTier, number>>>;
    }
  | { readonly kind: 'sequence-header'; readonly track: 'video' | 'audio' }
  | { readonly kind: 'script' };

/** Reads pushed bytes. `push` throws FormatError when they are not FLV. */
export type FlvMediaReader = { readonly push: (bytes: Uint8Array) => void };

const NO_CLOCKS = {};

/** The cheap reader. */
export function createLightReader(onMedia: (media: FlvMedia) => void): FlvMediaReader {
  return new FlvTagScanner(({ typeId, timestampMs, firstBytes }) => {
    const media = readHead(typeId, timestampMs, firstBytes);
    if (media !== null) onMedia(media);
  });
}

/** The full reader. */
export function createSampledReader(onMedia: (media: FlvMedia) => void): FlvMediaReader {
  let nalLengthSize: NalLengthSize = 4;
  return new FlvDemuxer({
    onTag: ({ typeId, timestampMs, payload }) => {
      const media = readHead(typeId, timestampMs, payload);
      if (media === null) return;
      if (typeId !== FlvTagType.video || payload.length === 0) {
        onMedia(media);
        return;
      }
      const header = readFlvVideoHeader(payload);
      if (header.codec !== 'avc') {
        onMedia(media);
        return;
      }
      const data = payload.subarray(header.dataOffset);
      if (header.kind === 'sequence-header') nalLengthSize = parseAvcConfig(data).nalLengthSize;
      onMedia(media.kind === 'frame' ? { ...media, clocks: readClocks(data, nalLengthSize) } : media);
    },
  });
}

/** Null for tags without content for a player (empty ones, commands, ends of sequence). */
function readHead(typeId: number, dtsMs: number, payload: Uint8Array): FlvMedia | null {
  if (typeId === FlvTagType.script) return { kind: 'script' };
  if (payload.length < 2) return null;
  if (typeId === FlvTagType.audio) {
    const { kind } = readFlvAudioHeader(payload);
    if (kind === 'sequence-header') return { kind, track: 'audio' };
    const unit: MediaUnit = { track: 'audio', dtsMs, isKeyframe: false };
    return kind === 'frames' ? { kind: 'frame', unit, clocks: NO_CLOCKS } : null;
  }
  if (payload.length < 5) return null;
  const { kind, isKeyframe } = readFlvVideoHeader(payload);
  if (kind === 'sequence-header') return { kind, track: 'video' };
  const unit: MediaUnit = { track: 'video', dtsMs, isKeyframe };
  return kind === 'frames' ? { kind: 'frame', unit, clocks: NO_CLOCKS } : null;
}

function readClocks(accessUnit: Uint8Array, nalLengthSize: NalLengthSize): Partial<Record<ClockTier, number>> {
  const clocks: Partial<Record<ClockTier, number>> = {};
  const capture = readUserDataSei(accessUnit, nalLengthSize, CAPTURE_TIME_SEI_UUID);
  const ingest = readUserDataSei(accessUnit, nalLengthSize, INGEST_TIME_SEI_UUID);
  const captureMs = capture === null ? null : decodeWallClockSei(capture);
  const ingestMs = ingest === null ? null : decodeWallClockSei(ingest);
  if (captureMs !== null) clocks.capture = captureMs;
  if (ingestMs !== null) clocks.ingest = ingestMs;
  return clocks;
}
