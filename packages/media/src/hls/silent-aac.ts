/** Silence as AAC-LC: one or two channels without a single band of sound. Spec: ISO/IEC 14496-3, 4.4.2 (raw_data_block). */
import type { AacConfig } from '@showfloor/media-formats';

const OBJECT_TYPE_LC = 2;
/**
 * individual_channel_stream: global_gain 8 bits, ics_reserved, window_sequence 2 (only long), window_shape, max_sfb 6 (no band),
 * predictor_data_present, then no pulse, no TNS, no gain control.
 */
const CHANNEL_BITS = `${'0'.repeat(8)}0${'00'}0${'000000'}0${'000'}`;
const SINGLE_CHANNEL = `${'000'}${'0000'}${CHANNEL_BITS}`; // id, instance tag
const CHANNEL_PAIR = `${'001'}${'0000'}0${CHANNEL_BITS}${CHANNEL_BITS}`; // id, instance tag, no common window
const END = '111';

/** A frame of silence that fits the config, or null where we know none (SBR, more than two channels). */
export function silentAacFrame({ objectType, channels }: AacConfig): Uint8Array | null {
  if (objectType !== OBJECT_TYPE_LC) return null;
  if (channels === 1) return toBytes(SINGLE_CHANNEL + END);
  return channels === 2 ? toBytes(CHANNEL_PAIR + END) : null;
}

function toBytes(bits: string): Uint8Array {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
