import {
  encodeFmp4Init,
  type Fmp4Track,
  type Fmp4TrackFacts,
  FormatError,
  parseAacConfig,
  parseAvcConfig,
  parseHevcConfig,
  readFlvAudioHeader,
  readFlvVideoHeader,
  readFmp4Tracks,
  readMp4BoxHeader,
} from '@showfloor/media-formats';
import type { MediaPacket } from '../hub/media-packet.ts';

/** Ticks per second of recorded pictures: what FLV timestamps resolve. Sound counts in its own samples. */
export const VIDEO_TIMESCALE = 1_000;

/** A track of a show. Two with the same `key` can share a track of a file: their decoders are set up with the same bytes. */
export type RecordedTrack = Readonly<{ track: Fmp4Track; key: string }>;

/** The track that a sequence header announces; null when its codec cannot be put into MP4 here, or it cannot be read. */
export function recordedTrackOf(header: MediaPacket): RecordedTrack | null {
  try {
    const track = header.track === 'video' ? videoTrack(header.payload) : audioTrack(header.payload);
    if (track === null) return null;
    const [key] = trackIdsOf(encodeFmp4Init([track])).keys();
    return key === undefined ? null : { track, key };
  } catch (error) {
    if (error instanceof FormatError) return null; // the hub has counted it
    throw error;
  }
}

/** The tracks of an init segment, by key, with the ids they have there. Throws FormatError. */
export function trackIdsOf(init: Uint8Array): Map<string, number> {
  return new Map(tracksOf(init).map((facts) => [keyOf(facts), facts.trackId]));
}

/** Ticks per second by track id. Throws FormatError. */
export function timescalesOf(init: Uint8Array): Map<number, number> {
  return new Map(tracksOf(init).map(({ trackId, timescale }) => [trackId, timescale]));
}

function tracksOf(init: Uint8Array): Fmp4TrackFacts[] {
  return readFmp4Tracks(init.subarray(readMp4BoxHeader(init, 0).sizeBytes));
}

function keyOf({ timescale, description }: Fmp4TrackFacts): string {
  return `${timescale}:${Buffer.from(description).toString('base64')}`;
}

function videoTrack(payload: Uint8Array): Fmp4Track | null {
  const { codec, dataOffset } = readFlvVideoHeader(payload);
  if (codec !== 'avc' && codec !== 'hevc') return null;
  const config = payload.subarray(dataOffset);
  const { widthPx, heightPx } = (codec === 'avc' ? parseAvcConfig(config) : parseHevcConfig(config)).sps;
  return { kind: 'video', codec, config, widthPx, heightPx, timescale: VIDEO_TIMESCALE };
}

function audioTrack(payload: Uint8Array): Fmp4Track | null {
  const { codec, dataOffset } = readFlvAudioHeader(payload);
  if (codec !== 'aac') return null;
  const config = payload.subarray(dataOffset);
  const { sampleRateHz, channels } = parseAacConfig(config);
  return { kind: 'audio', codec, config, sampleRateHz, channels, timescale: sampleRateHz };
}
