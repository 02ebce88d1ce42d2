/**
 * NAL units of an AVC or HEVC access unit in the length-prefixed form of MP4 and FLV.
 * Spec: ISO/IEC 14496-15, 5.3.4 and 8.3.4; ITU-T H.264, 7.3.1; ITU-T H.265, 7.3.1.2. Browser-safe.
 */
import { readUint8, writeUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';

/** Video codecs made of NAL units. */
export type NalCodec = 'avc' | 'hevc';

/** One NAL unit: a view into the access unit, without its length prefix. `offset` is where that prefix begins. */
export type NalUnit = Readonly<{ type: number; data: Uint8Array; offset: number }>;

/** Length of a length prefix as the decoder configuration record gives it. */
export type NalLengthSize = 1 | 2 | 3 | 4;

/** Most NAL units that one access unit may hold: H.265 level 6.2 allows 600 slice segments. More is an attack. */
export const NAL_UNITS_MAX = 4_096;

/** NAL unit type of a unit's first header byte. */
function nalType(first: number, codec: NalCodec): number {
  return codec === 'avc' ? first & 0x1f : (first >> 1) & 0x3f;
}

/** True for the NAL units that hold a part of the picture (VCL). Spec: H.264 table 7-1; H.265 table 7-1. */
function isPicture(type: number, codec: NalCodec): boolean {
  return codec === 'avc' ? type >= 1 && type <= 5 : type < 32;
}

function nalLength(accessUnit: Uint8Array, offset: number, nalLengthSize: NalLengthSize): number {
  let lengthBytes = 0;
  for (let index = 0; index < nalLengthSize; index += 1) {
    lengthBytes = lengthBytes * 256 + readUint8(accessUnit, offset + index);
  }
  return lengthBytes;
}

/**
 * Iterates the NAL units; empty ones are skipped. Throws FormatError `{codec}.nal_length` when a length points outside,
 * `{codec}.too_many_nals` over {@link NAL_UNITS_MAX}, `bytes.truncated` when a length prefix is cut.
 */
export function* iterateNals(
  accessUnit: Uint8Array,
  nalLengthSize: NalLengthSize,
  codec: NalCodec,
): Generator<NalUnit, void, undefined> {
  let offset = 0;
  for (let count = 0; offset < accessUnit.length; count += 1) {
    if (count >= NAL_UNITS_MAX) throw new FormatError(`${codec}.too_many_nals`, { limit: NAL_UNITS_MAX });
    const lengthBytes = nalLength(accessUnit, offset, nalLengthSize);
    const start = offset + nalLengthSize;
    const end = start + lengthBytes;
    if (end > accessUnit.length) {
      throw new FormatError(`${codec}.nal_length`, { lengthBytes, remainingBytes: accessUnit.length - start });
    }
    if (lengthBytes > 0) {
      yield { type: nalType(readUint8(accessUnit, start), codec), data: accessUnit.subarray(start, end), offset };
    }
    offset = end;
  }
}

/** The NAL units before the picture (parameter sets, SEI …) and the first of the picture itself, null without one. */
export function readNalsBeforePicture(
  accessUnit: Uint8Array,
  nalLengthSize: NalLengthSize,
  codec: NalCodec,
): Readonly<{ before: readonly NalUnit[]; picture: NalUnit | null }> {
  const before: NalUnit[] = [];
  for (const nal of iterateNals(accessUnit, nalLengthSize, codec)) {
    if (isPicture(nal.type, codec)) return { before, picture: nal };
    before.push(nal);
  }
  return { before, picture: null };
}

/** Puts a length prefix before a NAL unit. Throws FormatError('nal.too_large') when the prefix cannot hold it. */
export function prefixNal(nal: Uint8Array, nalLengthSize: NalLengthSize): Uint8Array {
  if (nal.length >= 2 ** (8 * nalLengthSize)) {
    throw new FormatError('nal.too_large', { nalBytes: nal.length, nalLengthSize });
  }
  const length = new Uint8Array(4);
  writeUint32(length, 0, nal.length);
  const prefixed = new Uint8Array(nalLengthSize + nal.length);
  prefixed.set(length.subarray(4 - nalLengthSize), 0);
  prefixed.set(nal, nalLengthSize);
  return prefixed;
}
