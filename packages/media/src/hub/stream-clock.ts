/**
 * When was the picture at this output time taken? The hub's answer, for PROGRAM-DATE-TIME and the like: one anchor per publish,
 * then slow drift correction. Never the arrival of a single packet: networks hold packets up, and a label that follows them
 * makes players jump.
 */

/** Two clocks read at one instant. `monotonicMs` never jumps (performance.now), `wallMs` may be set by anyone (Date.now). */
export type ClockReading = Readonly<{ monotonicMs: number; wallMs: number }>;

/** The smallest delay seen in this time after the first packet of a publish is its anchor. */
const ANCHORING_MS = 2_000;
/** Drift is judged by the smallest delay of a window this long: no shorter jam of the network moves the clock. */
const WINDOW_MS = 15_000;
/** What a quartz may be off is 0.1 ms a second; players tolerate ten times that unseen. */
const DRIFT_MS_PER_S_MAX = 1;
/** Packets that come before their time prove the anchor late (the first ones were held up): this is made good faster. */
const EARLY_MS_PER_S_MAX = 20;
/** Further from the truth than this, correction would take longer than a show: a new anchor, a visible step. */
const EARLY_MS_MAX = 1_000;
const LATE_MS_MAX = 8_000;
/** A system clock that was set by less is followed at {@link SYSTEM_MS_PER_S_MAX}, by more at once. */
const SYSTEM_STEP_MS = 1_000;
const SYSTEM_MS_PER_S_MAX = 5;
/** Anchors kept for times already given out; windows and recordings look back less far. */
const PIECES_MAX = 32;

/** From `fromMs` of the output timeline on, the wall clock is the output time plus `offsetMs`. */
type Piece = { readonly fromMs: number; offsetMs: number };

/** The mapping of one stream from its output timeline to the wall clock. Pure: it reads no clock itself. */
export class StreamClock {
  readonly #pieces: Piece[] = [];
  #needsAnchor = true;
  /** Monotonic arrival minus output time, as anchored and corrected. */
  #delayMs = 0;
  /** System clock minus monotonic clock, as followed. */
  #systemMs = 0;
  #anchoredAtMs = 0;
  #correctedAtMs = 0;
  #window = { fromMs: 0, leastMs: Number.POSITIVE_INFINITY };
  #steps = 0;

  /** How often the mapping was anchored anew, the first time included: a visible jump of the wall clock each. */
  get steps(): number {
    return this.#steps;
  }

  /** The next packet begins a new publish, or follows a gap that was closed up: it will be anchored anew. */
  anchorAnew(): void {
    this.#needsAnchor = true;
  }

  /** A packet of output time `timestampMs` arrived when the clocks showed `now`. */
  observe(timestampMs: number, now: ClockReading): void {
    const delayMs = now.monotonicMs - timestampMs;
    const isSystemSet = Math.abs(now.wallMs - now.monotonicMs - this.#systemMs) > SYSTEM_STEP_MS;
    if (this.#needsAnchor || isSystemSet) {
      // A system clock that was set says nothing about the publisher: its delay is kept.
      this.#beginPiece(timestampMs, this.#needsAnchor ? delayMs : this.#delayMs, now);
    }
    if (now.monotonicMs - this.#anchoredAtMs <= ANCHORING_MS) {
      this.#delayMs = Math.min(this.#delayMs, delayMs);
    } else if (this.#delayMs - delayMs > EARLY_MS_MAX) {
      this.#beginPiece(timestampMs, delayMs, now);
    }
    this.#correct(timestampMs, delayMs, now);
    const piece = this.#pieces.at(-1);
    if (piece !== undefined) piece.offsetMs = this.#delayMs + this.#systemMs;
  }

  /**
   * Wall clock (ms since 1970) of the packet with this output decode time, also for earlier publishes; 0 before any packet
   * came. Label a segment with the time of its first picture's decode timestamp: the ingest clock in its SEI does the same.
   */
  wallClockAt(timestampMs: number): number {
    const piece = this.#pieces.findLast(({ fromMs }) => fromMs <= timestampMs) ?? this.#pieces[0];
    return piece === undefined ? 0 : timestampMs + piece.offsetMs;
  }

  #beginPiece(fromMs: number, delayMs: number, now: ClockReading): void {
    const isNewPublish = this.#needsAnchor;
    this.#needsAnchor = false;
    this.#steps += 1;
    this.#delayMs = delayMs;
    this.#systemMs = now.wallMs - now.monotonicMs;
    this.#correctedAtMs = now.monotonicMs;
    this.#window = { fromMs: now.monotonicMs, leastMs: Number.POSITIVE_INFINITY };
    if (isNewPublish) this.#anchoredAtMs = now.monotonicMs;
    // Two anchors of one output time: the later one is right.
    if (this.#pieces.at(-1)?.fromMs === fromMs) this.#pieces.pop();
    this.#pieces.push({ fromMs, offsetMs: delayMs + this.#systemMs });
    if (this.#pieces.length > PIECES_MAX) this.#pieces.shift();
  }

  #correct(timestampMs: number, delayMs: number, now: ClockReading): void {
    const elapsedS = (now.monotonicMs - this.#correctedAtMs) / 1000;
    this.#correctedAtMs = now.monotonicMs;
    const systemErrorMs = now.wallMs - now.monotonicMs - this.#systemMs;
    this.#systemMs += within(systemErrorMs, SYSTEM_MS_PER_S_MAX * elapsedS);
    if (delayMs < this.#delayMs) this.#delayMs -= Math.min(this.#delayMs - delayMs, EARLY_MS_PER_S_MAX * elapsedS);
    this.#window.leastMs = Math.min(this.#window.leastMs, delayMs);
    if (now.monotonicMs - this.#window.fromMs < WINDOW_MS) return;
    const { fromMs, leastMs } = this.#window;
    this.#window = { fromMs: now.monotonicMs, leastMs: Number.POSITIVE_INFINITY };
    const errorMs = leastMs - this.#delayMs;
    if (errorMs > LATE_MS_MAX) this.#beginPiece(timestampMs, leastMs, now);
    else this.#delayMs += within(errorMs, (DRIFT_MS_PER_S_MAX * (now.monotonicMs - fromMs)) / 1000);
  }
}

function within(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}
