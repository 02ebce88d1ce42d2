import type { MediaPacket } from './media-packet.ts';

/** Bounds of the cache: over one of them the GOP is let go and joiners wait for the next keyframe. */
export type GopLimits = Readonly<{ packetsMax: number; bytesMax: number }>;

/** 10 s of 1080p at 8 Mbit/s with audio fit in. */
export const GOP_LIMITS: GopLimits = { packetsMax: 2_000, bytesMax: 12 * 1024 * 1024 };

/** The packets from the latest keyframe on, so that a joiner has a picture at once. */
export class GopCache {
  readonly #limits: GopLimits;
  readonly #onOverflow: () => void;
  #packets: MediaPacket[] = [];
  #bytes = 0;
  #isCollecting = false;

  /** `onOverflow` is called once per GOP that did not fit. */
  constructor(limits: GopLimits, onOverflow: () => void) {
    this.#limits = limits;
    this.#onOverflow = onOverflow;
  }

  /** Empty, or beginning with a keyframe. A view that changes with the next `add`: copy what is kept. */
  get packets(): readonly MediaPacket[] {
    return this.#packets;
  }

  /** Takes a frame of any track; sequence headers and metadata do not belong here. */
  add(packet: MediaPacket): void {
    if (packet.track === 'video' && packet.isKeyframe) {
      this.clear();
      this.#isCollecting = true;
    }
    if (!this.#isCollecting) return;
    this.#packets.push(packet);
    this.#bytes += packet.payload.length;
    if (this.#packets.length > this.#limits.packetsMax || this.#bytes > this.#limits.bytesMax) {
      this.clear();
      this.#onOverflow();
    }
  }

  /** Lets everything go until the next keyframe. */
  clear(): void {
    this.#packets = [];
    this.#bytes = 0;
    this.#isCollecting = false;
  }
}
