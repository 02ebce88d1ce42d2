/**
 * The crowd beside its canary. Both watch the same stream from the same machine; what the crowd suffers and the canary does not may be
 * the generator's doing. Pure.
 */
import { breachedLimits, type GuardLimits } from '../engine/guard.ts';
import type { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries } from '../metrics/series-key.ts';
import { type SliceData, SliceMerger } from '../metrics/slice.ts';
import type { VideoAbility } from '../verdict/criterion.ts';
import type { CanaryGroup } from './canary-plan.ts';
import type { CanarySecond } from './canary-process.ts';

/** What a viewer would say; null where nothing was measured. */
export type Impression = {
  readonly startupP50Ms: number | null;
  readonly latencyP50Ms: number | null;
  readonly stalledPercent: number | null;
};

/** One way of watching. `suspicions` are sentences; without any the crowd did as well as the canary, within reason. */
export type CanaryComparison = {
  readonly protocol: VideoAbility;
  readonly canary: Impression;
  readonly crowd: Impression;
  readonly tier: string | null;
  readonly suspicions: readonly string[];
  /** Why it says nothing; null when it does. */
  readonly doubt: string | null;
};

/** Best first: both sides are compared by the same one. */
const TIERS = ['capture', 'ingest', 'pdt', 'edge'] as const;
const COMPARED_TRENDS = ['startup_ms', ...TIERS.map((tier) => `latency_${tier}_ms`)];
const COMPARED_COUNTERS = ['stalled_ms_total', 'watched_ms_total'];
/** The canary watched for less: it says nothing. */
const WATCHED_MS_MIN = 10_000;
const TAINTED_SHARE_MAX = 0.2;
/** Where viewers join within a second of each other in a group of pictures, their delays differ by as much. */
const LATENCY_SLACK_MS = 1000;
const STARTUP_SLACK_MS = 500;
const STALLED_SLACK_PERCENT = 1;

/** Compares what was seen in the same seconds. `crowd`: slices of the run. */
export function compareWithCanary(
  watched: readonly CanaryGroup[],
  canary: readonly CanarySecond[],
  crowd: readonly SliceData[],
  limits: GuardLimits,
): CanaryComparison[] {
  const [canarySum, crowdSum] = [merge(canary.map(({ data }) => data)), merge(crowd)];
  const tainted = canary.filter(({ self }) => breachedLimits(self, limits).length > 0).length;
  return watched.map((group) => {
    const tier = TIERS.find(
      (one) =>
        trendOf(canarySum, `latency_${one}_ms`, group.name) !== null &&
        trendOf(crowdSum, `latency_${one}_ms`, group.crowd) !== null,
    );
    const seen = impressionOf(canarySum, group.name, tier);
    const felt = impressionOf(crowdSum, group.crowd, tier);
    const doubt = whyNothing(canarySum, group.name, tainted, canary.length);
    return {
      protocol: group.protocol,
      tier: tier ?? null,
      canary: seen,
      crowd: felt,
      suspicions: doubt === null ? suspicionsOf(group.protocol, seen, felt) : [],
      doubt,
    };
  });
}

function whyNothing(sum: SliceMerger, group: string, tainted: number, seconds: number): string | null {
  if (seconds === 0) return 'it never reported';
  if (tainted > TAINTED_SHARE_MAX * seconds) return `it was too busy itself in ${tainted} of ${seconds} s`;
  const watchedMs = counterOf(sum, 'watched_ms_total', group) ?? 0;
  return watchedMs < WATCHED_MS_MIN ? `it watched for ${Math.round(watchedMs / 1000)} s only` : null;
}

/** Twice the canary's start and half a second, one and a half times its delay and a second, three times its stalls and a percent. */
function suspicionsOf(protocol: string, canary: Impression, crowd: Impression): string[] {
  const checks = [
    { name: 'start', unit: 'ms', of: 'startupP50Ms', factor: 2, slack: STARTUP_SLACK_MS },
    { name: 'delay', unit: 'ms', of: 'latencyP50Ms', factor: 1.5, slack: LATENCY_SLACK_MS },
    { name: 'time spent stalled', unit: '%', of: 'stalledPercent', factor: 3, slack: STALLED_SLACK_PERCENT },
  ] as const;
  return checks.flatMap(({ name, unit, of, factor, slack }) => {
    const [alone, together] = [canary[of], crowd[of]];
    if (alone === null || together === null || together <= Math.max(alone * factor, alone + slack)) return [];
    const digits = unit === '%' ? 1 : 0;
    return [`${protocol}: ${name} ${together.toFixed(digits)} ${unit}, its canary ${alone.toFixed(digits)} ${unit}`];
  });
}

function impressionOf(sum: SliceMerger, group: string, tier: string | undefined): Impression {
  const [stalledMs, watchedMs] = ['stalled_ms_total', 'watched_ms_total'].map((name) => counterOf(sum, name, group));
  return {
    startupP50Ms: trendOf(sum, 'startup_ms', group)?.percentileMs(50) ?? null,
    latencyP50Ms: tier === undefined ? null : (trendOf(sum, `latency_${tier}_ms`, group)?.percentileMs(50) ?? null),
    stalledPercent: stalledMs === null || stalledMs === undefined || !watchedMs ? null : (100 * stalledMs) / watchedMs,
  };
}

function merge(slices: readonly SliceData[]): SliceMerger {
  const sum = new SliceMerger();
  for (const slice of slices) sum.add(comparedOf(slice), 'replace');
  return sum;
}

/** The series of a slice that the comparison reads: six hours have tens of thousands of slices, and each series costs. */
export function comparedOf({ trends, counters }: SliceData): SliceData {
  return { trends: pick(trends, COMPARED_TRENDS), counters: pick(counters, COMPARED_COUNTERS), gauges: {} };
}

function pick<T>(series: Readonly<Record<string, T>>, metrics: readonly string[]): Record<string, T> {
  return Object.fromEntries(
    Object.entries(series).filter(([key]) => metrics.some((metric) => matchesSeries(key, metric))),
  );
}

function trendOf(sum: SliceMerger, metric: string, group: string): LatencyHistogram | null {
  const found = [...sum.trends].find(([key]) => matchesSeries(key, metric, { group }));
  return found === undefined || found[1].count === 0 ? null : found[1];
}

function counterOf(sum: SliceMerger, metric: string, group: string): number | null {
  const found = [...sum.counters].find(([key]) => matchesSeries(key, metric, { group }));
  return found?.[1] ?? null;
}
