/** AudioSpecificConfig, the payload of an AAC sequence header. Spec: ISO/IEC 14496-3, 1.6.2.1. */
import { BitReader } from './bit-reader.ts';
import { FormatError } from './format-error.ts';

/** `channels` is 0 when a program config element describes them. */
export type AacConfig = Readonly<{
  objectType: number;
  sampleRateHz: number;
  channels: number;
  /** RFC 6381 codec string, e.g. `mp4a.40.2`. */
  codec: string;
}>;

const SAMPLE_RATES_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const RATE_EXPLICIT = 15;
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];

/** Samples of one AAC-LC frame; its duration is this over the sample rate. */
export const AAC_FRAME_SAMPLES = 1024;

/** Parses the config (what follows the 2-byte FLV audio header). Throws FormatError. */
export function parseAacConfig(config: Uint8Array): AacConfig {
  const reader = new BitReader(config);
  const shortType = reader.bits(5);
  const objectType = shortType === 31 ? 32 + reader.bits(6) : shortType;
  const rateIndex = reader.bits(4);
  const sampleRateHz = rateIndex === RATE_EXPLICIT ? reader.bits(24) : SAMPLE_RATES_HZ[rateIndex];
  const channels = CHANNELS[reader.bits(4)];
  if (objectType === 0 || sampleRateHz === undefined || sampleRateHz === 0 || channels === undefined) {
    throw new FormatError('aac.config', { objectType, rateIndex });
  }
  return { objectType, sampleRateHz, channels, codec: `mp4a.40.${objectType}` };
}
