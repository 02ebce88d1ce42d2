/**
 * Movie fragments: `moof` and `mdat`, several tracks in one. Sizes first, then one buffer, every sample copied once.
 * Spec: ISO/IEC 14496-12, 8.8 (fragments), 8.16.5 (`prft`); 23000-19 (CMAF), 7.3.2 and 7.5.
 */
import { writeUint32 } from './byte-order.ts';
import { ascii, MP4_BOX_HEADER_BYTES, MP4_FULL_BOX_HEADER_BYTES, writeMp4BoxHeader, writeUint64 } from './mp4-box.ts';

/** One access unit: NAL units with length prefixes, or one raw AAC frame. Times in ticks of its track. */
export type Fmp4Sample = Readonly<{
  data: Uint8Array;
  durationTicks: number;
  /** Presentation minus decode time; may be negative. */
  compositionOffsetTicks: number;
  /** A decoder can start here. Every audio frame is one. */
  isKeyframe: boolean;
}>;

/** Samples of one track that follow each other; a track without samples is left out of the fragment. */
export type Fmp4TrackRun = Readonly<{
  /** As numbered by the init segment, from 1. */
  trackId: number;
  /** Decode time of the first sample: a whole number up to 2^53. */
  baseDecodeTimeTicks: number;
  samples: readonly Fmp4Sample[];
}>;

/** The wall clock of a decode time, for players that measure latency (`prft`). */
export type Fmp4ReferenceTime = Readonly<{ trackId: number; wallMs: number; decodeTimeTicks: number }>;

/** What one fragment is made of. `sequenceNumber` counts up from 1 through the file. */
export type Fmp4Fragment = Readonly<{
  sequenceNumber: number;
  tracks: readonly Fmp4TrackRun[];
  /** Puts `styp` in front: the first fragment of a segment. */
  startsSegment?: boolean;
  referenceTime?: Fmp4ReferenceTime;
}>;

const MFHD_BYTES = MP4_FULL_BOX_HEADER_BYTES + 4;
const TFDT_BYTES = MP4_FULL_BOX_HEADER_BYTES + 8;
const TRUN_FIXED_BYTES = MP4_FULL_BOX_HEADER_BYTES + 8;
const STYP_BRANDS = ['msdh', 'iso6', 'msix'];
const STYP_BYTES = MP4_BOX_HEADER_BYTES + 8 + STYP_BRANDS.length * 4;
const PRFT_BYTES = MP4_FULL_BOX_HEADER_BYTES + 20;
const VERSION_1 = 0x0100_0000;
const TFHD_DEFAULT_DURATION = 0x08;
const TFHD_DEFAULT_FLAGS = 0x20;
const TFHD_DEFAULT_BASE_IS_MOOF = 0x02_0000;
const TRUN_DATA_OFFSET = 0x001;
const TRUN_DURATION = 0x100;
const TRUN_SIZE = 0x200;
const TRUN_FLAGS = 0x400;
const TRUN_COMPOSITION = 0x800;
const SYNC_SAMPLE = 0x0200_0000; // depends on no other
const OTHER_SAMPLE = 0x0101_0000; // depends on others, is not sync
const PRFT_CONSISTENT_CLOCK = 24;
const NTP_EPOCH_OFFSET_SECONDS = 2_208_988_800;

/** What a run's samples have in common, and so what its boxes need not repeat. */
type RunLayout = Readonly<{
  run: Fmp4TrackRun;
  tfhdFlags: number;
  trunFlags: number;
  tfhdBytes: number;
  trunBytes: number;
  payloadBytes: number;
}>;

/** `moof` and `mdat` in one buffer that the caller owns. Throws RangeError when no track has a sample. */
export function encodeFmp4Fragment(fragment: Fmp4Fragment): Uint8Array {
  const layouts = fragment.tracks.filter((run) => run.samples.length > 0).map(layoutOf);
  if (layouts.length === 0) throw new RangeError('a fragment needs a sample');
  let moofBytes = MP4_BOX_HEADER_BYTES + MFHD_BYTES;
  let mdatBytes = MP4_BOX_HEADER_BYTES;
  for (const layout of layouts) {
    moofBytes += trafBytes(layout);
    mdatBytes += layout.payloadBytes;
  }
  const prefixBytes =
    (fragment.startsSegment === true ? STYP_BYTES : 0) + (fragment.referenceTime === undefined ? 0 : PRFT_BYTES);
  const target = new Uint8Array(prefixBytes + moofBytes + mdatBytes);
  if (fragment.startsSegment === true) writeSegmentType(target);
  if (fragment.referenceTime !== undefined) {
    writeReferenceTime(target, prefixBytes - PRFT_BYTES, fragment.referenceTime);
  }
  writeMp4BoxHeader(target, prefixBytes, moofBytes, 'moof');
  let offset = writeFullBox(target, prefixBytes + MP4_BOX_HEADER_BYTES, MFHD_BYTES, 'mfhd', 0);
  writeUint32(target, offset, fragment.sequenceNumber);
  offset += 4;
  let dataOffset = moofBytes + MP4_BOX_HEADER_BYTES; // from the start of moof
  for (const layout of layouts) {
    offset = writeTrackFragment(target, offset, layout, dataOffset);
    dataOffset += layout.payloadBytes;
  }
  writeMp4BoxHeader(target, offset, mdatBytes, 'mdat');
  offset += MP4_BOX_HEADER_BYTES;
  for (const { run } of layouts) {
    for (const { data } of run.samples) {
      target.set(data, offset);
      offset += data.length;
    }
  }
  return target;
}

function layoutOf(run: Fmp4TrackRun): RunLayout {
  const first = run.samples[0];
  let hasOneDuration = true;
  let hasOneKind = true;
  let hasComposition = false;
  let payloadBytes = 0;
  for (const sample of run.samples) {
    payloadBytes += sample.data.length;
    if (sample.durationTicks !== first?.durationTicks) hasOneDuration = false;
    if (sample.isKeyframe !== first?.isKeyframe) hasOneKind = false;
    if (sample.compositionOffsetTicks !== 0) hasComposition = true;
  }
  const defaults = (hasOneDuration ? TFHD_DEFAULT_DURATION : 0) | (hasOneKind ? TFHD_DEFAULT_FLAGS : 0);
  const perSample =
    (hasOneDuration ? 0 : TRUN_DURATION) | (hasOneKind ? 0 : TRUN_FLAGS) | (hasComposition ? TRUN_COMPOSITION : 0);
  return {
    run,
    tfhdFlags: TFHD_DEFAULT_BASE_IS_MOOF | defaults,
    trunFlags: TRUN_DATA_OFFSET | TRUN_SIZE | perSample,
    tfhdBytes: MP4_FULL_BOX_HEADER_BYTES + 4 + 4 * bitCount(defaults),
    trunBytes: TRUN_FIXED_BYTES + 4 * (1 + bitCount(perSample)) * run.samples.length,
    payloadBytes,
  };
}

function bitCount(flags: number): number {
  let count = 0;
  for (let rest = flags; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function trafBytes(layout: RunLayout): number {
  return MP4_BOX_HEADER_BYTES + layout.tfhdBytes + TFDT_BYTES + layout.trunBytes;
}

function writeTrackFragment(target: Uint8Array, start: number, layout: RunLayout, dataOffset: number): number {
  const { run, tfhdFlags } = layout;
  writeMp4BoxHeader(target, start, trafBytes(layout), 'traf');
  let offset = writeFullBox(target, start + MP4_BOX_HEADER_BYTES, layout.tfhdBytes, 'tfhd', tfhdFlags);
  offset = writeNext(target, offset, run.trackId);
  const first = run.samples[0];
  if ((tfhdFlags & TFHD_DEFAULT_DURATION) !== 0) offset = writeNext(target, offset, first?.durationTicks ?? 0);
  if ((tfhdFlags & TFHD_DEFAULT_FLAGS) !== 0) offset = writeNext(target, offset, sampleFlags(first));
  offset = writeFullBox(target, offset, TFDT_BYTES, 'tfdt', VERSION_1);
  writeUint64(target, offset, run.baseDecodeTimeTicks);
  return writeRun(target, offset + 8, layout, dataOffset);
}

function writeRun(target: Uint8Array, start: number, layout: RunLayout, dataOffset: number): number {
  const { run, trunFlags } = layout;
  let offset = writeFullBox(target, start, layout.trunBytes, 'trun', VERSION_1 | trunFlags);
  offset = writeNext(target, offset, run.samples.length);
  offset = writeNext(target, offset, dataOffset);
  for (const sample of run.samples) {
    if ((trunFlags & TRUN_DURATION) !== 0) offset = writeNext(target, offset, sample.durationTicks);
    offset = writeNext(target, offset, sample.data.length);
    if ((trunFlags & TRUN_FLAGS) !== 0) offset = writeNext(target, offset, sampleFlags(sample));
    if ((trunFlags & TRUN_COMPOSITION) !== 0) offset = writeNext(target, offset, sample.compositionOffsetTicks);
  }
  return offset;
}

function sampleFlags(sample: Fmp4Sample | undefined): number {
  return sample?.isKeyframe === true ? SYNC_SAMPLE : OTHER_SAMPLE;
}

function writeSegmentType(target: Uint8Array): void {
  writeMp4BoxHeader(target, 0, STYP_BYTES, 'styp');
  target.set(ascii('msdh'), MP4_BOX_HEADER_BYTES);
  target.set(ascii(STYP_BRANDS.join('')), MP4_BOX_HEADER_BYTES + 8); // the minor version between them is 0
}

function writeReferenceTime(target: Uint8Array, start: number, reference: Fmp4ReferenceTime): void {
  const offset = writeFullBox(target, start, PRFT_BYTES, 'prft', VERSION_1 | PRFT_CONSISTENT_CLOCK);
  writeUint32(target, offset, reference.trackId);
  writeUint32(target, offset + 4, Math.floor(reference.wallMs / 1_000) + NTP_EPOCH_OFFSET_SECONDS);
  writeUint32(target, offset + 8, Math.floor(((reference.wallMs % 1_000) / 1_000) * 0x1_0000_0000));
  writeUint64(target, offset + 12, reference.decodeTimeTicks);
}

function writeFullBox(target: Uint8Array, start: number, sizeBytes: number, type: string, flags: number): number {
  writeMp4BoxHeader(target, start, sizeBytes, type);
  writeUint32(target, start + MP4_BOX_HEADER_BYTES, flags);
  return start + MP4_FULL_BOX_HEADER_BYTES;
}

function writeNext(target: Uint8Array, offset: number, value: number): number {
  writeUint32(target, offset, value);
  return offset + 4;
}
