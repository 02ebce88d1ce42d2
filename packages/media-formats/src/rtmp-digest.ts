/**
 * The digest form of the RTMP handshake, which ffmpeg, Flash and many hardware encoders use: C1 carries an HMAC under
 * a public key at a place that other bytes of it tell, in one of two layouts ("schemes"); a server answers with one in
 * S1, and proves in the last bytes of S2 that it has seen C1's. Adobe never published it; the description followed is
 * that of the open servers and clients, and ffmpeg's own check of our answer is a test.
 */
import { concatBytes, readUint8 } from './byte-order.ts';
import { hmacSha256, SHA256_BYTES } from './sha256.ts';

/** Length of C1, S1, C2 and S2. */
export const RTMP_BLOCK_BYTES = 1536;

const PROOF_BYTES = RTMP_BLOCK_BYTES - SHA256_BYTES;
const VERSION_OFFSET = 4;
/** What we say we are: a version from 3.0.0.1 on announces digests. */
const SERVER_VERSION = Uint8Array.of(3, 5, 7, 1);
/** Where the four offset bytes lie in the two schemes; the digest lies somewhere in the 728 bytes behind them. */
const OFFSET_FIELDS = [8, 772] as const;
const OFFSET_RANGE = 728;
const KEY_TAIL = Uint8Array.of(
  0xf0,
  0xee,
  0xc2,
  0x4a,
  0x80,
  0x68,
  0xbe,
  0xe8,
  0x2e,
  0x00,
  0xd0,
  0xd1,
  0x02,
  0x9e,
  0x7e,
  0x57,
  0x6e,
  0xec,
  0x5d,
  0x2d,
  0x29,
  0x80,
  0x6f,
  0xab,
  0x93,
  0xb8,
  0xe6,
  0x36,
  0xcf,
  0xeb,
  0x31,
  0xae,
);
const PLAYER_KEY = ascii('Genuine Adobe Flash Player 001');
const SERVER_KEY = ascii('Genuine Adobe Flash Media Server 001');

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A digest found in a block: which layout it follows and its 32 bytes. */
export type RtmpDigest = Readonly<{ scheme: 0 | 1; digest: Uint8Array }>;

function digestOffset(block: Uint8Array, scheme: 0 | 1): number {
  const field = OFFSET_FIELDS[scheme];
  let sum = 0;
  for (let index = 0; index < 4; index += 1) sum += readUint8(block, field + index);
  return field + 4 + (sum % OFFSET_RANGE);
}

function digestOf(block: Uint8Array, offset: number, key: Uint8Array): Uint8Array {
  return hmacSha256(key, concatBytes([block.subarray(0, offset), block.subarray(offset + SHA256_BYTES)]));
}

function findDigest(block: Uint8Array, key: Uint8Array): RtmpDigest | null {
  for (const scheme of [0, 1] as const) {
    const offset = digestOffset(block, scheme);
    const expected = digestOf(block, offset, key);
    const digest = block.subarray(offset, offset + SHA256_BYTES);
    if (expected.every((byte, index) => digest[index] === byte)) return { scheme, digest };
  }
  return null;
}

/** The digest of a C1 (1536 bytes); null when it has none: its version is 0 or the digest is not right. */
export function findClientDigest(c1: Uint8Array): RtmpDigest | null {
  const hasVersion = c1.subarray(VERSION_OFFSET, VERSION_OFFSET + 4).some((byte) => byte !== 0);
  return hasVersion ? findDigest(c1, PLAYER_KEY) : null;
}

/** The digest of an S1, for clients and tests. */
export function findServerDigest(s1: Uint8Array): RtmpDigest | null {
  return findDigest(s1, SERVER_KEY);
}

/** Puts a digest into a block (a copy); `asServer` chooses the key. Used for S1, and for C1 in tests. */
export function imprintDigest(block: Uint8Array, scheme: 0 | 1, asServer: boolean): Uint8Array {
  const imprinted = block.slice();
  imprinted.set(SERVER_VERSION, VERSION_OFFSET);
  const offset = digestOffset(imprinted, scheme);
  imprinted.set(digestOf(imprinted, offset, asServer ? SERVER_KEY : PLAYER_KEY), offset);
  return imprinted;
}

/** S2: filler and, in its last 32 bytes, the proof that the client's digest was read. */
export function proveDigest(filler: Uint8Array, clientDigest: Uint8Array): Uint8Array {
  const key = hmacSha256(concatBytes([SERVER_KEY, KEY_TAIL]), clientDigest);
  const start = filler.subarray(0, PROOF_BYTES);
  return concatBytes([start, hmacSha256(key, start)]);
}
