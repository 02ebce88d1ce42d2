/** Turns what happens to one published stream into figures. No sockets, no clock of its own. */
import type { PublisherMetrics } from './publisher-metrics.ts';

/** One stream. Times are monotonic milliseconds. */
export class StreamFigures {
  readonly #metrics: PublisherMetrics;
  #isOnAir = false;
  #lostAtMs: number | null = null;
  #backlogBytes = 0;
  #droppedTags = 0;

  constructor(metrics: PublisherMetrics) {
    this.#metrics = metrics;
  }

  get isOnAir(): boolean {
    return this.#isOnAir;
  }

  attempt(): void {
    this.#metrics.attempts.add();
  }

  /** The server took the stream, this long after the attempt began. */
  accepted(atMs: number, connectMs: number): void {
    this.#metrics.accepted.add();
    this.#metrics.connectMs.record(connectMs);
    if (this.#lostAtMs !== null) this.#metrics.republishMs.record(atMs - this.#lostAtMs);
    this.#lostAtMs = null;
    this.#droppedTags = 0;
    if (!this.#isOnAir) this.#metrics.onAir.add(1);
    this.#isOnAir = true;
  }

  /** Refused, or lost when it was on air; returns which. Time off air counts from the loss, however often it is refused then. */
  failed(atMs: number, reason: string): 'refused' | 'lost' {
    const was = this.#isOnAir ? 'lost' : 'refused';
    if (was === 'lost') {
      this.#metrics.losses.add();
      this.#lostAtMs = atMs;
    } else this.#metrics.refusals(reason).add();
    this.#offAir();
    return was;
  }

  /** On purpose: being away is then no loss, but coming back is timed by the fault that wanted it. */
  stopped(): void {
    this.#lostAtMs = null;
    this.#offAir();
  }

  /** `droppedTags` counts from the beginning of the connection. */
  sent(stats: Readonly<{ pacingErrorMs: number; backlogBytes: number; droppedTags: number }>): void {
    this.#metrics.pacingChecks.add();
    this.#metrics.pacingErrorMs.record(stats.pacingErrorMs);
    this.#metrics.backlogBytes.add(stats.backlogBytes - this.#backlogBytes);
    this.#backlogBytes = stats.backlogBytes;
    this.#metrics.droppedTags.add(Math.max(0, stats.droppedTags - this.#droppedTags));
    this.#droppedTags = stats.droppedTags;
  }

  #offAir(): void {
    if (this.#isOnAir) this.#metrics.onAir.add(-1);
    this.#isOnAir = false;
    this.#metrics.backlogBytes.add(-this.#backlogBytes);
    this.#backlogBytes = 0;
  }
}
