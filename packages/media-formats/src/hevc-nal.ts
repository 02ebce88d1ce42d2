/** NAL unit types of HEVC used here. Spec: ITU-T H.265, table 7-1. */
export const HevcNalType = {
  idrWithRadl: 19,
  idrNoLeading: 20,
  cleanRandomAccess: 21,
  vps: 32,
  sps: 33,
  pps: 34,
  accessUnitDelimiter: 35,
  prefixSei: 39,
  suffixSei: 40,
} as const;

/** Length of a NAL unit header. Spec: ITU-T H.265, 7.3.1.2. */
export const HEVC_NAL_HEADER_BYTES = 2;
