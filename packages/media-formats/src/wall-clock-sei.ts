/**
 * The payload of our two clock messages. Each is an SEI user_data_unregistered: 16 bytes UUID, then
 *
 *     offset 0  8 bytes  unsigned big-endian: wall clock, milliseconds since 1970-01-01T00:00:00Z
 *
 * More bytes may follow in a later version; readers ignore them. The stamp belongs to the picture of the same access
 * unit, so it travels with that picture through any remux. Browser-safe: no Buffer, no node: imports.
 */

/** When the publish client took or sent this picture; written into every video access unit by `rtmp-client`. */
export const CAPTURE_TIME_SEI_UUID: Uint8Array = Uint8Array.of(
  0x5e,
  0x1f,
  0x9a,
  0xc4,
  0x27,
  0xd3,
  0x4b,
  0x68,
  0x9c,
  0x41,
  0xb7,
  0xe2,
  0x6a,
  0x35,
  0xf0,
  0xd1,
);

/** When the media server received this keyframe; written into each AVC keyframe at ingest. */
export const INGEST_TIME_SEI_UUID: Uint8Array = Uint8Array.of(
  0xc3,
  0x8d,
  0x74,
  0x1b,
  0xe6,
  0x52,
  0x4f,
  0x97,
  0xa2,
  0x0e,
  0x81,
  0x5b,
  0xd9,
  0x46,
  0x3f,
  0x7a,
);

const PAYLOAD_BYTES = 8;
const WALL_CLOCK_MS_MAX = Number.MAX_SAFE_INTEGER;

/** Encodes wall-clock milliseconds (an integer from 0 to 2^53 - 1; fractions are cut) as 8 bytes. */
export function encodeWallClockSei(wallClockMs: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  new DataView(payload.buffer).setBigUint64(0, BigInt(Math.trunc(wallClockMs)));
  return payload;
}

/** Decodes the payload after the UUID to wall-clock milliseconds; null when it is too short or out of range. */
export function decodeWallClockSei(payload: Uint8Array): number | null {
  if (payload.length < PAYLOAD_BYTES) return null;
  const value = new DataView(payload.buffer, payload.byteOffset, PAYLOAD_BYTES).getBigUint64(0);
  return value > BigInt(WALL_CLOCK_MS_MAX) ? null : Number(value);
}
