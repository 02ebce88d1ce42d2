/**
 * Where the samples of an fMP4 fragment lie and when each is decoded. Written for looking at other people's fragments: it shares
 * no code with any writer. Spec: ISO/IEC 14496-12, 8.8. Bytes that do not fit: RangeError.
 */
import { type InitTrack, readInitSegment } from '../hls-conformance/fragment-reader.ts';

/** The track that times a fragment (the picture, or the sound where there is none), and how its NAL units are measured. */
export type TimedTrack = Pick<InitTrack, 'trackId' | 'timescale' | 'defaultDurationTicks'> & {
  /** Null: no picture whose NAL units we can read. */
  readonly nal: { readonly codec: 'avc' | 'hevc'; readonly lengthSize: 1 | 2 | 4 } | null;
};

/** One sample: its place in the fragment, and its decode time and duration in ms. */
export type FragmentSample = {
  readonly offset: number;
  readonly bytes: number;
  readonly dtsMs: number;
  readonly durationMs: number;
};

/** From an init segment. Null when it has no tracks. Throws RangeError. */
export function readTimedTrack(init: Uint8Array): TimedTrack | null {
  const tracks = readInitSegment(init);
  const track = tracks.find(({ handler }) => handler === 'vide') ?? tracks[0];
  if (track === undefined) return null;
  const { trackId, timescale, defaultDurationTicks, sampleEntry } = track;
  return { trackId, timescale, defaultDurationTicks, nal: readNalForm(init, sampleEntry) };
}

/** Both configuration records say in one byte how long a NAL length is. ISO/IEC 14496-15, 5.3.3.1.2 and 8.3.3.1.2. */
function readNalForm(init: Uint8Array, sampleEntry: string): TimedTrack['nal'] {
  const isAvc = sampleEntry === 'avc1' || sampleEntry === 'avc3';
  const isHevc = sampleEntry === 'hvc1' || sampleEntry === 'hev1';
  if (!isAvc && !isHevc) return null;
  const view = Buffer.from(init.buffer, init.byteOffset, init.byteLength);
  const at = view.indexOf(isAvc ? 'avcC' : 'hvcC', 0, 'latin1');
  const lengthSize = ((view[at + 4 + (isAvc ? 4 : 21)] ?? 3) & 3) + 1;
  if (at < 0 || lengthSize === 3) return null;
  return { codec: isAvc ? 'avc' : 'hevc', lengthSize: lengthSize as 1 | 2 | 4 };
}

/** Samples of one track, in order. Throws RangeError. */
export function readSamples(fragment: Uint8Array, track: TimedTrack): FragmentSample[] {
  const view = new DataView(fragment.buffer, fragment.byteOffset, fragment.byteLength);
  const samples: FragmentSample[] = [];
  for (const moof of boxesIn(view, 0, view.byteLength, 'moof')) {
    for (const traf of boxesIn(view, moof.from, moof.to, 'traf')) readTraf(view, moof.at, traf, track, samples);
  }
  return samples;
}

type Box = { readonly at: number; readonly from: number; readonly to: number };

function* boxesIn(view: DataView, from: number, to: number, type: string): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const size32 = view.getUint32(at);
    const head = size32 === 1 ? 16 : 8;
    const size = size32 === 0 ? to - at : size32 === 1 ? Number(view.getBigUint64(at + 8)) : size32;
    if (size < head || at + size > to) throw new RangeError(`a box of ${size} bytes does not fit`);
    if (typeAt(view, at + 4) === type) yield { at, from: at + head, to: at + size };
    at += size;
  }
}

function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

const TFHD_BASE_OFFSET = 0x1;
const TFHD_DESCRIPTION = 0x2;
const TFHD_DURATION = 0x8;
const TFHD_SIZE = 0x10;

function readTraf(view: DataView, moofAt: number, traf: Box, track: TimedTrack, samples: FragmentSample[]): void {
  const [tfhd] = boxesIn(view, traf.from, traf.to, 'tfhd');
  const [tfdt] = boxesIn(view, traf.from, traf.to, 'tfdt');
  if (tfhd === undefined || tfdt === undefined) throw new RangeError('a traf box without tfhd or tfdt');
  if (view.getUint32(tfhd.from + 4) !== track.trackId) return;
  const flags = view.getUint32(tfhd.from) & 0xff_ff_ff;
  let at = tfhd.from + 8;
  const base = (flags & TFHD_BASE_OFFSET) !== 0 ? Number(view.getBigUint64(at)) : moofAt;
  at += ((flags & TFHD_BASE_OFFSET) !== 0 ? 8 : 0) + ((flags & TFHD_DESCRIPTION) !== 0 ? 4 : 0);
  const duration = (flags & TFHD_DURATION) !== 0 ? view.getUint32(at) : track.defaultDurationTicks;
  at += (flags & TFHD_DURATION) !== 0 ? 4 : 0;
  const bytes = (flags & TFHD_SIZE) !== 0 ? view.getUint32(at) : 0;
  const isLong = view.getUint8(tfdt.from) === 1;
  let ticks = isLong ? Number(view.getBigUint64(tfdt.from + 4)) : view.getUint32(tfdt.from + 4);
  let dataAt = base;
  for (const trun of boxesIn(view, traf.from, traf.to, 'trun')) {
    ({ ticks, dataAt } = readTrun(view, trun, { base, dataAt, ticks, duration, bytes }, track.timescale, samples));
  }
}

const TRUN_OFFSET = 0x1;
const TRUN_FIRST_FLAGS = 0x4;
const TRUN_DURATION = 0x100;
const TRUN_SIZE = 0x200;
const TRUN_FLAGS = 0x400;
const TRUN_COMPOSITION = 0x800;

type Run = { base: number; dataAt: number; ticks: number; duration: number; bytes: number };

function readTrun(
  view: DataView,
  trun: Box,
  run: Run,
  timescale: number,
  samples: FragmentSample[],
): { ticks: number; dataAt: number } {
  const flags = view.getUint32(trun.from) & 0xff_ff_ff;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const count = view.getUint32(trun.from + 4);
  let at = trun.from + 8;
  let { ticks, dataAt } = run;
  if (has(TRUN_OFFSET)) dataAt = run.base + view.getInt32(at);
  at += (has(TRUN_OFFSET) ? 4 : 0) + (has(TRUN_FIRST_FLAGS) ? 4 : 0);
  for (let index = 0; index < count; index += 1) {
    const duration = has(TRUN_DURATION) ? view.getUint32(at) : run.duration;
    at += has(TRUN_DURATION) ? 4 : 0;
    const bytes = has(TRUN_SIZE) ? view.getUint32(at) : run.bytes;
    at += (has(TRUN_SIZE) ? 4 : 0) + (has(TRUN_FLAGS) ? 4 : 0) + (has(TRUN_COMPOSITION) ? 4 : 0);
    if (dataAt + bytes > view.byteLength) throw new RangeError(`a sample of ${bytes} bytes does not fit`);
    const toMs = 1000 / timescale;
    samples.push({ offset: dataAt, bytes, dtsMs: ticks * toMs, durationMs: duration * toMs });
    dataAt += bytes;
    ticks += duration;
  }
  return { ticks, dataAt };
}
