/** An encoder that had the right key and was turned away: its seller wants to know. `reason` is `rival` or a FormatError's code. */
export type PublisherRefusal = Readonly<{
  playbackId: string;
  showId: string;
  reason: string;
  text: string;
  atMs: number;
}>;

/** Encoders reconnect by themselves, every two seconds for hours: one notice tells as much as a thousand. */
const QUIET_MS = 10_000;
const SHOWS_MAX = 1_000;

/** Passes notices on, of each show and reason one in ten seconds. Bounded: the show that was told of longest ago is forgotten. */
export class RefusalNotices {
  readonly #tell: (refusal: PublisherRefusal) => void;
  readonly #nowMs: () => number;
  readonly #toldAtMs = new Map<string, number>();

  constructor(tell: (refusal: PublisherRefusal) => void, nowMs: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#nowMs = nowMs;
  }

  add(refusal: Omit<PublisherRefusal, 'atMs'>): void {
    const key = `${refusal.playbackId} ${refusal.reason}`;
    const nowMs = this.#nowMs();
    const toldAtMs = this.#toldAtMs.get(key);
    if (toldAtMs !== undefined && nowMs - toldAtMs < QUIET_MS) return;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    const oldest = this.#toldAtMs.keys().next();
    if (this.#toldAtMs.size > SHOWS_MAX && oldest.done !== true) this.#toldAtMs.delete(oldest.value);
    this.#tell({ ...refusal, atMs: Date.now() });
  }
}
