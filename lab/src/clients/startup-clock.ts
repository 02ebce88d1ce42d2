/** What a startup was made of. Stages follow each other: they add up to the whole. */
import type { HlsMetrics, StartupStage } from './hls-metrics.ts';

/** One per session. Stages that a session does not have (no master list, no init segment) are not recorded. */
export class StartupClock {
  readonly #metrics: HlsMetrics;
  #reachedAtMs: number;
  #isOver = false;
  readonly #seen = new Set<StartupStage>();

  constructor(metrics: HlsMetrics, requestedAtMs: number) {
    this.#metrics = metrics;
    this.#reachedAtMs = requestedAtMs;
  }

  /** The stage ended at this instant; only its first end counts. */
  reached(stage: StartupStage, atMs: number): void {
    if (this.#isOver || this.#seen.has(stage)) return;
    this.#seen.add(stage);
    this.#metrics.stageMs[stage].record(Math.max(0, atMs - this.#reachedAtMs));
    this.#reachedAtMs = Math.max(atMs, this.#reachedAtMs);
    if (stage === 'fill') this.#isOver = true;
  }
}
