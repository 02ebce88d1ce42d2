/**
 * Reads fragmented MP4 as far as rules need it: which tracks there are, and when each run of samples begins, how long it lasts
 * and whether it starts with a sync sample. Written for checking, so it shares no code with any writer.
 * Spec: ISO/IEC 14496-12, 8.8; 14496-15 for the sample entries.
 */

/** A track of an init segment. */
export type InitTrack = Readonly<{
  trackId: number;
  timescale: number;
  handler: string;
  /** Four characters of the sample entry: `avc1`, `hvc1`, `mp4a`. */
  sampleEntry: string;
  /** RFC 6381, as far as it can be told; null for others than AVC, HEVC and AAC. */
  codec: string | null;
  widthPx: number;
  heightPx: number;
  defaultDurationTicks: number;
}>;

/** One run of samples of a track in a fragment. Ticks are of the track's timescale. */
export type SampleRun = Readonly<{
  trackId: number;
  startTicks: number;
  durationTicks: number;
  samples: number;
  beginsWithSync: boolean;
}>;

type Box = Readonly<{ type: string; body: DataView; bytes: Uint8Array }>;

/** Boxes of `bytes`, one level deep. Throws RangeError on a box that does not fit. */
function* boxesOf(bytes: Uint8Array): Generator<Box> {
  const view = viewOf(bytes);
  let offset = 0;
  while (offset + 8 <= bytes.length) {
    const size32 = view.getUint32(offset);
    const type = textAt(bytes, offset + 4);
    const headBytes = size32 === 1 ? 16 : 8;
    const size = size32 === 0 ? bytes.length - offset : size32 === 1 ? Number(view.getBigUint64(offset + 8)) : size32;
    if (size < headBytes || offset + size > bytes.length)
      throw new RangeError(`box ${type} of ${size} bytes does not fit`);
    const inside = bytes.subarray(offset + headBytes, offset + size);
    yield { type, bytes: inside, body: viewOf(inside) };
    offset += size;
  }
  if (offset !== bytes.length) throw new RangeError(`${bytes.length - offset} bytes after the last box`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

/** The first box along a path of types; undefined when there is none. */
function find(bytes: Uint8Array, ...path: readonly string[]): Box | undefined {
  let inside = bytes;
  let box: Box | undefined;
  for (const type of path) {
    box = [...boxesOf(inside)].find((one) => one.type === type);
    if (box === undefined) return undefined;
    inside = box.bytes;
  }
  return box;
}

/** Tracks of an init segment. Throws RangeError when it cannot be read. */
export function readInitSegment(bytes: Uint8Array): InitTrack[] {
  const moov = find(bytes, 'moov');
  if (moov === undefined) throw new RangeError('no moov box');
  const defaults = new Map<number, number>();
  const mvex = find(moov.bytes, 'mvex');
  for (const { type, body } of mvex === undefined ? [] : boxesOf(mvex.bytes)) {
    if (type === 'trex') defaults.set(body.getUint32(4), body.getUint32(12));
  }
  return [...boxesOf(moov.bytes)]
    .filter(({ type }) => type === 'trak')
    .map(({ bytes: trak }) => readTrack(trak, defaults));
}

function readTrack(trak: Uint8Array, defaults: ReadonlyMap<number, number>): InitTrack {
  const tkhd = find(trak, 'tkhd');
  const mdhd = find(trak, 'mdia', 'mdhd');
  const hdlr = find(trak, 'mdia', 'hdlr');
  const stsd = find(trak, 'mdia', 'minf', 'stbl', 'stsd');
  if (tkhd === undefined || mdhd === undefined || hdlr === undefined || stsd === undefined) {
    throw new RangeError('a track without tkhd, mdhd, hdlr or stsd');
  }
  const trackId = tkhd.body.getUint32(tkhd.body.getUint8(0) === 1 ? 20 : 12);
  const timescale = mdhd.body.getUint32(mdhd.body.getUint8(0) === 1 ? 20 : 12);
  const [entry] = boxesOf(stsd.bytes.subarray(8));
  if (entry === undefined) throw new RangeError('an stsd box without an entry');
  const isVideo = textAt(hdlr.bytes, 8) === 'vide';
  return {
    trackId,
    timescale,
    handler: textAt(hdlr.bytes, 8),
    sampleEntry: entry.type,
    codec: codecOf(entry),
    widthPx: isVideo ? entry.body.getUint16(24) : 0,
    heightPx: isVideo ? entry.body.getUint16(26) : 0,
    defaultDurationTicks: defaults.get(trackId) ?? 0,
  };
}

const VISUAL_ENTRY_BYTES = 78;
const AUDIO_ENTRY_BYTES = 28;

function codecOf(entry: Box): string | null {
  if (entry.type === 'avc1' || entry.type === 'avc3') {
    const avcC = find(entry.bytes.subarray(VISUAL_ENTRY_BYTES), 'avcC');
    return avcC === undefined ? null : `${entry.type}.${hex(avcC.bytes.subarray(1, 4))}`;
  }
  if (entry.type === 'hvc1' || entry.type === 'hev1') {
    const hvcC = find(entry.bytes.subarray(VISUAL_ENTRY_BYTES), 'hvcC');
    return hvcC === undefined ? null : `${entry.type}.${hvcC.body.getUint8(1) & 31}`; // the rest depends on who writes it
  }
  if (entry.type !== 'mp4a') return null;
  const esds = find(entry.bytes.subarray(AUDIO_ENTRY_BYTES), 'esds');
  return esds === undefined ? null : `mp4a.40.${audioObjectType(esds.bytes)}`;
}

/** From the DecoderSpecificInfo (tag 5) of an ES descriptor. ISO/IEC 14496-1, 7.2.6. */
function audioObjectType(esds: Uint8Array): number {
  const at = esds.indexOf(5, 4 + 3 + 2);
  let offset = at + 1;
  while (((esds[offset] ?? 0) & 0x80) !== 0) offset += 1;
  return (esds[offset + 1] ?? 0) >> 3;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Sample runs of a segment or part, in the order they are written. Throws RangeError when it cannot be read. */
export function readSampleRuns(bytes: Uint8Array, tracks: readonly InitTrack[]): SampleRun[] {
  const runs: SampleRun[] = [];
  for (const { type, bytes: moof } of boxesOf(bytes)) {
    if (type !== 'moof') continue;
    for (const traf of boxesOf(moof)) {
      if (traf.type === 'traf') runs.push(readTrackRun(traf.bytes, tracks));
    }
  }
  return runs;
}

const TFHD_BASE_OFFSET = 0x1;
const TFHD_DESCRIPTION = 0x2;
const TFHD_DURATION = 0x8;
const TFHD_SIZE = 0x10;
const TFHD_FLAGS = 0x20;
const TRUN_OFFSET = 0x1;
const TRUN_FIRST_FLAGS = 0x4;
const TRUN_DURATION = 0x100;
const TRUN_SIZE = 0x200;
const TRUN_FLAGS = 0x400;
const TRUN_COMPOSITION = 0x800;
const SAMPLE_IS_NON_SYNC = 0x10000;

function readTrackRun(traf: Uint8Array, tracks: readonly InitTrack[]): SampleRun {
  const tfhd = find(traf, 'tfhd');
  const tfdt = find(traf, 'tfdt');
  if (tfhd === undefined || tfdt === undefined) throw new RangeError('a traf box without tfhd or tfdt');
  const flags = tfhd.body.getUint32(0) & 0xff_ff_ff;
  const trackId = tfhd.body.getUint32(4);
  let offset = 8 + ((flags & TFHD_BASE_OFFSET) !== 0 ? 8 : 0) + ((flags & TFHD_DESCRIPTION) !== 0 ? 4 : 0);
  let defaultDuration = tracks.find((track) => track.trackId === trackId)?.defaultDurationTicks ?? 0;
  if ((flags & TFHD_DURATION) !== 0) {
    defaultDuration = tfhd.body.getUint32(offset);
    offset += 4;
  }
  if ((flags & TFHD_SIZE) !== 0) offset += 4;
  const defaultFlags = (flags & TFHD_FLAGS) !== 0 ? tfhd.body.getUint32(offset) : 0;
  const startTicks = tfdt.body.getUint8(0) === 1 ? Number(tfdt.body.getBigUint64(4)) : tfdt.body.getUint32(4);
  let durationTicks = 0;
  let samples = 0;
  let firstFlags: number | null = null;
  for (const { type, body } of boxesOf(traf)) {
    if (type !== 'trun') continue;
    const run = readTrun(body, defaultDuration, defaultFlags);
    durationTicks += run.durationTicks;
    samples += run.samples;
    firstFlags ??= run.firstFlags;
  }
  return {
    trackId,
    startTicks,
    durationTicks,
    samples,
    beginsWithSync: ((firstFlags ?? 0) & SAMPLE_IS_NON_SYNC) === 0,
  };
}

function readTrun(
  body: DataView,
  defaultDuration: number,
  defaultFlags: number,
): { durationTicks: number; samples: number; firstFlags: number } {
  const flags = body.getUint32(0) & 0xff_ff_ff;
  const samples = body.getUint32(4);
  let offset = 8 + ((flags & TRUN_OFFSET) !== 0 ? 4 : 0);
  let firstFlags = defaultFlags;
  if ((flags & TRUN_FIRST_FLAGS) !== 0) {
    firstFlags = body.getUint32(offset);
    offset += 4;
  }
  let durationTicks = 0;
  for (let index = 0; index < samples; index += 1) {
    durationTicks += (flags & TRUN_DURATION) !== 0 ? body.getUint32(offset) : defaultDuration;
    offset += ((flags & TRUN_DURATION) !== 0 ? 4 : 0) + ((flags & TRUN_SIZE) !== 0 ? 4 : 0);
    if ((flags & TRUN_FLAGS) !== 0) {
      if (index === 0 && (flags & TRUN_FIRST_FLAGS) === 0) firstFlags = body.getUint32(offset);
      offset += 4;
    }
    if ((flags & TRUN_COMPOSITION) !== 0) offset += 4;
  }
  return { durationTicks, samples, firstFlags };
}
