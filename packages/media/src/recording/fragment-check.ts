import { crc32 } from 'node:zlib';

/** What follows each fragment: a `free` box, which every reader skips, with the fragment's CRC-32. */
export const CHECK_BYTES = 16;
const HEAD = Buffer.from([0, 0, 0, CHECK_BYTES, ...Buffer.from('freechk1')]);

/** The box that makes a fragment whole: a file system may keep its size and lose its content. */
export function checkOf(fragment: Uint8Array): Uint8Array {
  const check = Buffer.alloc(CHECK_BYTES);
  HEAD.copy(check);
  check.writeUInt32BE(crc32(fragment), HEAD.length);
  return check;
}

/** True when these bytes are the check of some fragment. */
export function isCheck(bytes: Uint8Array): boolean {
  return bytes.length === CHECK_BYTES && HEAD.compare(bytes, 0, HEAD.length) === 0;
}

/** True when `check` was made of `fragment`. */
export function agrees(fragment: Uint8Array, check: Uint8Array): boolean {
  return Buffer.compare(checkOf(fragment), check) === 0;
}
