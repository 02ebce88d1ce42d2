/**
 * How many packets share one write. The kernel's write is the cost of fan-out (about 6 µs each), so a stream with few viewers
 * sends every packet at once, and one with many sends several packets in one buffer:
 *
 *   packet   every packet in its own round, while a round takes < 2 ms (up to roughly 300 viewers)
 *   frame    a round per video frame, while one takes < 3 ms (some 350 viewers); sound waits for the next frame
 *   tick     rounds on a clock, 30 and then 50 ms apart; 100 ms when the core is nearly full
 *
 * 50 ms are a tenth of what players keep in hand, and a third fewer writes than a round per frame (decision 0004).
 * The choice is made once a second from measurements, with distance between up and down so that it does not swing. A level may be
 * fixed instead, for benchmarks and for hosts who know better.
 */
export const MERGE_SETTINGS = ['auto', 'packet', 'frame', 'tick-30', 'tick-50', 'tick-100'] as const;

/** `auto` chooses by load; the others stay what they are. */
export type MergeSetting = (typeof MERGE_SETTINGS)[number];

/** What holds now; nothing waits for longer than `ceilingMs`. */
export type MergeLevel = Readonly<{ name: Exclude<MergeSetting, 'auto'>; ceilingMs: number }>;

/**
 * A level, and when it is left: for a coarser one over `busyUp` (share of a core) or `roundMsUp`, for a finer one below both
 * `busyDown` and `roundMsDown`. What a finer level will cost follows from the ratio of writes: twice the writes are a little less than
 * twice the load, so `busyDown` stays below half of the finer level's `busyUp`, and 30 ms against 50 ms below two thirds.
 */
type Step = MergeLevel & Readonly<{ busyUp: number; roundMsUp: number; busyDown: number; roundMsDown: number }>;

const NEVER = Number.POSITIVE_INFINITY;
const LEVELS = [
  { name: 'packet', ceilingMs: 0, busyUp: 0.65, roundMsUp: 2, busyDown: 0, roundMsDown: 0 },
  // The ceiling is for sound without picture.
  { name: 'frame', ceilingMs: 50, busyUp: 0.65, roundMsUp: 3, busyDown: 0.35, roundMsDown: 1 },
  { name: 'tick-30', ceilingMs: 30, busyUp: 0.8, roundMsUp: 3, busyDown: 0.35, roundMsDown: 2 },
  { name: 'tick-50', ceilingMs: 50, busyUp: 0.8, roundMsUp: 40, busyDown: 0.45, roundMsDown: 2 },
  { name: 'tick-100', ceilingMs: 100, busyUp: NEVER, roundMsUp: NEVER, busyDown: 0.4, roundMsDown: NEVER },
] as const satisfies readonly Step[];

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
  readonly #isFixed: boolean;
  #index: number;
  #decidedAtMs = Number.NEGATIVE_INFINITY;
  #changedAtMs = Number.NEGATIVE_INFINITY;

  /** `ceilingMs` is the most delay that merging may add; 100 by default. */
  constructor(ceilingMs: number, setting: MergeSetting = 'auto') {
    this.#ceilingMs = ceilingMs;
    this.#isFixed = setting !== 'auto';
    this.#index = Math.max(
      0,
      LEVELS.findIndex(({ name }) => name === setting),
    );
  }

  get level(): MergeLevel {
    const { name, ceilingMs } = this.#step;
    return { name, ceilingMs: Math.min(ceilingMs, this.#ceilingMs) };
  }

  /** True when it is time for `decide`. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#decidedAtMs >= DECISION_INTERVAL_MS;
  }

  /** Takes the load of the last interval; returns true when the level changed. */
  decide(load: MergeLoad, nowMs: number): boolean {
    this.#decidedAtMs = nowMs;
    if (this.#isFixed) return false;
    const step = this.#wish(load);
    if (step === 0 || (step < 0 && nowMs - this.#changedAtMs < SETTLE_MS)) return false;
    this.#index += step;
    this.#changedAtMs = nowMs;
    return true;
  }

  get #step(): Step {
    return LEVELS[this.#index] ?? LEVELS[0];
  }

  #wish({ roundMs, busy }: MergeLoad): -1 | 0 | 1 {
    const { name, ceilingMs, busyUp, roundMsUp, busyDown, roundMsDown } = this.#step;
    if (busy > busyUp || roundMs >= roundMsUp) {
      // A tick longer than the ceiling would only repeat the one below.
      const isLongest = name.startsWith('tick') && ceilingMs >= this.#ceilingMs;
      return isLongest ? 0 : 1;
    }
    return busy < busyDown && roundMs < roundMsDown ? -1 : 0;
  }
}
