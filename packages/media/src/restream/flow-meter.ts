const WINDOW_MS = 5_000;
const SAMPLES_MAX = 16;

type Sample = Readonly<{ atMs: number; bytes: number; frames: number }>;

/** Bits and frames per second over the last five seconds, from two growing counters. */
export class FlowMeter {
  readonly #samples: Sample[] = [];

  /** Takes the counters' values; call it about once a second. */
  sample(bytes: number, frames: number, atMs: number): void {
    this.#samples.push({ atMs, bytes, frames });
    const isOld = (sample: Sample | undefined): boolean => sample !== undefined && atMs - sample.atMs >= WINDOW_MS;
    while (this.#samples.length > SAMPLES_MAX || isOld(this.#samples[1])) this.#samples.shift();
  }

  /** The rates between the oldest sample kept and the latest; 0 before the second sample. */
  get rates(): Readonly<{ bitrateBps: number; frameRate: number }> {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return { bitrateBps: 0, frameRate: 0 };
    const seconds = (last.atMs - first.atMs) / 1_000;
    return {
      bitrateBps: Math.round(((last.bytes - first.bytes) * 8) / seconds),
      frameRate: Math.round(((last.frames - first.frames) / seconds) * 10) / 10,
    };
  }

  /** Forgets what was: nothing flows. */
  clear(): void {
    this.#samples.length = 0;
  }
}
