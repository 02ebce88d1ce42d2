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
/** What was given out on a track, by all publishers. `frameMs` is smoothed; null until the second packet. */
type TrackClock = { lastMs: number; frameMs: number | null };
/** Where a publisher's track stands: its own 32-bit time and what that is on our clock, not held to the order. */
type SourceClock = { timestampMs: number; outputMs: number };

/** Maps the 32-bit timestamps of consecutive publishers to one continuing clock. */
export class Timeline {
  readonly #tracks = new Map<Track, TrackClock>();
  /** Tracks of the present publisher: each is measured against itself, for they may arrive seconds apart. */
  readonly #sources = new Map<Track, SourceClock>();
  /** The track whose mapping the others share: the first one, or the latest that jumped. */
  #reference: SourceClock | null = null;
  #isAfterJump = false;

  /** The packet that was mapped last did not follow the one before it on its track: a jump of its clock was closed up. */
  get isAfterJump(): boolean {
    return this.#isAfterJump;
  }

  /** The latest time given out on any track. */
  get lastMs(): number {
    let last = 0;
    for (const track of this.#tracks.values()) last = Math.max(last, track.lastMs);
    return last;
  }

  /** A new publisher begins: its first packet will come one frame after the last. */
  beginSource(): void {
    this.#sources.clear();
    this.#reference = null;
  }

  /** The output time of a packet that carries `timestampMs` (32 bits, wrapping). */
  map(track: Track, timestampMs: number): number {
    const clock = this.#tracks.get(track);
    // Interleaving may bring a packet slightly older than its track's last: time within a track goes on, whatever comes.
    const outputMs = Math.max(this.#place(track, timestampMs), leastMs(track, clock));
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

  #place(track: Track, timestampMs: number): number {
    const source = this.#sources.get(track);
    this.#isAfterJump = false;
    if (source === undefined) {
      const first = { timestampMs, outputMs: this.#placeFirst(timestampMs) };
      this.#sources.set(track, first);
      this.#reference ??= first;
      return first.outputMs;
    }
    const outputMs = placeBeside(source, timestampMs);
    this.#isAfterJump = isJump(outputMs - source.outputMs);
    source.outputMs = this.#isAfterJump ? this.#placeJump(source, timestampMs) : outputMs;
    source.timestampMs = timestampMs;
    return source.outputMs;
  }

  /** Beside the tracks that are there, unless it runs on another clock: then from the present on. */
  #placeFirst(timestampMs: number): number {
    if (this.#reference === null) return this.#nextMs();
    const outputMs = placeBeside(this.#reference, timestampMs);
    const { lastMs } = this;
    return Math.abs(outputMs - lastMs) > JUMP_FORWARD_MS_MAX ? lastMs : outputMs;
  }

  /** Where the other tracks have jumped to before, or one frame after everything, for them to follow. */
  #placeJump(source: SourceClock, timestampMs: number): number {
    if (this.#reference !== null && this.#reference !== source) {
      const outputMs = placeBeside(this.#reference, timestampMs);
      if (!isJump(outputMs - this.lastMs)) return outputMs;
    }
    this.#reference = source;
    return this.#nextMs();
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

/** A sample must last: a packet of the same time as the one before is put 1 ms behind it. Script messages are no samples. */
function leastMs(track: Track, clock: TrackClock | undefined): number {
  if (clock === undefined) return 0;
  return track === 'script' ? clock.lastMs : clock.lastMs + 1;
}

/** The time that continues `clock`; the 32-bit difference survives the wrap. */
function placeBeside(clock: SourceClock, timestampMs: number): number {
  return clock.outputMs + ((timestampMs - clock.timestampMs) | 0);
}

function isJump(stepMs: number): boolean {
  return stepMs > JUMP_FORWARD_MS_MAX || stepMs < -JUMP_BACK_MS_MAX;
}
