/**
 * The output clock of a stream. Publishers come and go, each with its own timestamps; what leaves continues one frame after the
 * last, because players freeze on a reset and fall behind for good on a gap. Only the wall clock (SEI) tells the gap.
 */
const FRAME_MS_DEFAULT = 33;
const FRAME_MS_MAX = 1_000;
/** A publisher's own timestamps may jump this far; beyond, the jump is closed like a change of publisher. */
const JUMP_FORWARD_MS_MAX = 10_000;
const JUMP_BACK_MS_MAX = 2_000;

type Track = 'video' | 'audio' | 'script';
type TrackClock = { lastMs: number /** Smoothed; null until the second packet. */; frameMs: number | null };

/** Maps the 32-bit timestamps of consecutive publishers to one continuing clock. */
export class Timeline {
  readonly #tracks = new Map<Track, TrackClock>();
  /** Unwrapped publisher time of the latest packet; null before the first packet of a publisher. */
  #sourceMs: number | null = null;
  #offsetMs = 0;

  /** The latest time given out on any track. */
  get lastMs(): number {
    let last = 0;
    for (const track of this.#tracks.values()) last = Math.max(last, track.lastMs);
    return last;
  }

  /** A new publisher begins: its first packet will come one frame after the last. */
  beginSource(): void {
    this.#sourceMs = null;
  }

  /** The output time of a packet that carries `timestampMs` (32 bits, wrapping). */
  map(track: Track, timestampMs: number): number {
    const sourceMs = this.#unwrap(timestampMs);
    const clock = this.#tracks.get(track);
    // Interleaving may bring a packet slightly older than its track's last: order within a track is kept.
    const outputMs = Math.max(sourceMs + this.#offsetMs, clock === undefined ? 0 : clock.lastMs);
    if (clock === undefined) {
      this.#tracks.set(track, { lastMs: outputMs, frameMs: null });
      return outputMs;
    }
    const stepMs = outputMs - clock.lastMs;
    if (stepMs > 0 && stepMs <= FRAME_MS_MAX) {
      clock.frameMs = clock.frameMs === null ? stepMs : clock.frameMs + (stepMs - clock.frameMs) / 8;
    }
    clock.lastMs = outputMs;
    return outputMs;
  }

  #unwrap(timestampMs: number): number {
    const previousMs = this.#sourceMs;
    const stepMs = previousMs === null ? 0 : (timestampMs - previousMs) | 0; // 32-bit difference: survives the wrap
    const isJump = stepMs > JUMP_FORWARD_MS_MAX || stepMs < -JUMP_BACK_MS_MAX;
    const sourceMs = previousMs === null || isJump ? timestampMs >>> 0 : previousMs + stepMs;
    if (previousMs === null || isJump) this.#offsetMs = this.#nextMs() - sourceMs;
    this.#sourceMs = sourceMs;
    return sourceMs;
  }

  /** One frame after everything given out so far; 0 on a fresh timeline. */
  #nextMs(): number {
    let next = 0;
    for (const [track, { lastMs, frameMs }] of this.#tracks) {
      if (track !== 'script') next = Math.max(next, lastMs + Math.round(frameMs ?? FRAME_MS_DEFAULT));
    }
    return next;
  }
}
