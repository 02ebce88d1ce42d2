/** Watches the event loop of its own thread: how late it runs now, and how it did in the last second. */

import { totalmem } from 'node:os';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { monotonicMs } from '../clock.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { SelfSample } from './guard.ts';

const TICK_MS = 10;
const DELAY_RESOLUTION_MS = 10;
/** A lag counts as "now" for this long. */
const RECENT_MS = 250;

/** One per worker thread; `stop()` ends its timer. */
export class LagProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #lateness = new LatencyHistogram();
  readonly #timer: NodeJS.Timeout;
  readonly #gc = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.#gcPauseMs = Math.max(this.#gcPauseMs, duration);
  });
  #gcPauseMs = 0;
  #expectedAtMs = monotonicMs() + TICK_MS;
  #recent = { lagMs: 0, atMs: 0 };
  #cpu = process.threadCpuUsage();
  #sampledAtMs = monotonicMs();

  constructor() {
    this.#delay.enable();
    this.#gc.observe({ entryTypes: ['gc'] });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** How late the loop runs: the worst of the last moments, or the tick that is overdue right now. */
  lagMs(): number {
    const nowMs = monotonicMs();
    const overdueMs = Math.max(0, nowMs - this.#expectedAtMs);
    return nowMs - this.#recent.atMs < RECENT_MS ? Math.max(overdueMs, this.#recent.lagMs) : overdueMs;
  }

  /** A scheduled action ran this late; a timer that was early by a fraction was not late. */
  late(ms: number): void {
    this.#lateness.record(Math.max(0, ms));
  }

  /** The time since the last call. */
  sample(): SelfSample {
    const nowMs = monotonicMs();
    const elapsedMs = Math.max(1, nowMs - this.#sampledAtMs);
    const cpu = process.threadCpuUsage(this.#cpu);
    const sample = {
      loopDelayP99Ms: Math.max(0, this.#delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS),
      workerCpuPercent: (cpu.user + cpu.system) / 10 / elapsedMs,
      timerLatenessP99Ms: this.#lateness.count === 0 ? this.lagMs() : this.#lateness.percentileMs(99),
      memoryPercent: (100 * process.memoryUsage.rss()) / totalmem(),
      gcPauseMs: this.#gcPauseMs,
    };
    this.#gcPauseMs = 0;
    this.#delay.reset();
    this.#lateness.reset();
    this.#cpu = process.threadCpuUsage();
    this.#sampledAtMs = nowMs;
    return sample;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
    this.#gc.disconnect();
  }

  #tick(): void {
    const nowMs = monotonicMs();
    const lateMs = Math.max(0, nowMs - this.#expectedAtMs);
    this.#lateness.record(lateMs);
    const isStale = nowMs - this.#recent.atMs > RECENT_MS;
    if (isStale || lateMs > this.#recent.lagMs) this.#recent = { lagMs: lateMs, atMs: nowMs };
    this.#expectedAtMs = nowMs + TICK_MS;
  }
}
