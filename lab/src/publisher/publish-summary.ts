/** What publishing came to: a pure function of its series. */
import type { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { parseSeriesKey } from '../metrics/series-key.ts';
import type { SliceMerger } from '../metrics/slice.ts';

/** A distribution in ms; null without a sample. */
type Spread = { readonly p50: number; readonly p95: number; readonly max: number; readonly count: number } | null;

/** `publish.json`. */
export type PublishSummary = {
  readonly version: 1;
  /** Null where only a stretch of the time is summed up. */
  readonly streams: number | null;
  readonly onAir: number;
  readonly attempts: number;
  readonly accepted: number;
  readonly refusals: number;
  readonly losses: number;
  readonly droppedTags: number;
  readonly backlogBytes: number;
  readonly connectMs: Spread;
  readonly pacingErrorMs: Spread;
  readonly republishMs: Spread;
};

/** Sums up what a fleet reported. */
export function summarisePublishing(series: SliceMerger, streams: number | null): PublishSummary {
  const { gauges } = series.toData();
  const total = (metric: string): number => sum([...series.counters], metric);
  const level = (metric: string): number => sum(Object.entries(gauges), metric);
  return {
    version: 1,
    streams,
    onAir: level('publishers_on_air'),
    attempts: total('publish_attempts_total'),
    accepted: total('publish_accepted_total'),
    refusals: total('publish_refusals_total'),
    losses: total('publish_losses_total'),
    droppedTags: total('publish_dropped_tags_total'),
    backlogBytes: level('publish_backlog_bytes'),
    connectMs: spreadOf(series.trends, 'publish_connect_ms'),
    pacingErrorMs: spreadOf(series.trends, 'publish_pacing_error_ms'),
    republishMs: spreadOf(series.trends, 'publish_republish_ms'),
  };
}

/** One line for people. */
export function describePublishing(summary: PublishSummary): string {
  const { streams, onAir, accepted, refusals, losses, droppedTags, backlogBytes } = summary;
  const spread = (name: string, of: Spread): string[] =>
    of === null ? [] : [`${name} p95 ${Math.round(of.p95)} ms, worst ${Math.round(of.max)} ms`];
  const parts = [
    streams === null ? `on air ${onAir}` : `${streams} wanted, taken ${accepted} times`,
    ...spread('pacing error', summary.pacingErrorMs),
    ...spread('accepted after', summary.connectMs),
    ...spread('back on air after', summary.republishMs),
    `backlog ${Math.round(backlogBytes / 1024)} KiB`,
    ...(droppedTags > 0 ? [`${droppedTags} tags dropped`] : []),
    ...(losses > 0 ? [`broke off ${losses} times`] : []),
    ...(refusals > 0 ? [`refused ${refusals} times`] : []),
  ];
  return parts.join(' · ');
}

function sum(entries: readonly (readonly [string, number])[], metric: string): number {
  return entries.reduce((total, [key, value]) => total + (parseSeriesKey(key).metric === metric ? value : 0), 0);
}

function spreadOf(trends: ReadonlyMap<string, LatencyHistogram>, metric: string): Spread {
  const found = [...trends].find(([key]) => parseSeriesKey(key).metric === metric)?.[1];
  if (found === undefined || found.count === 0) return null;
  const [p50, p95] = [found.percentileMs(50), found.percentileMs(95)];
  return { p50, p95, max: found.maxMs, count: found.count };
}
