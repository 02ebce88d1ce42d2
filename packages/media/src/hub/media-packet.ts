import type { MediaPacketKind } from '@showfloor/media-formats';

/**
 * One audio or video packet, or one script message, on the output timeline of a stream. Immutable: payloads are shared by
 * every cache and every viewer and are never written to. `payload` has the FLV/RTMP form (codec byte first).
 */
export type MediaPacket = Readonly<{
  track: 'video' | 'audio' | 'script';
  kind: MediaPacketKind;
  isKeyframe: boolean;
  /** Decode time in ms on the stream's timeline: grows with each frame of a track, also across publishers. */
  timestampMs: number;
  payload: Uint8Array;
}>;
