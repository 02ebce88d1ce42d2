import {
  type AacConfig,
  type Fmp4Track,
  FormatError,
  parseAacConfig,
  parseAvcConfig,
  parseHevcConfig,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import type { MediaPacket } from '../hub/media-packet.ts';
import { HLS_TIMESCALE } from './part-plan.ts';

/** Why a stream has no HLS, or none of its sound; stable words for the API and the metrics. */
export type HlsProblem = 'video_codec' | 'video_config' | 'audio_codec' | 'audio_config';

/** A video track as HLS offers it. */
export type HlsVideo = Readonly<{
  track: Extract<Fmp4Track, { kind: 'video' }>;
  /** RFC 6381. */
  codec: string;
  /** What the stream says of itself, null if nothing. */
  frameRate: number | null;
}>;

/** An audio track as HLS offers it. */
export type HlsAudio = Readonly<{ track: Extract<Fmp4Track, { kind: 'audio' }>; codec: string; config: AacConfig }>;

/** What a segment holds. */
export type HlsTracks = Readonly<{ video: HlsVideo | null; audio: HlsAudio | null }>;

/** Reads a video sequence header. */
export function readHlsVideo(header: MediaPacket): HlsVideo | HlsProblem {
  try {
    const { codec, dataOffset } = readFlvVideoHeader(header.payload);
    if (codec !== 'avc' && codec !== 'hevc') return 'video_codec';
    const config = header.payload.subarray(dataOffset);
    const parsed = codec === 'avc' ? parseAvcConfig(config) : parseHevcConfig(config);
    const { widthPx, heightPx, frameRate } = parsed.sps;
    const track = { kind: 'video', codec, config, widthPx, heightPx, timescale: HLS_TIMESCALE } as const;
    return { track, codec: parsed.codec, frameRate };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return 'video_config'; // players could not be told its size and profile
  }
}

/** Reads an audio sequence header. */
export function readHlsAudio(header: MediaPacket): HlsAudio | HlsProblem {
  try {
    const { codec, dataOffset } = readFlvAudioHeader(header.payload);
    if (codec !== 'aac') return 'audio_codec';
    const bytes = header.payload.subarray(dataOffset);
    const config = parseAacConfig(bytes);
    const { sampleRateHz, channels } = config;
    const track = { kind: 'audio', codec, config: bytes, sampleRateHz, channels, timescale: sampleRateHz } as const;
    return { track, codec: config.codec, config };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return 'audio_config';
  }
}
