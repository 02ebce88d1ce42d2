/** profile_tier_level of HEVC and the codec string made of it. Spec: ITU-T H.265, 7.3.3; ISO/IEC 14496-15, Annex E.3. */
import type { BitReader } from './bit-reader.ts';

/** What a decoder must be able to do. */
export type HevcProfile = Readonly<{
  /** 0 … 3; 0 in everything in use. */
  profileSpace: number;
  tier: 'main' | 'high';
  /** 1 Main, 2 Main 10, 3 Main Still Picture, 4 range extensions … */
  profileIdc: number;
  /** 32 flags, most significant bit first: flag j says that a decoder of profile j can decode it. */
  compatibilityFlags: number;
  /** The six bytes of progressive, interlaced and other constraint flags. */
  constraintBytes: readonly number[];
  /** 30 × the level, e.g. 93 for 3.1. */
  levelIdc: number;
}>;

const SUB_LAYERS_FLAGS = 8;
const SUB_LAYER_PROFILE_BITS = 88;
const CONSTRAINT_BYTES = 6;

/** Reads the twelve general bytes, which profile_tier_level and the configuration record share. Throws FormatError. */
export function readHevcProfile(reader: BitReader): HevcProfile {
  const profileSpace = reader.bits(2);
  const tier = reader.flag() ? 'high' : 'main';
  const profileIdc = reader.bits(5);
  const compatibilityFlags = reader.bits(32);
  const constraintBytes: number[] = [];
  while (constraintBytes.length < CONSTRAINT_BYTES) constraintBytes.push(reader.bits(8));
  const levelIdc = reader.bits(8);
  return { profileSpace, tier, profileIdc, compatibilityFlags, constraintBytes, levelIdc };
}

/** Steps over what profile_tier_level says about sub-layers, `count` of them. Throws FormatError. */
export function skipHevcSubLayers(reader: BitReader, count: number): void {
  if (count === 0) return;
  const present: { profile: boolean; level: boolean }[] = [];
  for (let index = 0; index < SUB_LAYERS_FLAGS; index += 1) {
    const profile = reader.flag();
    const level = reader.flag(); // beyond `count` both are reserved zero bits
    if (index < count) present.push({ profile, level });
  }
  for (const { profile, level } of present) {
    if (profile) reader.skip(SUB_LAYER_PROFILE_BITS);
    if (level) reader.skip(8);
  }
}

/** RFC 6381 codec string of the sample entry `hvc1`, e.g. `hvc1.1.6.L93.B0`. */
export function hevcCodecString(profile: HevcProfile): string {
  const space = ['', 'A', 'B', 'C'][profile.profileSpace] ?? '';
  const constraints = profile.constraintBytes.map((byte) => byte.toString(16).toUpperCase());
  while (constraints.at(-1) === '0') constraints.pop(); // trailing zero bytes may be left out, and players expect it
  const tierAndLevel = `${profile.tier === 'high' ? 'H' : 'L'}${profile.levelIdc}`;
  const compatibility = reverseBits(profile.compatibilityFlags).toString(16).toUpperCase();
  return ['hvc1', `${space}${profile.profileIdc}`, compatibility, tierAndLevel, ...constraints].join('.');
}

function reverseBits(flags: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((flags >>> bit) & 1);
  return reversed;
}
