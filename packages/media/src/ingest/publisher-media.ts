import { type RtmpMessage, RtmpMessageType, splitRtmpAggregate } from '@showfloor/media-formats';
import type { Logger } from '@showfloor/service-kit';
import type { Publication } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { PacketSource } from './source-packet.ts';

export type PublisherMediaOptions = Readonly<{
  metrics: MediaMetrics;
  log: Logger;
  /** A frame that viewers get; the session's time limits hang on it. */
  onFrame: (isFirst: boolean) => void;
  /** Pictures came, and no keyframe and no sound: nothing that anyone could be shown. Called once at most. */
  onKeyframeMissing: () => void;
}>;

/** What one admitted publisher sends, on its way into the hub. */
export class PublisherMedia {
  readonly publication: Publication;
  readonly #options: PublisherMediaOptions;
  readonly #packets: PacketSource;
  #hasFrames = false;
  #isAwaitingKeyframe = false;

  constructor(publication: Publication, options: PublisherMediaOptions) {
    this.publication = publication;
    this.#options = options;
    this.#packets = new PacketSource(() => options.metrics.unstampedKeyframes.inc());
  }

  /** Takes a message of any kind; those without media change nothing. Throws FormatError: the session must end. */
  take(message: RtmpMessage): void {
    if (message.typeId === RtmpMessageType.aggregate) {
      for (const part of splitRtmpAggregate(message)) this.take(part);
      return;
    }
    const packet = this.#packets.read(message, Date.now());
    if (packet === null) {
      if (this.#packets.awaitsKeyframe) this.#awaitKeyframe();
      return;
    }
    if (packet.kind === 'frames') {
      this.#options.onFrame(!this.#hasFrames);
      this.#hasFrames = true;
    }
    this.publication.push(packet);
  }

  /** An encoder that was left running sends from the middle of a GOP: its picture comes with the next keyframe. */
  #awaitKeyframe(): void {
    if (this.#isAwaitingKeyframe) return;
    this.#isAwaitingKeyframe = true;
    const { metrics, log, onKeyframeMissing } = this.#options;
    metrics.keyframeWaits.inc();
    log.warn({ playbackId: this.publication.stream.playbackId }, 'publish.waits_for_keyframe');
    if (!this.#hasFrames) onKeyframeMissing();
  }
}
