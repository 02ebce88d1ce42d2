/** What each fault of a finished run did and how it was got over: a pure function of the run folder. */
import { mergedTrend, totalOf } from '../run-folder/run-figures.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import type { ScheduledFault } from './fault.ts';

/** Times in milliseconds; stamps count from the start of the run. */
export type RecoveryFigures = {
  readonly fault: ScheduledFault;
  /** Why it was not made; null when it was. */
  readonly skippedBecause: string | null;
  readonly injectedMs: number | null;
  /** When an independent probe saw it at work; null: it never did, and nothing below may be believed. */
  readonly activeMs: number | null;
  readonly healedMs: number | null;
  readonly verifiedBy: string;
  /** Injected until the probe found the plane well again. */
  readonly outageMs: number | null;
  /** Who was watching when it came, how many of them were without a picture, how many never came back. */
  readonly viewers: number;
  readonly disturbed: number;
  readonly lost: number;
  /** From the healing until half of the viewers, and 95 % of them, had a new picture; null: that many never did. */
  readonly t50Ms: number | null;
  readonly t95Ms: number | null;
  /** Time without a moving picture, all viewers together, out of those who were watching. */
  readonly lostMsPerViewer: number | null;
  /** Most connections opened in one second, from the fault until a minute after it was healed. */
  readonly stormPeakPerSecond: number | null;
};

/** After the healing, this long counts as its aftermath; the next fault ends it earlier. */
const AFTERMATH_MS = 60_000;
const CONNECTION_METRICS = ['flv_reconnects_total', 'play_attempts_total'] as const;

/** In the order in which they came. */
export function recoveryFigures(run: RunData): RecoveryFigures[] {
  const faults = run.manifest.faults ?? [];
  return faults.map(({ skippedBecause, ...fault }, index) => {
    const event = (name: string) => run.events.find((one) => one.name === name && one.detail.fault === fault.name);
    const where = { fault: fault.name };
    const injectedMs = event('fault_injected')?.atMs ?? null;
    const healedMs = event('fault_healed')?.atMs ?? null;
    const viewers = totalOf(run, 'recovery_viewers_total', where) ?? 0;
    const aftermath =
      injectedMs === null
        ? null
        : during(
            run,
            injectedMs,
            Math.min((healedMs ?? injectedMs) + AFTERMATH_MS, faults[index + 1]?.atMs ?? Infinity),
          );
    return {
      fault,
      skippedBecause,
      injectedMs,
      activeMs: event('fault_active')?.atMs ?? null,
      healedMs,
      verifiedBy: String(event('fault_active')?.detail.by ?? event('fault_failed')?.detail.reason ?? ''),
      outageMs: mergedTrend(run, 'fault_outage_ms', where)?.maxMs ?? null,
      viewers,
      disturbed: totalOf(run, 'recovery_disturbed_total', where) ?? 0,
      lost: totalOf(run, 'recovery_lost_total', where) ?? 0,
      t50Ms: recoveredBy(run, where, viewers, 50),
      t95Ms: recoveredBy(run, where, viewers, 95),
      lostMsPerViewer: aftermath === null || viewers === 0 ? null : withoutPictureMs(aftermath) / viewers,
      stormPeakPerSecond: aftermath === null ? null : stormPeak(run, aftermath),
    };
  });
}

/** The time by which this share of all viewers was back: those who never were count as slowest. */
function recoveredBy(run: RunData, where: { fault: string }, viewers: number, percent: number): number | null {
  const recovered = mergedTrend(run, 'recovery_ms', where);
  if (recovered === null || recovered.count === 0 || viewers === 0) return null;
  const share = (percent * viewers) / recovered.count;
  return share > 100 ? null : recovered.percentileMs(share);
}

function during(run: RunData, fromMs: number, toMs: number): RunData {
  const { sliceMs } = run.manifest;
  return { ...run, lines: run.lines.filter(({ atMs }) => atMs + sliceMs > fromMs && atMs < toMs) };
}

function withoutPictureMs(run: RunData): number {
  return (totalOf(run, 'watched_ms_total') ?? 0) - (totalOf(run, 'played_ms_total') ?? 0);
}

function stormPeak(run: RunData, aftermath: RunData): number {
  const perSecond = aftermath.lines.map((line) => {
    const opened = CONNECTION_METRICS.map((metric) => totalOf({ ...run, lines: [line] }, metric) ?? 0);
    return opened.reduce((sum, count) => sum + count, 0) / (run.manifest.sliceMs / 1000);
  });
  return Math.max(0, ...perSecond);
}
