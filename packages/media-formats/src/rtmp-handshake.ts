/**
 * The RTMP handshake: C0 C1 → S0 S1 S2 → C2. A C1 with a digest is answered with digests, any other with the plain
 * echo. As a client we are plain, which every server takes. Spec: Adobe RTMP 1.0, section 5.2; `rtmp-digest.ts`.
 */
import { concatBytes, readUint8 } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { findClientDigest, imprintDigest, proveDigest, RTMP_BLOCK_BYTES } from './rtmp-digest.ts';

const RTMP_VERSION = 3;

/** Length of C0+C1, which a server waits for first. */
export const RTMP_C0C1_BYTES = 1 + RTMP_BLOCK_BYTES;
/** Length of C2 and of S2. */
export const RTMP_C2_BYTES = RTMP_BLOCK_BYTES;
/** Length of S0+S1+S2, which a client waits for. */
export const RTMP_S0S1S2_BYTES = 1 + 2 * RTMP_BLOCK_BYTES;

function plainBlock(randomBytes: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RTMP_BLOCK_BYTES); // time 0, zero 0: "plain" to every peer that looks for a digest
  bytes.set(randomBytes.subarray(0, RTMP_BLOCK_BYTES - 8), 8);
  return bytes;
}

function checkVersion(first: number): void {
  // 3 is plain RTMP; 6 and 8 are RTMPE, which nothing current sends; 32 and more are text protocols by the spec.
  if (first !== RTMP_VERSION) throw new FormatError('rtmp.handshake_version', { version: first });
}

/**
 * What a server answers to C0+C1: S0, S1 and S2. `randomBytes` fill them (1528 are used). Throws FormatError
 * `rtmp.handshake_version` for anything but RTMP 3.
 */
export function answerRtmpHandshake(c0c1: Uint8Array, randomBytes: Uint8Array): Uint8Array {
  checkVersion(readUint8(c0c1, 0));
  if (c0c1.length !== RTMP_C0C1_BYTES) throw new FormatError('rtmp.handshake_length', { lengthBytes: c0c1.length });
  const c1 = c0c1.subarray(1);
  const s0 = Uint8Array.of(RTMP_VERSION);
  const block = plainBlock(randomBytes);
  const client = findClientDigest(c1);
  if (client === null) return concatBytes([s0, block, c1]);
  return concatBytes([s0, imprintDigest(block, client.scheme, true), proveDigest(block, client.digest)]);
}

/** What a client sends first: C0+C1 filled from `randomBytes` (1528 are used). */
export function startRtmpHandshake(randomBytes: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(RTMP_VERSION), plainBlock(randomBytes)]);
}

/** What a client answers to S0+S1+S2: C2 = echo of S1. */
export function finishRtmpHandshake(s0s1s2: Uint8Array): Uint8Array {
  checkVersion(readUint8(s0s1s2, 0));
  if (s0s1s2.length !== RTMP_S0S1S2_BYTES) {
    throw new FormatError('rtmp.handshake_length', { lengthBytes: s0s1s2.length });
  }
  return s0s1s2.slice(1, 1 + RTMP_BLOCK_BYTES);
}
