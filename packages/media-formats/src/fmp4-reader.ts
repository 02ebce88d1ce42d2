/**
 * Reads back what {@link encodeFmp4Init} and {@link encodeFmp4Fragment} wrote, as far as one needs it to go on writing the
 * same file: tracks, times, sizes. Spec: ISO/IEC 14496-12, 4.2, 8.8. Bytes that are something else: FormatError.
 */
import { readUint8, readUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { MP4_BOX_HEADER_BYTES, writeUint64 } from './mp4-box.ts';

/** The head of a box. `sizeBytes` includes the head. */
export type Mp4BoxHeader = Readonly<{ type: string; sizeBytes: number }>;

/** A track as a file describes it; `description` is its `stsd` content, verbatim: equal bytes, equal decoder. */
export type Fmp4TrackFacts = Readonly<{ trackId: number; timescale: number; description: Uint8Array }>;

/** A run of samples of a file. */
export type Fmp4RunFacts = Readonly<{
  trackId: number;
  baseDecodeTimeTicks: number;
  /** Of all samples together. */
  durationTicks: number;
  startsWithKeyframe: boolean;
}>;

type Box = Readonly<{ type: string; body: Uint8Array }>;

const TFHD_FIELDS_BEFORE_DURATION = [0x01, 0x02]; // base data offset (8 bytes), sample description index
const NON_SYNC = 0x1_0000;

/** Reads a box header. Throws FormatError('mp4.box_size') for sizes below a header and for 64-bit sizes. */
export function readMp4BoxHeader(bytes: Uint8Array, offset: number): Mp4BoxHeader {
  const sizeBytes = readUint32(bytes, offset);
  const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
  if (sizeBytes < MP4_BOX_HEADER_BYTES) throw new FormatError('mp4.box_size', { offset, sizeBytes });
  return { type, sizeBytes };
}

/** The tracks of a `moov` box. Throws FormatError. */
export function readFmp4Tracks(moov: Uint8Array): Fmp4TrackFacts[] {
  return [...boxesOf(bodyOf(moov, 'moov'))]
    .filter(({ type }) => type === 'trak')
    .map(({ body: trak }) => {
      const mdia = child(trak, 'mdia');
      const mdhd = child(mdia, 'mdhd');
      return {
        trackId: readUint32(child(trak, 'tkhd'), 12),
        timescale: readUint32(mdhd, readUint8(mdhd, 0) === 1 ? 20 : 12),
        description: child(child(child(mdia, 'minf'), 'stbl'), 'stsd'),
      };
    });
}

/**
 * Writes the duration into an init segment that was made with one. False, and nothing written, when it has no place for it.
 * Throws FormatError.
 */
export function setFmp4Duration(init: Uint8Array, durationMs: number): boolean {
  const mvex = childOrNull(child(init, 'moov'), 'mvex');
  const mehd = mvex === null ? null : childOrNull(mvex, 'mehd');
  if (mehd === null || mehd.length !== 12) return false;
  writeUint64(mehd, 4, Math.round(durationMs)); // the movie's timescale is 1,000
  return true;
}

/** The runs of a `moof` box, and its number. Throws FormatError. */
export function readFmp4Runs(moof: Uint8Array): { sequenceNumber: number; runs: Fmp4RunFacts[] } {
  const body = bodyOf(moof, 'moof');
  const runs = [...boxesOf(body)].filter(({ type }) => type === 'traf').map(({ body: traf }) => readTraf(traf));
  return { sequenceNumber: readUint32(child(body, 'mfhd'), 4), runs };
}

function readTraf(traf: Uint8Array): Fmp4RunFacts {
  const tfhd = child(traf, 'tfhd');
  const tfhdFlags = readUint32(tfhd, 0) & 0xff_ff_ff;
  const [skipBase, skipIndex] = TFHD_FIELDS_BEFORE_DURATION.map((flag) => (tfhdFlags & flag) !== 0);
  let at = 8 + (skipBase === true ? 8 : 0) + (skipIndex === true ? 4 : 0);
  const next = (flag: number): number => {
    if ((tfhdFlags & flag) === 0) return 0;
    at += 4;
    return readUint32(tfhd, at - 4);
  };
  const defaultDuration = next(0x08);
  next(0x10); // default size
  const defaultFlags = next(0x20);
  const tfdt = child(traf, 'tfdt');
  const isWide = readUint8(tfdt, 0) === 1;
  const baseDecodeTimeTicks = isWide ? readUint32(tfdt, 4) * 0x1_0000_0000 + readUint32(tfdt, 8) : readUint32(tfdt, 4);
  const run = readTrun(child(traf, 'trun'), defaultDuration, defaultFlags);
  return { trackId: readUint32(tfhd, 4), baseDecodeTimeTicks, ...run };
}

function readTrun(
  trun: Uint8Array,
  defaultDuration: number,
  defaultFlags: number,
): Pick<Fmp4RunFacts, 'durationTicks' | 'startsWithKeyframe'> {
  const flags = readUint32(trun, 0) & 0xff_ff_ff;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const count = readUint32(trun, 4);
  const first = 8 + (has(0x1) ? 4 : 0) + (has(0x4) ? 4 : 0);
  const stride = 4 * [0x100, 0x200, 0x400, 0x800].filter(has).length;
  if (first + count * stride > trun.length) throw new FormatError('mp4.trun_truncated', { count });
  const flagsAt = first + (has(0x100) ? 4 : 0) + (has(0x200) ? 4 : 0);
  const firstFlags = has(0x4)
    ? readUint32(trun, first - 4)
    : has(0x400) && count > 0
      ? readUint32(trun, flagsAt)
      : defaultFlags;
  let durationTicks = has(0x100) ? 0 : defaultDuration * count;
  if (has(0x100))
    for (let index = 0; index < count; index += 1) durationTicks += readUint32(trun, first + index * stride);
  return { durationTicks, startsWithKeyframe: count > 0 && (firstFlags & NON_SYNC) === 0 };
}

function* boxesOf(bytes: Uint8Array): Generator<Box> {
  let offset = 0;
  while (offset < bytes.length) {
    const { type, sizeBytes } = readMp4BoxHeader(bytes, offset);
    if (offset + sizeBytes > bytes.length) throw new FormatError('mp4.box_size', { offset, sizeBytes });
    yield { type, body: bytes.subarray(offset + MP4_BOX_HEADER_BYTES, offset + sizeBytes) };
    offset += sizeBytes;
  }
}

function bodyOf(box: Uint8Array, type: string): Uint8Array {
  const [only] = boxesOf(box);
  if (only === undefined || only.type !== type) throw new FormatError('mp4.box_missing', { type });
  return only.body;
}

function child(parent: Uint8Array, type: string): Uint8Array {
  const body = childOrNull(parent, type);
  if (body === null) throw new FormatError('mp4.box_missing', { type });
  return body;
}

function childOrNull(parent: Uint8Array, type: string): Uint8Array | null {
  for (const box of boxesOf(parent)) if (box.type === type) return box.body;
  return null;
}
