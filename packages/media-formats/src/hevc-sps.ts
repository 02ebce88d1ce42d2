/** The parts of an HEVC sequence parameter set that a server needs. Spec: ITU-T H.265, 7.3.2.2.1, 7.3.4, 7.3.7, E.2.1. */
import { BitReader } from './bit-reader.ts';
import { removeEmulationPrevention } from './emulation-prevention.ts';
import { FormatError } from './format-error.ts';
import { plausibleFrameRate } from './frame-rate.ts';
import { HEVC_NAL_HEADER_BYTES } from './hevc-nal.ts';
import { type HevcProfile, readHevcProfile, skipHevcSubLayers } from './hevc-profile.ts';

/** `frameRate` is null when the stream does not say (VUI without timing), or nothing that anyone can mean. Size is after the conformance window. */
export type HevcSps = Readonly<{
  profile: HevcProfile;
  widthPx: number;
  heightPx: number;
  frameRate: number | null;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  chromaFormatIdc: number;
  bitDepthLuma: number;
  bitDepthChroma: number;
}>;

const PICTURE_PX_MAX = 1 << 16;
const SUB_LAYERS_MAX = 6; // sps_max_sub_layers_minus1; 7 announces a layer that refers to another one
const SHORT_TERM_SETS_MAX = 64;
const PICTURES_PER_SET_MAX = 16;
const LONG_TERM_PICTURES_MAX = 32;
const ASPECT_EXTENDED = 255;

/** Parses an SPS NAL unit (two header bytes included, emulation prevention still in). Throws FormatError. */
export function parseHevcSps(nal: Uint8Array): HevcSps {
  const reader = new BitReader(removeEmulationPrevention(nal.subarray(HEVC_NAL_HEADER_BYTES)));
  reader.skip(4); // sps_video_parameter_set_id
  const subLayers = bounded(reader.bits(3), SUB_LAYERS_MAX, 'hevc.sub_layers');
  reader.skip(1); // sps_temporal_id_nesting_flag
  const profile = readHevcProfile(reader);
  skipHevcSubLayers(reader, subLayers);
  reader.unsignedExpGolomb(); // sps_seq_parameter_set_id
  const chromaFormatIdc = bounded(reader.unsignedExpGolomb(), 3, 'hevc.chroma_format');
  const isSeparate = chromaFormatIdc === 3 && reader.flag();
  const size = readSize(reader, isSeparate ? 0 : chromaFormatIdc);
  const bitDepthLuma = 8 + bounded(reader.unsignedExpGolomb(), 8, 'hevc.bit_depth');
  const bitDepthChroma = 8 + bounded(reader.unsignedExpGolomb(), 8, 'hevc.bit_depth');
  skipToVui(reader, subLayers);
  const frameRate = reader.flag() ? readVuiFrameRate(reader) : null;
  return { profile, ...size, frameRate, chromaFormatIdc, bitDepthLuma, bitDepthChroma };
}

function bounded(value: number, max: number, code: string): number {
  if (value > max) throw new FormatError(code, { value, max });
  return value;
}

function readSize(reader: BitReader, chromaArrayType: number): { widthPx: number; heightPx: number } {
  const codedWidthPx = bounded(reader.unsignedExpGolomb(), PICTURE_PX_MAX, 'hevc.picture_size');
  const codedHeightPx = bounded(reader.unsignedExpGolomb(), PICTURE_PX_MAX, 'hevc.picture_size');
  const window = reader.flag() ? readWindow(reader) : { left: 0, right: 0, top: 0, bottom: 0 };
  const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
  const unitY = chromaArrayType === 1 ? 2 : 1;
  const widthPx = codedWidthPx - unitX * (window.left + window.right);
  const heightPx = codedHeightPx - unitY * (window.top + window.bottom);
  if (widthPx <= 0 || heightPx <= 0) throw new FormatError('hevc.picture_size', { widthPx, heightPx });
  return { widthPx, heightPx };
}

function readWindow(reader: BitReader): { left: number; right: number; top: number; bottom: number } {
  const left = reader.unsignedExpGolomb();
  const right = reader.unsignedExpGolomb();
  const top = reader.unsignedExpGolomb();
  const bottom = reader.unsignedExpGolomb();
  return { left, right, top, bottom };
}

/** Everything between the bit depths and vui_parameters_present_flag. */
function skipToVui(reader: BitReader, subLayers: number): void {
  const pocBits = 4 + bounded(reader.unsignedExpGolomb(), 12, 'hevc.poc_bits');
  const first = reader.flag() ? 0 : subLayers; // sps_sub_layer_ordering_info_present_flag
  for (let layer = first; layer <= subLayers; layer += 1) skipExpGolomb(reader, 3);
  skipExpGolomb(reader, 6); // block sizes and transform depths
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  reader.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (reader.flag()) {
    reader.skip(8); // PCM bit depths
    skipExpGolomb(reader, 2);
    reader.skip(1);
  }
  skipShortTermSets(reader);
  if (reader.flag()) {
    const pictures = bounded(reader.unsignedExpGolomb(), LONG_TERM_PICTURES_MAX, 'hevc.long_term_pictures');
    reader.skip(pictures * (pocBits + 1));
  }
  reader.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

function skipExpGolomb(reader: BitReader, count: number): void {
  for (let index = 0; index < count; index += 1) reader.unsignedExpGolomb();
}

/** scaling_list_data (7.3.4). */
function skipScalingLists(reader: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId += 1) {
    const coefficients = Math.min(64, 1 << (4 + 2 * sizeId));
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      const isExplicit = reader.flag();
      // A prediction is one delta; an explicit list of the larger sizes begins with its DC coefficient.
      skipExpGolomb(reader, isExplicit ? coefficients + (sizeId > 1 ? 1 : 0) : 1);
    }
  }
}

/** st_ref_pic_set (7.3.7), all of them. */
function skipShortTermSets(reader: BitReader): void {
  const sets = bounded(reader.unsignedExpGolomb(), SHORT_TERM_SETS_MAX, 'hevc.short_term_sets');
  let pictures = 0;
  for (let index = 0; index < sets; index += 1) {
    const isPredicted = index > 0 && reader.flag();
    pictures = isPredicted ? skipPredictedSet(reader, pictures) : skipExplicitSet(reader);
  }
}

/** Returns how many pictures the set holds. */
function skipPredictedSet(reader: BitReader, referencePictures: number): number {
  reader.skip(1); // delta_rps_sign
  reader.unsignedExpGolomb(); // abs_delta_rps_minus1
  let pictures = 0;
  for (let index = 0; index <= referencePictures; index += 1) {
    const isUsed = reader.flag(); // used_by_curr_pic_flag
    if (isUsed || reader.flag()) pictures += 1; // use_delta_flag
  }
  return bounded(pictures, PICTURES_PER_SET_MAX, 'hevc.reference_pictures');
}

function skipExplicitSet(reader: BitReader): number {
  const before = reader.unsignedExpGolomb();
  const after = reader.unsignedExpGolomb();
  const pictures = bounded(before + after, PICTURES_PER_SET_MAX, 'hevc.reference_pictures');
  for (let index = 0; index < pictures; index += 1) {
    reader.unsignedExpGolomb(); // delta_poc_minus1
    reader.skip(1);
  }
  return pictures;
}

function readVuiFrameRate(reader: BitReader): number | null {
  if (reader.flag() && reader.bits(8) === ASPECT_EXTENDED) reader.skip(32);
  if (reader.flag()) reader.skip(1); // overscan
  if (reader.flag()) {
    reader.skip(4); // video_format, video_full_range_flag
    if (reader.flag()) reader.skip(24); // colour description
  }
  if (reader.flag()) skipExpGolomb(reader, 2); // chroma sample location
  reader.skip(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (reader.flag()) skipExpGolomb(reader, 4); // default display window: players show the whole picture
  if (!reader.flag()) return null;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return plausibleFrameRate(timeScale / unitsInTick);
}
