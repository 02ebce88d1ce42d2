/** How far back a rate looks: `slots` samples, at least `slotMs` apart. */
export type RateWindow = Readonly<{ slots: number; slotMs: number }>;

const THIRTY_SECONDS: RateWindow = { slots: 7, slotMs: 5_000 };

/** Less than this is too short to tell a rate. */
const SPAN_MS_MIN = 1_000;

/** The rate of a growing counter over the last 30 seconds, or another window, from samples taken now and then. */
export class RateMeter {
  readonly #window: RateWindow;
  readonly #samples: { atMs: number; count: number }[] = [];

  constructor(window: RateWindow = THIRTY_SECONDS) {
    this.#window = window;
  }

  /** Takes the counter's value now; call it at least once per slot. */
  sample(count: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < this.#window.slotMs) return;
    this.#samples.push({ atMs, count });
    if (this.#samples.length > this.#window.slots) this.#samples.shift();
  }

  /** Counts per second between the oldest sample and now; 0 until that is a second. */
  perSecond(count: number, atMs: number): number {
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs - oldest.atMs < SPAN_MS_MIN) return 0;
    return Math.max(0, ((count - oldest.count) * 1_000) / (atMs - oldest.atMs));
  }

  /** Kilobits per second of a counter of bytes. */
  kbps(bytes: number, atMs: number): number {
    return Math.round((this.perSecond(bytes, atMs) * 8) / 1_000);
  }
}
