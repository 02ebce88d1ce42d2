/** NAL units of an AVC access unit. Spec: ISO/IEC 14496-15, 5.3.4; ITU-T H.264, table 7-1. */
import { iterateNals, type NalLengthSize, type NalUnit, prefixNal } from './nal-unit.ts';

/** NAL unit types used here. */
export const AvcNalType = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, accessUnitDelimiter: 9 } as const;

/** Iterates the NAL units of an AVC access unit: {@link iterateNals}. Throws FormatError. */
export function iterateAvcNals(accessUnit: Uint8Array, nalLengthSize: NalLengthSize): Generator<NalUnit> {
  return iterateNals(accessUnit, nalLengthSize, 'avc');
}

/** Puts a length prefix before an AVC NAL unit: {@link prefixNal}. Throws FormatError. */
export function prefixAvcNal(nal: Uint8Array, nalLengthSize: NalLengthSize): Uint8Array {
  return prefixNal(nal, nalLengthSize);
}
