import type { Socket } from 'node:net';
import type { FlvFanOut } from './flv-fan-out.ts';

/** Bounds of one viewer's queue. Over the high mark it skips to a keyframe; it flows again below the low mark. */
export type ViewerLimits = Readonly<{
  backlogBytesHigh: number;
  backlogBytesLow: number;
  /** The same bound in media time: whichever is smaller counts. */
  backlogMsMax: number;
  /** Skipping for this long without having read the queue ends the connection; so does an end that is not read. */
  stuckMsMax: number;
}>;

/** 1.5 MB or 5 s, back below 256 KB, out after 10 s: with what the kernel keeps it stays below 2 MB (bar V4). */
export const VIEWER_LIMITS: ViewerLimits = {
  backlogBytesHigh: 1.5 * 1024 * 1024,
  backlogBytesLow: 256 * 1024,
  backlogMsMax: 5_000,
  stuckMsMax: 10_000,
};

/** `waiting`: has the file header or has read its queue, needs a keyframe · `flowing` · `skipping`: over its bound since `sinceMs`. */
type ViewerState = 'waiting' | 'flowing' | 'skipping';

/** What became of a buffer offered to a viewer. */
export type OfferResult = 'sent' | 'waiting' | 'skipped' | 'skip-began' | 'stuck';

/**
 * One FLV connection. Holds no queue of its own: the shared buffers wait in the socket, whose length is the
 * backlog. Costs nothing per packet.
 */
export class FlvViewer {
  readonly id: string;
  readonly ip: string;
  readonly playbackId: string;
  readonly createdAtMs: number = Date.now();
  /** What feeds it; its owner's. */
  fanOut: FlvFanOut | null = null;
  /** Why its connection ends, when it does; its owner's. */
  endReason = 'viewer_closed';
  readonly #socket: Socket;
  #state: ViewerState = 'waiting';
  #sinceMs = 0;
  /**
   * The join buffer, until it has drained: it may be larger than the bound, which is then the low mark above it. Who reads as fast as
   * the stream comes stays below that, and whoever is slower must not hold both.
   */
  #joinBytes = 0;

  constructor(identity: { id: string; ip: string; playbackId: string }, socket: Socket) {
    this.id = identity.id;
    this.ip = identity.ip;
    this.playbackId = identity.playbackId;
    this.#socket = socket;
  }

  get sentBytes(): number {
    return this.#socket.bytesWritten;
  }

  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  get isFlowing(): boolean {
    return this.#state === 'flowing';
  }

  /** Sends the opening of the response; `isComplete` when it leads up to the present, so that rounds may follow. */
  open(opening: Buffer, isComplete: boolean): void {
    this.#joinBytes = opening.length;
    this.#state = isComplete ? 'flowing' : 'waiting';
    this.#socket.write(opening);
  }

  /**
   * Offers the shared buffer of a round. `entry` holds the sequence headers when the buffer begins where a decoder
   * can start, else it is null.
   */
  offer(
    buffer: Buffer,
    entry: Buffer | null,
    bounds: { highBytes: number; limits: ViewerLimits; nowMs: number },
  ): OfferResult {
    const queuedBytes = this.#socket.writableLength;
    if (this.#state === 'flowing') {
      const { highBytes, limits } = bounds;
      if (queuedBytes <= highBytes || queuedBytes <= this.#joinBytes + limits.backlogBytesLow) {
        if (this.#joinBytes > 0 && queuedBytes <= limits.backlogBytesLow) this.#joinBytes = 0;
        this.#socket.write(buffer);
        return 'sent';
      }
      this.#state = 'skipping';
      this.#sinceMs = bounds.nowMs;
      return 'skip-began';
    }
    return this.#reenter(buffer, entry, queuedBytes, bounds);
  }

  #reenter(
    buffer: Buffer,
    entry: Buffer | null,
    queuedBytes: number,
    { limits, nowMs }: { limits: ViewerLimits; nowMs: number },
  ): OfferResult {
    if (queuedBytes <= limits.backlogBytesLow) {
      if (entry === null) {
        this.#state = 'waiting'; // it reads again: only the keyframe is missing
        return 'waiting';
      }
      this.#state = 'flowing';
      this.#socket.write(entry);
      this.#socket.write(buffer);
      return 'sent';
    }
    if (this.#state !== 'skipping') return 'waiting';
    return nowMs - this.#sinceMs > limits.stuckMsMax ? 'stuck' : 'skipped';
  }

  /** Sends a small tag beside the media (stream state); not to a viewer over its bound. */
  sendAside(tag: Buffer): void {
    if (this.#state !== 'skipping') this.#socket.write(tag);
  }

  /** Ends the response after what is queued; who has not read that and closed after `withinMs` is cut. */
  end(withinMs: number): void {
    const timer = setTimeout(() => this.#socket.destroy(), withinMs).unref();
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.end();
  }

  /** Cuts the connection. */
  cut(): void {
    this.#socket.destroy();
  }
}
