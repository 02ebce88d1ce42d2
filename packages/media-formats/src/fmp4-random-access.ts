/** The index at the end of a fragmented file: `mfra`, by which readers seek. Spec: ISO/IEC 14496-12, 8.8.9–8.8.11. */
import { writeUint32 } from './byte-order.ts';
import {
  MP4_BOX_HEADER_BYTES,
  MP4_FULL_BOX_HEADER_BYTES,
  mp4FullBox,
  uint32s,
  writeMp4BoxHeader,
  writeUint64,
} from './mp4-box.ts';

/** A fragment whose run of the indexed track begins with a keyframe. `moofOffset` counts from the start of the file. */
export type Fmp4AccessPoint = Readonly<{ timeTicks: number; moofOffset: number /** From 1. */; trafNumber: number }>;

const VERSION_1 = 0x0100_0000;
const TFRA_FIXED_BYTES = MP4_FULL_BOX_HEADER_BYTES + 12;
const ENTRY_BYTES = 19;

/** `mfra` with one track's points in order of time. The caller puts it at the very end of the file. */
export function encodeFmp4RandomAccess(trackId: number, points: readonly Fmp4AccessPoint[]): Uint8Array {
  const mfro = mp4FullBox('mfro', 0, uint32s(0));
  const tfraBytes = TFRA_FIXED_BYTES + points.length * ENTRY_BYTES;
  const mfra = new Uint8Array(MP4_BOX_HEADER_BYTES + tfraBytes + mfro.length);
  writeMp4BoxHeader(mfra, 0, mfra.length, 'mfra');
  writeMp4BoxHeader(mfra, MP4_BOX_HEADER_BYTES, tfraBytes, 'tfra');
  mfra.set(uint32s(VERSION_1, trackId, 0, points.length), MP4_BOX_HEADER_BYTES * 2); // numbers of one byte each
  let offset = MP4_BOX_HEADER_BYTES + TFRA_FIXED_BYTES;
  for (const { timeTicks, moofOffset, trafNumber } of points) {
    writeUint64(mfra, offset, timeTicks);
    writeUint64(mfra, offset + 8, moofOffset);
    mfra.set([trafNumber, 1, 1], offset + 16); // traf, trun, sample
    offset += ENTRY_BYTES;
  }
  mfra.set(mfro, offset);
  writeUint32(mfra, mfra.length - 4, mfra.length);
  return mfra;
}
