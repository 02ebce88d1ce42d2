/**
 * SEI user_data_unregistered in AVC and HEVC access units: read and insert.
 * Spec: ITU-T H.264, 7.3.2.3, D.1.6, D.2.6; ITU-T H.265, 7.3.5, D.2.7, D.3.7. Browser-safe.
 */
import { AvcNalType } from './avc-nal.ts';
import { concatBytes, readUint8 } from './byte-order.ts';
import { addEmulationPrevention, removeEmulationPrevention } from './emulation-prevention.ts';
import { FormatError } from './format-error.ts';
import { HEVC_NAL_HEADER_BYTES, HevcNalType } from './hevc-nal.ts';
import { type NalCodec, type NalLengthSize, type NalUnit, prefixNal, readNalsBeforePicture } from './nal-unit.ts';

const PAYLOAD_USER_DATA_UNREGISTERED = 5;
const UUID_BYTES = 16;
/** Longest SEI NAL unit that is searched; captions and clocks take some hundred bytes. */
const SEI_BYTES_MAX = 64 * 1024;

/** Where a SEI message lies in each codec; in HEVC the one that precedes the picture. */
const SEI_FORM = {
  avc: { type: AvcNalType.sei, headerBytes: 1 },
  hevc: { type: HevcNalType.prefixSei, headerBytes: HEVC_NAL_HEADER_BYTES },
} as const;

/** One SEI message: payload type and unescaped payload. */
export type SeiMessage = Readonly<{ payloadType: number; payload: Uint8Array }>;

/**
 * Iterates the messages of one SEI NAL unit (with its header). Stops silently at trailing bits or truncation, and
 * yields nothing of a unit over 64 KB.
 */
export function* iterateSeiMessages(nal: Uint8Array, codec: NalCodec = 'avc'): Generator<SeiMessage> {
  if (nal.length > SEI_BYTES_MAX) return;
  const rbsp = removeEmulationPrevention(nal.subarray(SEI_FORM[codec].headerBytes));
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
  codec: NalCodec = 'avc',
): Uint8Array | null {
  let found: Uint8Array | null = null;
  for (const nal of readNalsBeforePicture(accessUnit, nalLengthSize, codec).before) {
    if (nal.type === SEI_FORM[codec].type) found = findUserData(nal.data, codec, uuid) ?? found;
  }
  return found;
}

function findUserData(nal: Uint8Array, codec: NalCodec, uuid: Uint8Array): Uint8Array | null {
  for (const { payloadType, payload } of iterateSeiMessages(nal, codec)) {
    const isOurs =
      payloadType === PAYLOAD_USER_DATA_UNREGISTERED &&
      payload.length >= UUID_BYTES &&
      uuid.every((byte, index) => payload[index] === byte);
    if (isOurs) return payload.subarray(UUID_BYTES);
  }
  return null;
}

/**
 * Returns a copy of the access unit with one more SEI NAL unit, placed right before the picture: after a delimiter,
 * parameter sets and SEI that must come first (H.264, 7.4.1.2.3; H.265, 7.4.2.4.4). One message per NAL unit, because
 * players that read SEI look at the first message only. Throws FormatError when NAL lengths are broken or the UUID is
 * not 16 bytes.
 */
export function insertUserDataSei(
  accessUnit: Uint8Array,
  nalLengthSize: NalLengthSize,
  uuid: Uint8Array,
  payload: Uint8Array,
  codec: NalCodec = 'avc',
): Uint8Array {
  return insertUserDataSeiAt(accessUnit, 0, nalLengthSize, uuid, payload, codec);
}

/**
 * {@link insertUserDataSei} for an access unit that begins at `dataOffset` of an FLV video payload: the payload is
 * copied once, header and all. `dataOffset` and the codec are those of `readFlvVideoHeader`.
 */
export function insertUserDataSeiAt(
  flvPayload: Uint8Array,
  dataOffset: number,
  nalLengthSize: NalLengthSize,
  uuid: Uint8Array,
  payload: Uint8Array,
  codec: NalCodec,
): Uint8Array {
  const { picture } = readNalsBeforePicture(flvPayload.subarray(dataOffset), nalLengthSize, codec);
  const sei = prefixNal(encodeUserDataSei(uuid, payload, codec, picture), nalLengthSize);
  const at = picture === null ? flvPayload.length : dataOffset + picture.offset;
  return concatBytes([flvPayload.subarray(0, at), sei, flvPayload.subarray(at)]);
}

function encodeUserDataSei(
  uuid: Uint8Array,
  payload: Uint8Array,
  codec: NalCodec,
  picture: NalUnit | null,
): Uint8Array {
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
  return concatBytes([seiHeader(codec, picture), addEmulationPrevention(rbsp)]);
}

/** In HEVC the temporal id may not be below the picture's (7.4.2.2), or a filter of sub-layers would keep the SEI alone. */
function seiHeader(codec: NalCodec, picture: NalUnit | null): Uint8Array {
  if (codec === 'avc') return Uint8Array.of(SEI_FORM.avc.type);
  const temporalIdPlus1 = picture === null || picture.data.length < 2 ? 1 : readUint8(picture.data, 1) & 7;
  return Uint8Array.of(SEI_FORM.hevc.type << 1, Math.max(1, temporalIdPlus1));
}
