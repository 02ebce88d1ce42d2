/** AudioSpecificConfig, the payload of an AAC sequence header. Spec: ISO/IEC 14496-3, 1.6.2.1, 1.6.5 and 4.4.1. */
import { BitReader } from './bit-reader.ts';
import { FormatError } from './format-error.ts';

/** One frame lasts `frameSamples / sampleRateHz`, also with SBR, whose core runs at half of the rate that is heard. */
export type AacConfig = Readonly<{
  /** Of the core: 2 is AAC-LC, also inside HE-AAC. */
  objectType: number;
  /** Of the core. */
  sampleRateHz: number;
  /** Of the core: parametric stereo (`hasPs`) makes two of one. 0 when the config does not say. */
  channels: number;
  /** Samples of the core in one frame: 1024 or 960; 512 or 480 for low delay. */
  frameSamples: number;
  /** Spectral band replication, signalled explicitly (HE-AAC). Implicit signalling is only found by decoding. */
  hasSbr: boolean;
  /** Parametric stereo, signalled explicitly (HE-AAC v2). */
  hasPs: boolean;
  /** What a decoder puts out: with SBR the extension's rate. */
  outputSampleRateHz: number;
  /** RFC 6381 codec string, e.g. `mp4a.40.2`, `mp4a.40.5` with SBR, `mp4a.40.29` with PS. */
  codec: string;
}>;

const SAMPLE_RATES_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const RATE_EXPLICIT = 15;
/** By channelConfiguration; 0 is described by a program config element, the others are reserved. */
const CHANNELS = new Map([
  [0, 0],
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 6],
  [7, 8],
  [11, 7],
  [12, 8],
  [13, 24],
  [14, 8],
]);
const TYPE_SBR = 5;
const TYPE_PS = 29;
const TYPE_LOW_DELAY = 23;
/** Object types that go on with a GASpecificConfig. */
const GENERAL_AUDIO = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
const SYNC_SBR = 0x2b7;
const SYNC_PS = 0x548;

/** Samples of one AAC-LC frame; its duration is this over the sample rate. */
export const AAC_FRAME_SAMPLES = 1024;

type Extension = { hasSbr: boolean; hasPs: boolean; outputSampleRateHz: number };

/** Parses the config (what follows the 2-byte FLV audio header). Throws FormatError. */
export function parseAacConfig(config: Uint8Array): AacConfig {
  const reader = new BitReader(config);
  const signalledType = readObjectType(reader);
  const sampleRateHz = readSampleRate(reader);
  const configuration = reader.bits(4);
  const configured = CHANNELS.get(configuration);
  if (configured === undefined) throw new FormatError('aac.config', { channelConfiguration: configuration });
  const isExtended = signalledType === TYPE_SBR || signalledType === TYPE_PS;
  let extension: Extension = {
    hasSbr: isExtended,
    hasPs: signalledType === TYPE_PS,
    outputSampleRateHz: isExtended ? readSampleRate(reader) : sampleRateHz,
  };
  const objectType = isExtended ? readObjectType(reader) : signalledType;
  const general = GENERAL_AUDIO.has(objectType) && reader.remainingBits >= 3;
  const core = general
    ? readGeneralAudio(reader, objectType, configuration === 0)
    : { frameSamples: AAC_FRAME_SAMPLES, channels: 0 };
  if (general && !isExtended) extension = readSyncExtension(reader, extension);
  const channels = configuration === 0 ? core.channels : configured;
  return {
    objectType,
    sampleRateHz,
    channels,
    frameSamples: core.frameSamples,
    ...extension,
    codec: `mp4a.40.${extension.hasPs ? TYPE_PS : extension.hasSbr ? TYPE_SBR : objectType}`,
  };
}

function readObjectType(reader: BitReader): number {
  const shortType = reader.bits(5);
  const objectType = shortType === 31 ? 32 + reader.bits(6) : shortType;
  if (objectType === 0) throw new FormatError('aac.config', { objectType });
  return objectType;
}

function readSampleRate(reader: BitReader): number {
  const rateIndex = reader.bits(4);
  const sampleRateHz = rateIndex === RATE_EXPLICIT ? reader.bits(24) : SAMPLE_RATES_HZ[rateIndex];
  if (sampleRateHz === undefined || sampleRateHz === 0) throw new FormatError('aac.config', { rateIndex });
  return sampleRateHz;
}

/** GASpecificConfig up to where the backward compatible extension may follow. */
function readGeneralAudio(
  reader: BitReader,
  objectType: number,
  hasProgramConfig: boolean,
): { frameSamples: number; channels: number } {
  const isShort = reader.flag(); // frameLengthFlag
  if (reader.flag()) reader.skip(14); // coreCoderDelay
  const hasExtension = reader.flag();
  const channels = hasProgramConfig ? readProgramConfigChannels(reader) : 0;
  if (objectType === 6 || objectType === 20) reader.skip(3); // layerNr
  if (hasExtension) {
    if (objectType === 22) reader.skip(16);
    else if (objectType >= 17) reader.skip(3); // resilience flags
    reader.skip(1); // extensionFlag3
  }
  const longSamples = objectType === TYPE_LOW_DELAY ? AAC_FRAME_SAMPLES / 2 : AAC_FRAME_SAMPLES;
  return { frameSamples: isShort ? (longSamples * 15) / 16 : longSamples, channels };
}

/** program_config_element (4.4.1.1): how many channels its elements have. */
function readProgramConfigChannels(reader: BitReader): number {
  reader.skip(10); // element_instance_tag, object_type, sampling_frequency_index
  const pairedOrSingle = reader.bits(4) + reader.bits(4) + reader.bits(4); // front, side, back
  const lowFrequency = reader.bits(2);
  const associated = reader.bits(3);
  const coupling = reader.bits(4);
  if (reader.flag()) reader.skip(4); // mono mixdown
  if (reader.flag()) reader.skip(4); // stereo mixdown
  if (reader.flag()) reader.skip(3); // matrix mixdown
  let channels = lowFrequency;
  for (let element = 0; element < pairedOrSingle; element += 1) {
    channels += reader.flag() ? 2 : 1;
    reader.skip(4);
  }
  reader.skip(4 * lowFrequency + 4 * associated + 5 * coupling);
  reader.alignToByte();
  reader.skip(8 * reader.bits(8)); // comment
  return channels;
}

/** The extension that old decoders step over (1.6.2.1, syncExtensionType). */
function readSyncExtension(reader: BitReader, none: Extension): Extension {
  if (reader.remainingBits < 16 || reader.bits(11) !== SYNC_SBR || reader.bits(5) !== TYPE_SBR) return none;
  if (reader.remainingBits < 5 || !reader.flag()) return none;
  const outputSampleRateHz = readSampleRate(reader);
  const hasPs = reader.remainingBits >= 12 && reader.bits(11) === SYNC_PS && reader.flag();
  return { hasSbr: true, hasPs, outputSampleRateHz };
}
