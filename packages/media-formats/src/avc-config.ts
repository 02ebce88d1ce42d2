/** AVCDecoderConfigurationRecord, the payload of an AVC sequence header. Spec: ISO/IEC 14496-15, 5.3.3.1. */
import { type AvcSps, parseAvcSps } from './avc-sps.ts';
import { readUint8, readUint16 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import type { NalLengthSize } from './nal-unit.ts';

/** A parsed record; parameter sets are views into it. */
export type AvcConfig = Readonly<{
  nalLengthSize: NalLengthSize;
  spsNals: readonly Uint8Array[];
  ppsNals: readonly Uint8Array[];
  /** The first SPS, parsed. */
  sps: AvcSps;
  /** RFC 6381 codec string, e.g. `avc1.64001f`. */
  codec: string;
}>;

/** Parses the record (what follows the 5-byte FLV video header). Throws FormatError. */
export function parseAvcConfig(record: Uint8Array): AvcConfig {
  const version = readUint8(record, 0);
  if (version !== 1) throw new FormatError('avc.config_version', { version });
  const nalLengthSize = ((readUint8(record, 4) & 3) + 1) as NalLengthSize;
  const sps = readNals(record, 6, readUint8(record, 5) & 0x1f);
  const pps = readNals(record, sps.nextOffset + 1, readUint8(record, sps.nextOffset));
  const first = sps.nals[0];
  if (first === undefined) throw new FormatError('avc.config_without_sps');
  const codec = `avc1.${[1, 2, 3].map((at) => readUint8(record, at).toString(16).padStart(2, '0')).join('')}`;
  return { nalLengthSize, spsNals: sps.nals, ppsNals: pps.nals, sps: parseAvcSps(first), codec };
}

function readNals(record: Uint8Array, start: number, count: number): { nals: Uint8Array[]; nextOffset: number } {
  const nals: Uint8Array[] = [];
  let offset = start;
  for (let index = 0; index < count; index += 1) {
    const end = offset + 2 + readUint16(record, offset);
    if (end > record.length) throw new FormatError('bytes.truncated', { offset: end, lengthBytes: record.length });
    nals.push(record.subarray(offset + 2, end));
    offset = end;
  }
  return { nals, nextOffset: offset };
}
