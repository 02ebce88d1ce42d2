/** The handful of figures that a person asks for first; live from the running totals, later from the run folder. */
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, seriesKey, type Tags } from '../metrics/series-key.ts';
import { mergedTrend, totalOf } from '../run-folder/run-figures.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { formatBytes, formatNumber, formatValue } from './sentences.ts';

/** A label and its value, ready to print, and which metric of which file it is. */
export type Figure = { readonly label: string; readonly value: string; readonly from: string };

type Totals = {
  readonly trends: ReadonlyMap<string, LatencyHistogram>;
  readonly counters: ReadonlyMap<string, number>;
};

type Source = {
  readonly sum: (metric: string) => number | null;
  readonly trend: (metric: string, where?: Tags) => LatencyHistogram | null;
};

/** Ways of watching by the tag `protocol`: their delays are never mixed. */
const PROTOCOLS = { flv: 'FLV', hls: 'HLS', llhls: 'LL-HLS' } as const;

/** From a finished run. */
export function keyFigures(run: RunData): Figure[] {
  return figures({ sum: (metric) => totalOf(run, metric), trend: (metric, where) => mergedTrend(run, metric, where) });
}

/** From the totals of a run that goes on. */
export function liveFigures(totals: Totals): Figure[] {
  return figures({
    sum: (metric) => {
      const values = matching(totals.counters, metric);
      return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
    },
    trend: (metric, where) => {
      const histograms = matching(totals.trends, metric, where);
      if (histograms.length === 0) return null;
      const sum = new LatencyHistogram();
      for (const histogram of histograms) sum.add(histogram);
      return sum;
    },
  });
}

function matching<T>(series: ReadonlyMap<string, T>, metric: string, where: Tags = {}): T[] {
  return [...series].filter(([key]) => matchesSeries(key, metric, where)).map(([, value]) => value);
}

function figures({ sum, trend }: Source): Figure[] {
  const percentile = (label: string, metric: string, at: number, where: Tags = {}): Figure[] => {
    const histogram = trend(metric, where);
    if (histogram === null || histogram.count === 0) return [];
    return [
      {
        label: `${label} p${at}`,
        value: formatValue(histogram.percentileMs(at), 'ms'),
        from: `${seriesKey(metric, where)} in histograms.jsonl`,
      },
    ];
  };
  const byProtocol = (label: string, metric: string): Figure[] =>
    Object.entries(PROTOCOLS).flatMap(([protocol, name]) => percentile(`${name} ${label}`, metric, 95, { protocol }));
  const count = (label: string, metric: string): Figure[] => {
    const value = sum(metric);
    return value === null ? [] : [{ label, value: formatNumber(value), from: `${metric} in series.jsonl` }];
  };
  const ratio = (label: string, top: string, bottom: string): Figure[] => {
    const [over, under] = [sum(top), sum(bottom)];
    if (over === null || under === null || under === 0) return [];
    return [{ label, value: formatValue((100 * over) / under, 'percent'), from: `${top} ÷ ${bottom} in series.jsonl` }];
  };
  const bytes = sum('video_bytes_total');
  return [
    ...ratio('started', 'play_starts_total', 'play_attempts_total'),
    ...byProtocol('startup', 'startup_ms'),
    ...ratio('stalled', 'stalled_ms_total', 'watched_ms_total'),
    ...byProtocol('delay', 'latency_capture_ms'),
    ...(bytes === null
      ? []
      : [{ label: 'video', value: formatBytes(bytes), from: 'video_bytes_total in series.jsonl' }]),
    ...percentile('chat', 'chat_fanout_ms', 95),
    ...ratio('chat arrived', 'chat_received_total', 'chat_expected_total'),
    ...count('orders', 'orders_paid_total'),
    ...count('API errors', 'api_errors_total'),
    ...count('dropped', 'dropped_iterations_total'),
  ];
}
