/** HEVCDecoderConfigurationRecord, the payload of an HEVC sequence header. Spec: ISO/IEC 14496-15, 8.3.3.1. */
import { BitReader } from './bit-reader.ts';
import { readUint8, readUint16 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { plausibleFrameRate } from './frame-rate.ts';
import { HevcNalType } from './hevc-nal.ts';
import { type HevcProfile, hevcCodecString, readHevcProfile } from './hevc-profile.ts';
import { type HevcSps, parseHevcSps } from './hevc-sps.ts';
import type { NalLengthSize } from './nal-unit.ts';

/** A parsed record; parameter sets are views into it. */
export type HevcConfig = Readonly<{
  nalLengthSize: NalLengthSize;
  vpsNals: readonly Uint8Array[];
  spsNals: readonly Uint8Array[];
  ppsNals: readonly Uint8Array[];
  /** As the record states it, for all of its parameter sets together. */
  profile: HevcProfile;
  /** The first SPS, parsed; its frame rate falls back to the record's average. */
  sps: HevcSps;
  /** RFC 6381 codec string, e.g. `hvc1.1.6.L93.B0`. */
  codec: string;
}>;

/** Most parameter sets and SEI that one record may hold: 16 VPS, 16 SPS, 64 PPS and some SEI are allowed by H.265. */
export const HEVC_CONFIG_NALS_MAX = 256;

const FIXED_BYTES = 23;
const AVERAGE_RATE_UNIT = 256; // avgFrameRate counts frames in 256 seconds

/** Parses the record (what follows the 5-byte video header). Throws FormatError. */
export function parseHevcConfig(record: Uint8Array): HevcConfig {
  const version = readUint8(record, 0);
  if (version > 1) throw new FormatError('hevc.config_version', { version }); // 0: drafts that some encoders still follow
  const profile = readHevcProfile(new BitReader(record.subarray(1, FIXED_BYTES)));
  const averageRate = readUint16(record, 19);
  const nalLengthSize = ((readUint8(record, 21) & 3) + 1) as NalLengthSize;
  const nals = readArrays(record, readUint8(record, 22));
  const ofType = (type: number): Uint8Array[] => nals.filter((nal) => nal.type === type).map((nal) => nal.data);
  const spsNals = ofType(HevcNalType.sps);
  const [first] = spsNals;
  if (first === undefined) throw new FormatError('hevc.config_without_sps');
  const sps = parseHevcSps(first);
  const frameRate = sps.frameRate ?? plausibleFrameRate(averageRate / AVERAGE_RATE_UNIT);
  return {
    nalLengthSize,
    vpsNals: ofType(HevcNalType.vps),
    spsNals,
    ppsNals: ofType(HevcNalType.pps),
    profile,
    sps: { ...sps, frameRate },
    codec: hevcCodecString(profile),
  };
}

function readArrays(record: Uint8Array, arrays: number): { type: number; data: Uint8Array }[] {
  const nals: { type: number; data: Uint8Array }[] = [];
  let offset = FIXED_BYTES;
  for (let array = 0; array < arrays; array += 1) {
    const type = readUint8(record, offset) & 0x3f;
    const count = readUint16(record, offset + 1);
    offset += 3;
    for (let index = 0; index < count; index += 1) {
      if (nals.length >= HEVC_CONFIG_NALS_MAX) {
        throw new FormatError('hevc.too_many_parameter_sets', { limit: HEVC_CONFIG_NALS_MAX });
      }
      const end = offset + 2 + readUint16(record, offset);
      if (end > record.length) throw new FormatError('bytes.truncated', { offset: end, lengthBytes: record.length });
      nals.push({ type, data: record.subarray(offset + 2, end) });
      offset = end;
    }
  }
  return nals;
}
