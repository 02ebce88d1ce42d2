import { type FlvTag, FlvTagType, type FlvTagTypeId } from '@showfloor/media-formats';
import type { RtmpPublisher } from '@showfloor/rtmp-client';
import type { MediaPacket } from '../hub/media-packet.ts';
import type { StreamHeaders } from '../hub/stream.ts';

const TAG_TYPES: Readonly<Record<MediaPacket['track'], FlvTagTypeId>> = FlvTagType;

/**
 * One accepted publish at a target, from its first keyframe on. Times begin at 0 on each connection, as encoders do it, and go
 * on with the stream's own from there: through a publisher's drop they continue one frame after the last.
 */
export class RestreamConnection {
  readonly publisher: RtmpPublisher;
  #baseMs: number | null = null;
  #videoFrames = 0;

  constructor(publisher: RtmpPublisher) {
    this.publisher = publisher;
  }

  /** Pictures handed to the connection; dropped ones do not count. */
  get videoFrames(): number {
    return this.#videoFrames;
  }

  /** Sends a packet. What comes before the first keyframe (the first sound, without video) is passed over. */
  take(packet: MediaPacket, headers: StreamHeaders): void {
    const hasVideo = headers.video !== null;
    if (this.#baseMs === null) {
      const isEntry = packet.kind === 'frames' && (packet.isKeyframe || (!hasVideo && packet.track === 'audio'));
      if (!isEntry) return;
      this.#baseMs = packet.timestampMs;
      for (const header of [headers.metadata, headers.video, headers.audio]) {
        if (header !== null) this.#send(header, 0, hasVideo);
      }
    }
    const outcome = this.#send(packet, packet.timestampMs - this.#baseMs, hasVideo);
    if (outcome === 'sent' && packet.track === 'video' && packet.kind === 'frames') this.#videoFrames += 1;
  }

  #send({ track, payload }: MediaPacket, timestampMs: number, hasVideo: boolean): 'sent' | 'dropped' {
    // Sound may be slightly older than the picture it came with; a timestamp has 32 bits and wraps.
    const tag: FlvTag = { typeId: TAG_TYPES[track], timestampMs: Math.max(0, timestampMs) >>> 0, payload };
    return this.publisher.send(tag, hasVideo);
  }
}
