/**
 * Compares the target's clock with ours once a minute while a run goes on, and tells when ours was set. Every finding is an event, so
 * that a report can name the clock that was wrong.
 */

import { pause } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';
import type { RunWriter } from '../run-folder/run-writer.ts';
import type { ClockComparison } from './clock-comparison.ts';
import { NO_VU, type Stage } from './stage.ts';

const COMPARE_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 1000;
/** A wall clock that is slewed moves less than this in a second; one that is set moves more. */
const STEP_MS_MIN = 20;
/** A clock that is further off than this is worth a line of its own, although it is corrected. */
export const CLOCK_OFF_MS = 250;

/** Comparisons in order, null for one that failed; and the largest distance by which our clock was set. */
export type ClockFindings = { readonly comparisons: (ClockComparison | null)[]; steppedMs: number };

type Options = {
  /** Asks the target's clock; null on the target's own machine, where there is nothing to ask. */
  readonly ask: (() => Promise<ClockComparison | null>) | null;
  readonly everyMs?: number;
  readonly wallMs?: () => number;
};

/** Until the stage's signal aborts; adds to `findings`. */
export async function watchClocks(
  stage: Pick<Stage, 'startAtMs' | 'signal' | 'event'>,
  findings: ClockFindings,
  { ask, everyMs = COMPARE_EVERY_MS, wallMs = Date.now }: Options,
): Promise<void> {
  let nextAtMs = monotonicMs() + everyMs;
  let leadMs = wallMs() - monotonicMs();
  while (await pause(Math.min(LOOK_EVERY_MS, everyMs), stage.signal)) {
    const nowLeadMs = wallMs() - monotonicMs();
    const byMs = nowLeadMs - leadMs;
    leadMs = nowLeadMs;
    if (Math.abs(byMs) >= STEP_MS_MIN) {
      findings.steppedMs = Math.max(findings.steppedMs, Math.abs(byMs));
      stage.event('clock_stepped', monotonicMs() - stage.startAtMs, { clock: 'generator', by_ms: Math.round(byMs) });
    }
    if (ask === null || monotonicMs() < nextAtMs) continue;
    nextAtMs += everyMs;
    const comparison = await ask();
    findings.comparisons.push(comparison);
    for (const [name, detail] of clockEvents(comparison)) stage.event(name, monotonicMs() - stage.startAtMs, detail);
  }
}

/** The lines that one comparison is worth. */
export function clockEvents(
  comparison: ClockComparison | null,
): (readonly [string, Readonly<Record<string, string | number>>])[] {
  if (comparison === null) return [['clock_not_compared', { clock: 'target' }]];
  const detail = {
    clock: 'target',
    offset_ms: Math.round(comparison.offsetMs),
    bound_ms: Math.round(comparison.boundMs),
  };
  const isOff = Math.abs(comparison.offsetMs) >= CLOCK_OFF_MS;
  return [['clock_compared', detail], ...(isOff ? [['clock_off', detail] as const] : [])];
}

/** Comparisons before and after the run, where there is no stage. */
export function writeClockEvents(writer: RunWriter, atMs: number, comparison: ClockComparison | null): void {
  const events = clockEvents(comparison);
  writer.writeEvents(events.map(([name, detail]) => ({ name, vu: NO_VU, atMs, detail })));
}
