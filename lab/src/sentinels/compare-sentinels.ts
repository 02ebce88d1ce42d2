/** Real browsers beside virtual viewers of the same run: a pure function of the run folder. */
import { mergedTrend, totalOf } from '../run-folder/run-figures.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import type { VideoAbility } from '../verdict/criterion.ts';
import type { SentinelLine, SentinelSession, SentinelTier } from './sentinel-record.ts';

/** One figure twice. Null: not known on that side. */
export type SentinelPair = {
  readonly protocol: VideoAbility;
  readonly figure: 'startup' | 'stalled' | 'latency';
  /** For `latency`. */
  readonly tier: SentinelTier | null;
  readonly unit: 'ms' | 'percent';
  /** Median over the browsers; of stalled time the share. */
  readonly real: number | null;
  /** Median of the virtual viewers; of stalled time the share. */
  readonly virtual: number | null;
  /** How many browsers it rests on. */
  readonly sessions: number;
};

/** What there is to say about the sentinels of a run. */
export type SentinelComparison = { readonly skippedBecause: string | null; readonly pairs: readonly SentinelPair[] };

const METRIC_OF: Readonly<Record<SentinelTier, string>> = {
  capture: 'latency_capture_ms',
  ingest: 'latency_ingest_ms',
  pdt: 'latency_pdt_ms',
};

/** Null when the run had no sentinels. */
export function compareSentinels(lines: readonly SentinelLine[], run: RunData): SentinelComparison | null {
  if (lines.length === 0) return null;
  const skipped = lines.find((line) => line.type === 'skipped');
  const sessions = lines.filter((line) => line.type === 'session');
  const protocols = [...new Set(sessions.map(({ protocol }) => protocol))];
  return {
    skippedBecause: skipped?.reason ?? null,
    pairs: protocols.flatMap((protocol) =>
      pairsOf(
        protocol,
        sessions.filter((one) => one.protocol === protocol),
        run,
      ),
    ),
  };
}

function pairsOf(protocol: VideoAbility, sessions: readonly SentinelSession[], run: RunData): SentinelPair[] {
  const where = { protocol };
  const common = { protocol, sessions: sessions.length } as const;
  const tier = sessions.find((one) => one.tier !== null)?.tier ?? null;
  const median = (metric: string): number | null => {
    const value = mergedTrend(run, metric, where)?.percentileMs(50) ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  };
  const sum = (read: (session: SentinelSession) => number): number => sessions.reduce((all, one) => all + read(one), 0);
  return [
    {
      ...common,
      figure: 'startup',
      tier: null,
      unit: 'ms',
      real: middle(sessions.map((one) => one.startupMs)),
      virtual: median('startup_ms'),
    },
    {
      ...common,
      figure: 'stalled',
      tier: null,
      unit: 'percent',
      real: share(
        sum(({ stalledMs }) => stalledMs),
        sum(({ watchedMs }) => watchedMs),
      ),
      virtual: share(totalOf(run, 'stalled_ms_total', where), totalOf(run, 'watched_ms_total', where)),
    },
    {
      ...common,
      figure: 'latency',
      tier,
      unit: 'ms',
      real: middle(sessions.map((one) => one.latencyP50Ms)),
      virtual: tier === null ? null : median(METRIC_OF[tier]),
    },
  ];
}

function share(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : (100 * part) / whole;
}

function middle(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}
