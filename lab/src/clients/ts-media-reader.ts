/** Reads whole TS segments of one session: when they begin and end, and the clocks in their pictures. No I/O. */
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  INGEST_TIME_SEI_UUID,
  type NalCodec,
  prefixNal,
  readUserDataSei,
} from '@showfloor/media-formats';
import type { FragmentMedia, PictureStamp } from '../player/hls-player.ts';
import { TsDemuxer, type TsUnit } from './ts-demuxer.ts';

const TICKS_PER_MS = 90;
/** Timestamps have 33 bits: they start anew after 26.5 hours. */
const WRAP_TICKS = 2 ** 33;
const AAC_FRAME_SAMPLES = 1024;
/** ISO/IEC 14496-3, table 1.18. */
const SAMPLE_RATES_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
/** Delimiter, parameter sets, SEI: a picture has a few before it. */
const NALS_BEFORE_PICTURE_MAX = 64;
/** A segment of a single picture lasts this long as far as anybody knows. */
const FRAME_MS_UNKNOWN = 40;

type Span = { count: number; firstTicks: number; lastTicks: number; lastFrameMs: number };

/** One session: it remembers where time stood, because timestamps start anew. */
export class TsMediaReader {
  #nearTicks: number | null = null;

  /** Null when it holds neither picture nor sound that can be read. Throws RangeError for what is no transport stream. */
  read(bytes: Uint8Array): FragmentMedia | null {
    const video: Span = { count: 0, firstTicks: 0, lastTicks: 0, lastFrameMs: FRAME_MS_UNKNOWN };
    const audio: Span = { ...video };
    const stamps: PictureStamp[] = [];
    const demuxer = new TsDemuxer((unit) => {
      const ticks = this.#unwrap(unit.dtsTicks);
      if (unit.codec === 'aac') {
        extend(audio, ticks, adtsMs(unit.head));
        return;
      }
      extend(video, ticks, null);
      stamps.push(...readStamps(unit, unit.codec, ticks / TICKS_PER_MS));
    });
    demuxer.push(bytes);
    demuxer.end();
    const span = video.count > 0 ? video : audio;
    if (span.count === 0) return null;
    if (demuxer.lostPackets > 0)
      throw new RangeError(`${demuxer.lostPackets} gaps in the packets of the transport stream`);
    return {
      startMs: span.firstTicks / TICKS_PER_MS,
      endMs: span.lastTicks / TICKS_PER_MS + span.lastFrameMs,
      frameMs: span.lastFrameMs,
      stamps,
    };
  }

  /** The reading of 33 bits that is nearest to what came before it. */
  #unwrap(ticks: number): number {
    const near = this.#nearTicks ?? ticks;
    this.#nearTicks = ticks + Math.round((near - ticks) / WRAP_TICKS) * WRAP_TICKS;
    return this.#nearTicks;
  }
}

/** `frameMs`: how long this unit lasts; null for a picture, which lasts as long as pictures of this segment do on average. */
function extend(span: Span, ticks: number, frameMs: number | null): void {
  if (span.count === 0) span.firstTicks = ticks;
  span.lastTicks = ticks;
  span.count += 1;
  if (frameMs !== null) span.lastFrameMs = frameMs;
  else if (span.count > 1) span.lastFrameMs = (ticks - span.firstTicks) / TICKS_PER_MS / (span.count - 1);
}

const CLOCKS = [
  ['capture', CAPTURE_TIME_SEI_UUID],
  ['ingest', INGEST_TIME_SEI_UUID],
] as const;

function readStamps({ head }: TsUnit, codec: NalCodec, atMediaMs: number): PictureStamp[] {
  const before = nalsBeforePicture(head, codec);
  return CLOCKS.flatMap(([tier, uuid]) => {
    const payload = before === null ? null : readUserDataSei(before, 4, uuid, codec);
    const wallMs = payload === null ? null : decodeWallClockSei(payload);
    return wallMs === null ? [] : [{ tier, atMediaMs, wallMs }];
  });
}

/**
 * NAL units up to the picture, with length prefixes instead of start codes (ITU-T H.264, annex B); null when there are none, or
 * more than any picture has.
 */
function nalsBeforePicture(bytes: Uint8Array, codec: NalCodec): Uint8Array | null {
  const nals: Uint8Array[] = [];
  let start = nextStartCode(bytes, 0);
  while (start !== null && nals.length < NALS_BEFORE_PICTURE_MAX) {
    const first = bytes[start] ?? 0;
    const type = codec === 'avc' ? first & 0x1f : (first >> 1) & 0x3f;
    if (codec === 'avc' ? type >= 1 && type <= 5 : type < 32) return nals.length === 0 ? null : Buffer.concat(nals);
    const next = nextStartCode(bytes, start);
    // The zero byte before a start code belongs to it.
    if (next !== null) nals.push(prefixNal(trimZeros(bytes.subarray(start, next - 3)), 4));
    start = next;
  }
  return null;
}

/** Where the NAL unit after the next start code begins. */
function nextStartCode(bytes: Uint8Array, from: number): number | null {
  for (let at = bytes.indexOf(1, from + 2); at >= 0; at = bytes.indexOf(1, at + 1)) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at + 1;
  }
  return null;
}

function trimZeros(nal: Uint8Array): Uint8Array {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}

/** How long the AAC frames in a packet last; null when there are none. ISO/IEC 13818-7, 6.2. */
function adtsMs(bytes: Uint8Array): number | null {
  let [at, frames, rateHz] = [0, 0, 0];
  while (at + 7 <= bytes.length && bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xf0) === 0xf0) {
    rateHz = SAMPLE_RATES_HZ[((bytes[at + 2] ?? 0) >> 2) & 0x0f] ?? 0;
    const length = (((bytes[at + 3] ?? 0) & 3) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5);
    if (length < 7 || rateHz === 0) break;
    frames += 1;
    at += length;
  }
  return frames === 0 ? null : (1000 * AAC_FRAME_SAMPLES * frames) / rateHz;
}
