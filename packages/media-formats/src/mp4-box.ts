import { concatBytes, writeUint32 } from './byte-order.ts';

/**
 * Boxes of the ISO base media file format: a 32-bit size, four characters, the content.
 * Spec: ISO/IEC 14496-12, 4.2. Small and rare boxes are joined here; the fragment writer fills one buffer by itself.
 */
export const MP4_BOX_HEADER_BYTES = 8;

/** A `FullBox` has a version byte and 24 bits of flags before its content. */
export const MP4_FULL_BOX_HEADER_BYTES = 12;

/** One box around its content. `type` is four ASCII characters. */
export function mp4Box(type: string, ...content: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(MP4_BOX_HEADER_BYTES);
  const box = concatBytes([header, ...content]);
  writeMp4BoxHeader(box, 0, box.length, type);
  return box;
}

/** One full box: `versionAndFlags` is the version in the top byte, the flags below it. */
export function mp4FullBox(type: string, versionAndFlags: number, ...content: readonly Uint8Array[]): Uint8Array {
  return mp4Box(type, uint32s(versionAndFlags), ...content);
}

/** Writes the 8 bytes of a box header. The caller owns the room. */
export function writeMp4BoxHeader(target: Uint8Array, offset: number, sizeBytes: number, type: string): void {
  writeUint32(target, offset, sizeBytes);
  for (let at = 0; at < 4; at += 1) target[offset + 4 + at] = type.charCodeAt(at);
}

/** Writes an unsigned 64-bit integer, big-endian; `value` is a whole number up to 2^53. The caller owns the room. */
export function writeUint64(target: Uint8Array, offset: number, value: number): void {
  writeUint32(target, offset, Math.floor(value / 0x1_0000_0000));
  writeUint32(target, offset + 4, value % 0x1_0000_0000);
}

/** Big-endian 32-bit integers, one after the other. */
export function uint32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  for (const [index, value] of values.entries()) writeUint32(bytes, index * 4, value);
  return bytes;
}

/** Big-endian 16-bit integers, one after the other. */
export function uint16s(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >>> 8) & 0xff, value & 0xff]));
}

/** One character per byte. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
