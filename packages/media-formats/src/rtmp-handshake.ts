/**
 * The plain RTMP handshake: C0 C1 → S0 S1 S2 → C2. Peers that send the digest form are answered with the plain echo,
 * which OBS, ffmpeg and librtmp accept. Spec: Adobe RTMP 1.0, section 5.2.
 */
import { concatBytes, readUint8 } from './byte-order.ts';
import { FormatError } from './format-error.ts';

const RTMP_VERSION = 3;
const BLOCK_BYTES = 1536;

/** Length of C0+C1, which a server waits for first. */
export const RTMP_C0C1_BYTES = 1 + BLOCK_BYTES;
/** Length of C2 and of S2. */
export const RTMP_C2_BYTES = BLOCK_BYTES;
/** Length of S0+S1+S2, which a client waits for. */
export const RTMP_S0S1S2_BYTES = 1 + 2 * BLOCK_BYTES;

function block(randomBytes: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES); // time 0, zero 0: "plain" to every peer that looks for a digest
  bytes.set(randomBytes.subarray(0, BLOCK_BYTES - 8), 8);
  return bytes;
}

function checkVersion(first: number): void {
  // 3 is plain RTMP; 6 and 8 are RTMPE, which nothing current sends; 32 and more are text protocols by the spec.
  if (first !== RTMP_VERSION) throw new FormatError('rtmp.handshake_version', { version: first });
}

/** What a server answers to C0+C1: S0, S1 filled from `randomBytes` (1528 are used), S2 = echo of C1. */
export function answerRtmpHandshake(c0c1: Uint8Array, randomBytes: Uint8Array): Uint8Array {
  checkVersion(readUint8(c0c1, 0));
  if (c0c1.length !== RTMP_C0C1_BYTES) throw new FormatError('rtmp.handshake_length', { lengthBytes: c0c1.length });
  return concatBytes([Uint8Array.of(RTMP_VERSION), block(randomBytes), c0c1.subarray(1)]);
}

/** What a client sends first: C0+C1 filled from `randomBytes` (1528 are used). */
export function startRtmpHandshake(randomBytes: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(RTMP_VERSION), block(randomBytes)]);
}

/** What a client answers to S0+S1+S2: C2 = echo of S1. */
export function finishRtmpHandshake(s0s1s2: Uint8Array): Uint8Array {
  checkVersion(readUint8(s0s1s2, 0));
  if (s0s1s2.length !== RTMP_S0S1S2_BYTES) {
    throw new FormatError('rtmp.handshake_length', { lengthBytes: s0s1s2.length });
  }
  return s0s1s2.slice(1, 1 + BLOCK_BYTES);
}
