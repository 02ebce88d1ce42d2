/**
 * How many packets share one write. The kernel's write is the cost of fan-out (about 6 µs each), so a stream with few viewers
 * sends every packet at once, and one with many sends several packets in one buffer:
 *
 *   packet   every packet in its own round, while a round takes < 2 ms (up to roughly 300 viewers)
 *   frame    a round per video frame; sound waits for the next frame
 *   tick     rounds on a clock, 50 or 100 ms apart, when the core passes two thirds
 *
 * The choice is made once a second from measurements, with distance between up and down so that it does not swing.
 */
export type MergeLevel = Readonly<{ name: 'packet' | 'frame' | 'tick-50' | 'tick-100'; ceilingMs: number }>;

const LEVELS = [
  { name: 'packet', ceilingMs: 0 },
  { name: 'frame', ceilingMs: 50 }, // for sound without picture
  { name: 'tick-50', ceilingMs: 50 },
  { name: 'tick-100', ceilingMs: 100 },
] as const satisfies readonly MergeLevel[];

const ROUND_MS_UP = 2;
const ROUND_MS_DOWN = 1;
const BUSY_UP = 0.65;
const BUSY_UP_TO_SLOWEST = 0.75;
const BUSY_DOWN = 0.35;
const DECISION_INTERVAL_MS = 1_000;
/** A level is left for a finer one only after this long. */
const SETTLE_MS = 3_000;

/** Measurements since the last decision. */
export type MergeLoad = Readonly<{
  /** Average time of a round of writes. */
  roundMs: number;
  /** Share of time the event loop was busy, 0–1. */
  busy: number;
}>;

/** Chooses the level of one stream's fan-out. Pure: time comes in, a level comes out. */
export class MergePolicy {
  readonly #ceilingMs: number;
  #index = 0;
  #decidedAtMs = Number.NEGATIVE_INFINITY;
  #changedAtMs = Number.NEGATIVE_INFINITY;

  /** `ceilingMs` is the most delay that merging may add; 100 by default. */
  constructor(ceilingMs: number) {
    this.#ceilingMs = ceilingMs;
  }

  get level(): MergeLevel {
    const { name, ceilingMs } = LEVELS[this.#index] ?? LEVELS[0];
    return { name, ceilingMs: Math.min(ceilingMs, this.#ceilingMs) };
  }

  /** True when it is time for `decide`. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#decidedAtMs >= DECISION_INTERVAL_MS;
  }

  /** Takes the load of the last interval; returns true when the level changed. */
  decide(load: MergeLoad, nowMs: number): boolean {
    this.#decidedAtMs = nowMs;
    const step = this.#step(load);
    if (step === 0 || (step < 0 && nowMs - this.#changedAtMs < SETTLE_MS)) return false;
    const next = this.#index + step;
    // A tick longer than the ceiling would only repeat the one below.
    if (next >= LEVELS.length || (next === 3 && this.#ceilingMs <= 50)) return false;
    this.#index = next;
    this.#changedAtMs = nowMs;
    return true;
  }

  #step({ roundMs, busy }: MergeLoad): -1 | 0 | 1 {
    switch (this.#index) {
      case 0:
        return roundMs >= ROUND_MS_UP || busy > BUSY_UP ? 1 : 0;
      case 1:
        if (busy > BUSY_UP) return 1;
        return roundMs < ROUND_MS_DOWN && busy < BUSY_DOWN ? -1 : 0;
      case 2:
        if (busy > BUSY_UP_TO_SLOWEST) return 1;
        return busy < BUSY_DOWN ? -1 : 0;
      default:
        return busy < BUSY_DOWN ? -1 : 0;
    }
  }
}
