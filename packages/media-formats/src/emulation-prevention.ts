/**
 * Emulation prevention of AVC and HEVC NAL units: inside a NAL, 00 00 followed by 00–03 gets a 03 between.
 * Spec: ITU-T H.264, 7.3.1 and 7.4.1. Browser-safe.
 */

/** Takes the 03 bytes out. Returns a copy. */
export function removeEmulationPrevention(ebsp: Uint8Array): Uint8Array {
  const rbsp = new Uint8Array(ebsp.length);
  let filled = 0;
  let zeros = 0;
  for (const byte of ebsp) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    rbsp[filled] = byte;
    filled += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return rbsp.subarray(0, filled);
}

/** Puts the 03 bytes in, also after a trailing 00 00. Returns a copy. */
export function addEmulationPrevention(rbsp: Uint8Array): Uint8Array {
  const ebsp = new Uint8Array(rbsp.length + Math.floor(rbsp.length / 2) + 1);
  let filled = 0;
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros === 2 && byte <= 3) {
      ebsp[filled] = 3;
      filled += 1;
      zeros = 0;
    }
    ebsp[filled] = byte;
    filled += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  if (zeros === 2) {
    ebsp[filled] = 3; // 7.4.1: after a closing cabac_zero_word
    filled += 1;
  }
  return ebsp.subarray(0, filled);
}
