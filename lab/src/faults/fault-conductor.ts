/**
 * Plays the faults of a run along its timeline. Each is injected, shown to work by a probe, taken back and shown to be
 * over; its stamps are events. What was taken away is given back in every case, also when the run is interrupted.
 */
import { pause } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';
import type { Stage } from '../engine/stage.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { seriesKey } from '../metrics/series-key.ts';
import type { ScheduledFault } from './fault.ts';
import type { Injection } from './injection.ts';

/** A plane that is not back after this long does not come back in this run. */
export const HEALED_WITHIN_MS = 60_000;
const PREPARE_BEFORE_MS = 1500;
const PROBE_EVERY_MS = 100;

/** A fault and how to make it. */
export type ConductedFault = { readonly scheduled: ScheduledFault; readonly injection: Injection };

/** Resolves when the last fault is over, or the stage's signal aborts. */
export async function conductFaults(faults: readonly ConductedFault[], stage: Stage): Promise<void> {
  for (const [index, fault] of faults.entries()) {
    const nextAtMs = stage.startAtMs + (faults[index + 1]?.scheduled.atMs ?? Number.POSITIVE_INFINITY);
    await new ConductedOne(fault, stage, nextAtMs).run();
    if (stage.signal.aborted) return;
  }
}

class ConductedOne {
  readonly #scheduled: ScheduledFault;
  readonly #injection: Injection;
  readonly #stage: Stage;
  readonly #nextAtMs: number;
  #isVerified = false;

  constructor({ scheduled, injection }: ConductedFault, stage: Stage, nextAtMs: number) {
    this.#scheduled = scheduled;
    this.#injection = injection;
    this.#stage = stage;
    this.#nextAtMs = nextAtMs;
  }

  async run(): Promise<void> {
    const { atMs } = this.#scheduled;
    const { startAtMs, signal } = this.#stage;
    try {
      if (!(await pause(startAtMs + atMs - PREPARE_BEFORE_MS - monotonicMs(), signal))) return;
      await this.#injection.prepare();
      if (!(await pause(startAtMs + atMs - monotonicMs(), signal))) return;
      const injectedAtMs = await this.#inject();
      if (injectedAtMs !== null) await this.#endure(injectedAtMs);
    } finally {
      this.#injection.dispose();
    }
  }

  async #inject(): Promise<number | null> {
    const { name, fault, on } = this.#scheduled;
    try {
      const atMs = await this.#injection.inject();
      this.#event('fault_injected', atMs, { kind: fault.kind, on: on.join(',') });
      this.#stage.tellFault(name, 'injected', atMs);
      return atMs;
    } catch (error) {
      this.#countVerified(false);
      this.#event('fault_failed', monotonicMs(), { reason: error instanceof Error ? error.message : 'unknown' });
      return null;
    }
  }

  async #endure(injectedAtMs: number): Promise<void> {
    const { durationMs } = this.#scheduled;
    const { lift, isHealedByLift } = this.#injection;
    let liftedAtMs: number | null = null;
    try {
      await this.#verify(durationMs / 2);
      // What comes back by itself may do so before its time is over.
      if (lift !== null) await pause(injectedAtMs + durationMs - monotonicMs(), this.#stage.signal);
    } finally {
      liftedAtMs = (await lift?.()) ?? null;
    }
    const healedAtMs = isHealedByLift ? liftedAtMs : null;
    if (healedAtMs !== null && this.#isVerified) this.#stage.tellFault(this.#scheduled.name, 'healed', healedAtMs);
    await this.#awaitHealing(injectedAtMs, healedAtMs);
  }

  async #verify(withinMs: number): Promise<void> {
    const { isActive, by } = await this.#injection.verify(withinMs);
    this.#isVerified = isActive;
    this.#countVerified(isActive);
    if (!isActive) this.#stage.tellFault(this.#scheduled.name, 'void', monotonicMs());
    this.#event(isActive ? 'fault_active' : 'fault_unverified', monotonicMs(), { by });
  }

  /** `healedAtMs`: null when it is healed once the probe says so. */
  async #awaitHealing(injectedAtMs: number, healedAtMs: number | null): Promise<void> {
    const deadlineMs = Math.min(monotonicMs() + HEALED_WITHIN_MS, this.#nextAtMs - PREPARE_BEFORE_MS);
    const { name } = this.#scheduled;
    for (;;) {
      const probedAtMs = await this.#injection.probeHealed();
      const nowMs = monotonicMs();
      if (probedAtMs !== null) {
        if (healedAtMs === null && this.#isVerified) this.#stage.tellFault(name, 'healed', probedAtMs);
        this.#event('fault_healed', healedAtMs ?? probedAtMs, { confirmed_ms: Math.round(this.#atMs(probedAtMs)) });
        this.#outage(probedAtMs - injectedAtMs);
        return;
      }
      if (nowMs >= deadlineMs) {
        if (this.#isVerified) this.#stage.tellFault(name, 'unhealed', nowMs);
        this.#event('fault_unhealed', nowMs, { waited_ms: Math.round(nowMs - injectedAtMs) });
        this.#outage(nowMs - injectedAtMs); // at least this long
        return;
      }
      if (!(await pause(PROBE_EVERY_MS, this.#stage.signal))) return;
    }
  }

  #outage(ms: number): void {
    if (!this.#isVerified) return;
    const histogram = new LatencyHistogram();
    histogram.record(ms);
    const key = seriesKey('fault_outage_ms', { fault: this.#scheduled.name });
    this.#stage.record({ trends: { [key]: histogram.encode() }, counters: {}, gauges: {} });
  }

  /** Both in one second: a share over any stretch of the run is then of the same faults. */
  #countVerified(isActive: boolean): void {
    const tags = { fault: this.#scheduled.name };
    const counters = {
      [seriesKey('faults_planned_total', tags)]: 1,
      [seriesKey('faults_verified_total', tags)]: isActive ? 1 : 0,
    };
    this.#stage.record({ trends: {}, counters, gauges: {} });
  }

  #atMs(monotonic: number): number {
    return monotonic - this.#stage.startAtMs;
  }

  #event(name: string, atMs: number, detail: Readonly<Record<string, string | number | boolean>>): void {
    this.#stage.event(name, Math.round(this.#atMs(atMs)), { fault: this.#scheduled.name, ...detail });
  }
}
