/** NAL units of an AVC access unit in the length-prefixed form of MP4 and FLV. Spec: ISO/IEC 14496-15, 5.3.4. */
import { readUint8, writeUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';

/** NAL unit types used here. Spec: ITU-T H.264, table 7-1. */
export const AvcNalType = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, accessUnitDelimiter: 9 } as const;

/** One NAL unit: a view into the access unit, without its length prefix. */
export type AvcNal = Readonly<{
  type: number;
  data: Uint8Array /** Where its length prefix begins. */;
  offset: number;
}>;

/** Length of a length prefix as the decoder configuration record gives it. */
export type NalLengthSize = 1 | 2 | 3 | 4;

/** Iterates the NAL units; empty ones are skipped. Throws FormatError('avc.nal_length') when a length points outside. */
export function* iterateAvcNals(accessUnit: Uint8Array, nalLengthSize: NalLengthSize): Generator<AvcNal> {
  let offset = 0;
  while (offset < accessUnit.length) {
    let lengthBytes = 0;
    for (let index = 0; index < nalLengthSize; index += 1) {
      lengthBytes = lengthBytes * 256 + readUint8(accessUnit, offset + index);
    }
    const start = offset + nalLengthSize;
    const end = start + lengthBytes;
    if (end > accessUnit.length) {
      throw new FormatError('avc.nal_length', { lengthBytes, remainingBytes: accessUnit.length - start });
    }
    if (lengthBytes > 0)
      yield { type: readUint8(accessUnit, start) & 0x1f, data: accessUnit.subarray(start, end), offset };
    offset = end;
  }
}

/** Puts a length prefix before a NAL unit. Throws FormatError('avc.nal_too_large') when the prefix cannot hold it. */
export function prefixAvcNal(nal: Uint8Array, nalLengthSize: NalLengthSize): Uint8Array {
  if (nal.length >= 2 ** (8 * nalLengthSize)) {
    throw new FormatError('avc.nal_too_large', { nalBytes: nal.length, nalLengthSize });
  }
  const length = new Uint8Array(4);
  writeUint32(length, 0, nal.length);
  const prefixed = new Uint8Array(nalLengthSize + nal.length);
  prefixed.set(length.subarray(4 - nalLengthSize), 0);
  prefixed.set(nal, nalLengthSize);
  return prefixed;
}
