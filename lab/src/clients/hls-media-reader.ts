/** What a fragment holds: told apart by its first bytes, and read whole by sampled viewers. */
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  FormatError,
  INGEST_TIME_SEI_UUID,
  readUserDataSei,
} from '@showfloor/media-formats';
import type { FragmentMedia, PictureStamp } from '../player/hls-player.ts';
import { readSamples, readTimedTrack, type TimedTrack } from './fmp4-samples.ts';
import { TsMediaReader } from './ts-media-reader.ts';

/** What the first bytes of a media answer look like. */
export type MediaKind = 'fmp4' | 'ts' | 'other';

/** Bytes needed to tell. */
export const SNIFF_BYTES = 8;

const FIRST_BOXES = new Set(['ftyp', 'styp', 'moof', 'moov', 'sidx', 'emsg', 'prft', 'free']);
const TS_SYNC = 0x47;

/** Tells media from, say, a page that says "not found" with status 200. */
export function sniffMedia(head: Uint8Array): MediaKind {
  if (head[0] === TS_SYNC) return 'ts';
  return FIRST_BOXES.has(String.fromCharCode(...head.subarray(4, SNIFF_BYTES))) ? 'fmp4' : 'other';
}

/** Reads whole fragments of one session, CMAF or TS. */
export class HlsMediaReader {
  readonly #ts = new TsMediaReader();
  #track: TimedTrack | null = null;

  /** A new init segment. Throws RangeError. */
  init(bytes: Uint8Array): void {
    this.#track = readTimedTrack(bytes);
  }

  /** Null without media that can be read, CMAF without an init segment among them. Throws RangeError and FormatError. */
  read(bytes: Uint8Array): FragmentMedia | null {
    if (bytes[0] === TS_SYNC) return this.#ts.read(bytes);
    const track = this.#track;
    if (track === null) return null;
    const samples = readSamples(bytes, track);
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined) return null;
    const stamps = samples.flatMap(({ offset, bytes: length, dtsMs }) =>
      readStamps(bytes.subarray(offset, offset + length), track.nal, dtsMs),
    );
    return { startMs: first.dtsMs, endMs: last.dtsMs + last.durationMs, frameMs: last.durationMs, stamps };
  }
}

const CLOCKS = [
  ['capture', CAPTURE_TIME_SEI_UUID],
  ['ingest', INGEST_TIME_SEI_UUID],
] as const;

function readStamps(accessUnit: Uint8Array, nal: TimedTrack['nal'], atMediaMs: number): PictureStamp[] {
  if (nal === null) return [];
  return CLOCKS.flatMap(([tier, uuid]) => {
    const payload = readUserDataSei(accessUnit, nal.lengthSize, uuid, nal.codec);
    const wallMs = payload === null ? null : decodeWallClockSei(payload);
    return wallMs === null ? [] : [{ tier, atMediaMs, wallMs }];
  });
}

/** Whether an error means that the bytes are at fault, not we. */
export function isMediaError(error: unknown): boolean {
  return error instanceof RangeError || error instanceof FormatError;
}
