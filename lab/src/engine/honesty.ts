/**
 * What watches the generator itself while a run goes on: its process, the clocks, the canary. Everything it finds goes into the run
 * folder; what it means is decided by the verdict.
 */
import { type CanaryPlan, planCanary } from '../canary/canary-plan.ts';
import { CanaryProcess } from '../canary/canary-process.ts';
import { monotonicMs } from '../clock.ts';
import type { Manifest } from '../run-folder/manifest.ts';
import type { RunWriter } from '../run-folder/run-writer.ts';
import { type ClockComparison, clockOfRun } from './clock-comparison.ts';
import { type ClockFindings, watchClocks, writeClockEvents } from './clock-watch.ts';
import type { SelfSample } from './guard.ts';
import type { Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';
import { watchSelf } from './self-monitor.ts';
import type { Stage } from './stage.ts';
import type { WorkerTask } from './worker-messages.ts';

type Options = {
  readonly isCoLocated: boolean;
  readonly askClock: () => Promise<ClockComparison | null>;
  readonly writer: RunWriter;
  readonly hasCanary: boolean;
};

/** One run. Its owner calls `end`, whatever happens. */
export class Honesty {
  readonly #options: Options;
  readonly #findings: ClockFindings = { comparisons: [], steppedMs: 0 };
  #canaryPlan: CanaryPlan | null = null;
  #canary: CanaryProcess | null = null;
  #stopWatching: (() => void) | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Compares the clocks for the first time. Returns the offset that the run corrects by. */
  async begin(): Promise<number> {
    const first = await this.#compare(0);
    return first?.offsetMs ?? 0;
  }

  /** Starts the canary's process, so that it is ready when the run starts. */
  async openCanary(
    groups: Scenario['groups'],
    plan: Plan,
    task: Omit<WorkerTask, 'room' | 'index' | 'vus' | 'groups' | 'durationMs'>,
  ): Promise<void> {
    this.#canaryPlan = this.#options.hasCanary ? planCanary(groups, plan) : null;
    if (this.#canaryPlan === null) return;
    const canary = new CanaryProcess(this.#canaryPlan, { ...task, durationMs: plan.durationMs }, (second) =>
      this.#options.writer.writeCanary(second),
    );
    this.#canary = canary;
    await canary.ready;
  }

  /** Along the timeline. `onSelf` is told every second what the process says of itself. */
  async conduct(stage: Stage, onSelf: (self: SelfSample) => void): Promise<void> {
    this.#stopWatching = watchSelf(onSelf);
    this.#canary?.start(stage.startAtMs);
    const ask = this.#options.isCoLocated ? null : this.#options.askClock;
    await watchClocks(stage, this.#findings, { ask });
    this.#stopWatching();
    await this.#canary?.stop();
  }

  /** Ends what is still there. May be called more than once. */
  async stop(): Promise<void> {
    this.#stopWatching?.();
    await this.#canary?.stop();
  }

  /** Compares the clocks for the last time; what the manifest says. Before the writer is closed. */
  async finish(startAtMs: number): Promise<Pick<Manifest, 'clock' | 'canary'>> {
    await this.#compare(Math.round(monotonicMs() - startAtMs));
    const { comparisons, steppedMs } = this.#findings;
    const clock = clockOfRun(this.#options.isCoLocated, comparisons, steppedMs);
    return { clock, ...(this.#canaryPlan === null ? {} : { canary: this.#canaryPlan.watched }) };
  }

  async #compare(atMs: number): Promise<ClockComparison | null> {
    if (this.#options.isCoLocated) return null;
    const comparison = await this.#options.askClock();
    this.#findings.comparisons.push(comparison);
    writeClockEvents(this.#options.writer, atMs, comparison);
    return comparison;
  }
}
