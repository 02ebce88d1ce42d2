const SLOTS = 7;
const SLOT_MS = 5_000;

/** Kilobits per second over the last 30 seconds, from a growing byte counter that is sampled every 5 s. */
export class RateMeter {
  readonly #samples: { atMs: number; bytes: number }[] = [];

  /** Takes the counter's value now; call it at least every 5 s. */
  sample(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SLOT_MS) return;
    this.#samples.push({ atMs, bytes });
    if (this.#samples.length > SLOTS) this.#samples.shift();
  }

  /** The rate between the oldest sample and now. */
  kbps(bytes: number, atMs: number): number {
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs <= oldest.atMs) return 0;
    return Math.round(((bytes - oldest.bytes) * 8) / (atMs - oldest.atMs));
  }
}
