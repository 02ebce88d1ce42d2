/**
 * SEI user_data_unregistered in AVC access units: read and insert. Spec: ITU-T H.264, 7.3.2.3, D.1.6, D.2.6.
 * Browser-safe.
 */
import { AvcNalType, iterateAvcNals, type NalLengthSize, prefixAvcNal } from './avc-nal.ts';
import { concatBytes } from './byte-order.ts';
import { addEmulationPrevention, removeEmulationPrevention } from './emulation-prevention.ts';
import { FormatError } from './format-error.ts';

const PAYLOAD_USER_DATA_UNREGISTERED = 5;
const UUID_BYTES = 16;
const LAST_VCL_TYPE = 5;

/** One SEI message: payload type and unescaped payload. */
export type SeiMessage = Readonly<{ payloadType: number; payload: Uint8Array }>;

/** Iterates the messages of one SEI NAL unit (with its header byte). Stops silently at trailing bits or truncation. */
export function* iterateSeiMessages(nal: Uint8Array): Generator<SeiMessage> {
  const rbsp = removeEmulationPrevention(nal.subarray(1));
  let offset = 0;
  while (offset < rbsp.length && !(offset === rbsp.length - 1 && rbsp[offset] === 0x80)) {
    const type = readExtended(rbsp, offset);
    const size = type === null ? null : readExtended(rbsp, type.nextOffset);
    if (type === null || size === null || size.nextOffset + size.value > rbsp.length) return;
    offset = size.nextOffset + size.value;
    yield { payloadType: type.value, payload: rbsp.subarray(size.nextOffset, offset) };
  }
}

function readExtended(rbsp: Uint8Array, start: number): { value: number; nextOffset: number } | null {
  let value = 0;
  for (let offset = start; offset < rbsp.length; offset += 1) {
    const byte = rbsp[offset] ?? 0;
    value += byte;
    if (byte !== 0xff) return { value, nextOffset: offset + 1 };
  }
  return null;
}

/**
 * The payload (after the UUID) of the last user_data_unregistered message with this UUID, or null. The last one,
 * because every hop inserts behind what is there. Throws FormatError when NAL lengths are broken.
 */
export function readUserDataSei(
  accessUnit: Uint8Array,
  nalLengthSize: NalLengthSize,
  uuid: Uint8Array,
): Uint8Array | null {
  let found: Uint8Array | null = null;
  for (const nal of iterateAvcNals(accessUnit, nalLengthSize)) {
    if (nal.type >= AvcNalType.slice && nal.type <= LAST_VCL_TYPE) return found; // SEI comes before the picture
    if (nal.type === AvcNalType.sei) found = findUserData(nal.data, uuid) ?? found;
  }
  return found;
}

function findUserData(nal: Uint8Array, uuid: Uint8Array): Uint8Array | null {
  for (const { payloadType, payload } of iterateSeiMessages(nal)) {
    const isOurs =
      payloadType === PAYLOAD_USER_DATA_UNREGISTERED &&
      payload.length >= UUID_BYTES &&
      uuid.every((byte, index) => payload[index] === byte);
    if (isOurs) return payload.subarray(UUID_BYTES);
  }
  return null;
}

/**
 * Returns a copy of the access unit with one more SEI NAL unit, placed right before the first slice: after a delimiter,
 * parameter sets and SEI that must come first (7.4.1.2.3). One message per NAL unit, because players that read SEI
 * look at the first message only. Throws FormatError when NAL lengths are broken or the UUID is not 16 bytes.
 */
export function insertUserDataSei(
  accessUnit: Uint8Array,
  nalLengthSize: NalLengthSize,
  uuid: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  const sei = prefixAvcNal(encodeUserDataSei(uuid, payload), nalLengthSize);
  let at = accessUnit.length;
  for (const nal of iterateAvcNals(accessUnit, nalLengthSize)) {
    if (nal.type >= AvcNalType.slice && nal.type <= LAST_VCL_TYPE) {
      at = nal.offset;
      break;
    }
  }
  return concatBytes([accessUnit.subarray(0, at), sei, accessUnit.subarray(at)]);
}

function encodeUserDataSei(uuid: Uint8Array, payload: Uint8Array): Uint8Array {
  if (uuid.length !== UUID_BYTES) throw new FormatError('sei.uuid_length', { lengthBytes: uuid.length });
  const sizeBytes = UUID_BYTES + payload.length;
  const size = new Uint8Array(Math.floor(sizeBytes / 255) + 1).fill(0xff);
  size[size.length - 1] = sizeBytes % 255;
  const rbsp = concatBytes([
    Uint8Array.of(PAYLOAD_USER_DATA_UNREGISTERED),
    size,
    uuid,
    payload,
    Uint8Array.of(0x80), // rbsp_trailing_bits
  ]);
  return concatBytes([Uint8Array.of(AvcNalType.sei), addEmulationPrevention(rbsp)]);
}
