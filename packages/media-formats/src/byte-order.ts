import { FormatError } from './format-error.ts';

/** Reads an unsigned byte. Throws FormatError('bytes.truncated') past the end. */
export function readUint8(bytes: Uint8Array, offset: number): number {
  const value = bytes[offset];
  if (value === undefined) throw new FormatError('bytes.truncated', { offset, lengthBytes: bytes.length });
  return value;
}

/** Reads a big-endian unsigned 16-bit integer. Throws FormatError('bytes.truncated') past the end. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (readUint8(bytes, offset) << 8) | readUint8(bytes, offset + 1);
}

/** Reads a big-endian unsigned 24-bit integer. Throws FormatError('bytes.truncated') past the end. */
export function readUint24(bytes: Uint8Array, offset: number): number {
  return (readUint16(bytes, offset) << 8) | readUint8(bytes, offset + 2);
}

/** Reads a big-endian signed 24-bit integer (composition times). Throws FormatError('bytes.truncated') past the end. */
export function readInt24(bytes: Uint8Array, offset: number): number {
  return (readUint24(bytes, offset) << 8) >> 8;
}

/** Reads a big-endian unsigned 32-bit integer. Throws FormatError('bytes.truncated') past the end. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((readUint16(bytes, offset) << 16) | readUint16(bytes, offset + 2)) >>> 0;
}

/** Writes the low 24 bits of `value`, big-endian. The caller owns the room. */
export function writeUint24(target: Uint8Array, offset: number, value: number): void {
  target[offset] = (value >>> 16) & 0xff;
  target[offset + 1] = (value >>> 8) & 0xff;
  target[offset + 2] = value & 0xff;
}

/** Writes the low 32 bits of `value`, big-endian. The caller owns the room. */
export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = (value >>> 24) & 0xff;
  writeUint24(target, offset + 1, value);
}

/** Joins byte arrays into one new array. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0;
  for (const part of parts) lengthBytes += part.length;
  const joined = new Uint8Array(lengthBytes);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
