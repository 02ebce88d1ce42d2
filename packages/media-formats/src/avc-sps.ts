/** The parts of an AVC sequence parameter set that a server needs. Spec: ITU-T H.264, 7.3.2.1.1 and E.1.1. */
import { BitReader } from './bit-reader.ts';
import { removeEmulationPrevention } from './emulation-prevention.ts';
import { FormatError } from './format-error.ts';
import { plausibleFrameRate } from './frame-rate.ts';

/** `frameRate` is null when the stream does not say (VUI without timing), or nothing that anyone can mean. */
export type AvcSps = Readonly<{
  profileIdc: number;
  constraintFlags: number;
  levelIdc: number;
  widthPx: number;
  heightPx: number;
  frameRate: number | null;
}>;

const PROFILES_WITH_CHROMA = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const ASPECT_EXTENDED = 255;
const MACROBLOCKS_MAX = 1 << 12; // 65,536 px a side: far over every level
const CYCLE_FRAMES_MAX = 255;

/** Parses an SPS NAL unit (header byte included, emulation prevention still in). Throws FormatError. */
export function parseAvcSps(nal: Uint8Array): AvcSps {
  const reader = new BitReader(removeEmulationPrevention(nal.subarray(1)));
  const profileIdc = reader.bits(8);
  const constraintFlags = reader.bits(8);
  const levelIdc = reader.bits(8);
  reader.unsignedExpGolomb(); // seq_parameter_set_id
  const chroma = PROFILES_WITH_CHROMA.has(profileIdc) ? readChroma(reader) : { formatIdc: 1, isSeparate: false };
  reader.unsignedExpGolomb(); // log2_max_frame_num_minus4
  skipPictureOrder(reader);
  reader.unsignedExpGolomb(); // max_num_ref_frames
  reader.flag(); // gaps_in_frame_num_value_allowed_flag
  const size = readSize(reader, chroma);
  const frameRate = reader.flag() ? readVuiFrameRate(reader) : null;
  return { profileIdc, constraintFlags, levelIdc, ...size, frameRate };
}

type Chroma = { formatIdc: number; isSeparate: boolean };

function readChroma(reader: BitReader): Chroma {
  const formatIdc = reader.unsignedExpGolomb();
  if (formatIdc > 3) throw new FormatError('avc.chroma_format', { formatIdc });
  const isSeparate = formatIdc === 3 ? reader.flag() : false;
  reader.unsignedExpGolomb(); // bit_depth_luma_minus8
  reader.unsignedExpGolomb(); // bit_depth_chroma_minus8
  reader.flag(); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) {
    const lists = formatIdc === 3 ? 12 : 8;
    for (let index = 0; index < lists; index += 1) if (reader.flag()) skipScalingList(reader, index < 6 ? 16 : 64);
  }
  return { formatIdc, isSeparate };
}

function skipScalingList(reader: BitReader, entries: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < entries; index += 1) {
    if (next !== 0) next = (last + reader.signedExpGolomb() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.unsignedExpGolomb();
  if (type === 0) {
    reader.unsignedExpGolomb(); // log2_max_pic_order_cnt_lsb_minus4
  } else if (type === 1) {
    reader.flag();
    reader.signedExpGolomb();
    reader.signedExpGolomb();
    const frames = reader.unsignedExpGolomb();
    if (frames > CYCLE_FRAMES_MAX) throw new FormatError('avc.poc_cycle', { frames });
    for (let index = 0; index < frames; index += 1) reader.signedExpGolomb();
  }
}

function readSize(reader: BitReader, chroma: Chroma): { widthPx: number; heightPx: number } {
  const widthMbs = reader.unsignedExpGolomb() + 1;
  const heightMapUnits = reader.unsignedExpGolomb() + 1;
  if (widthMbs > MACROBLOCKS_MAX || heightMapUnits > MACROBLOCKS_MAX) {
    throw new FormatError('avc.picture_size', { widthMbs, heightMapUnits });
  }
  const isFrameOnly = reader.flag();
  if (!isFrameOnly) reader.flag(); // mb_adaptive_frame_field_flag
  reader.flag(); // direct_8x8_inference_flag
  const crop = reader.flag() ? readCrop(reader) : { left: 0, right: 0, top: 0, bottom: 0 };
  const hasChroma = chroma.formatIdc !== 0 && !chroma.isSeparate;
  const unitX = hasChroma && chroma.formatIdc < 3 ? 2 : 1;
  const unitY = (hasChroma && chroma.formatIdc === 1 ? 2 : 1) * (isFrameOnly ? 1 : 2);
  const widthPx = widthMbs * 16 - unitX * (crop.left + crop.right);
  const heightPx = heightMapUnits * 16 * (isFrameOnly ? 1 : 2) - unitY * (crop.top + crop.bottom);
  if (widthPx <= 0 || heightPx <= 0) throw new FormatError('avc.picture_size', { widthPx, heightPx });
  return { widthPx, heightPx };
}

function readCrop(reader: BitReader): { left: number; right: number; top: number; bottom: number } {
  const left = reader.unsignedExpGolomb();
  const right = reader.unsignedExpGolomb();
  const top = reader.unsignedExpGolomb();
  const bottom = reader.unsignedExpGolomb();
  return { left, right, top, bottom };
}

function readVuiFrameRate(reader: BitReader): number | null {
  if (reader.flag() && reader.bits(8) === ASPECT_EXTENDED) reader.bits(32);
  if (reader.flag()) reader.flag(); // overscan
  if (reader.flag()) {
    reader.bits(4); // video_format, video_full_range_flag
    if (reader.flag()) reader.bits(24); // colour description
  }
  if (reader.flag()) {
    reader.unsignedExpGolomb(); // chroma_sample_loc_type_top_field
    reader.unsignedExpGolomb();
  }
  if (!reader.flag()) return null;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return plausibleFrameRate(timeScale / (2 * unitsInTick)); // a tick is a field
}
