/** nginx: what its access log says of the time since the last look, and the connections of `stub_status`. */
import { monotonicMs } from '../clock.ts';
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { CollectError, type Collector, MEGABYTE, onlyFinite, type Reading } from './collector.ts';
import { getText } from './http-get.ts';
import { MinuteWindow } from './minute-window.ts';
import { type AccessLine, parseAccessLine } from './nginx-log-line.ts';
import { TailedFile } from './tailed-file.ts';

/** nginx: the client closed the connection before the answer. Its own class: it is the client's impatience, or a slow answer. */
const CLIENT_CLOSED = 499;

const COUNTED = {
  error_4xx: ({ status }) => status >= 400 && status < CLIENT_CLOSED,
  error_5xx: ({ status }) => status >= 500,
  error_499: ({ status }) => status === CLIENT_CLOSED,
  error_502: ({ status }) => status === 502,
  error_504: ({ status }) => status === 504,
} as const satisfies Record<string, (line: AccessLine) => boolean>;

const TIMES = {
  rt: ({ requestMs }) => requestMs,
  uct: ({ connectMs }) => connectMs,
  uht: ({ headerMs }) => headerMs,
  urt: ({ responseMs }) => responseMs,
} as const satisfies Record<string, (line: AccessLine) => number | null>;

/** `path`: the access log; `nginx-log-line.ts` has the format. The first scrape takes its place at the log's end. */
export function nginxLogCollector(source: string, path: string): Collector {
  const file = new TailedFile(path);
  const minute = new MinuteWindow();
  let lookedAtMs: number | null = null;
  return {
    collector: 'nginx',
    source,
    scrape: async () => {
      const { lines, skippedBytes } = await file.read();
      const nowMs = monotonicMs();
      const sinceMs = lookedAtMs === null ? Number.NaN : nowMs - lookedAtMs;
      lookedAtMs = nowMs;
      return [accessReading(lines, { sinceMs, nowMs, minute, skippedMegabytes: skippedBytes / MEGABYTE })];
    },
    close: () => file.close(),
  };
}

type Look = {
  /** NaN at the first look. */
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly minute: MinuteWindow;
  readonly skippedMegabytes: number;
};

function accessReading(texts: readonly string[], { sinceMs, nowMs, minute, skippedMegabytes }: Look): Reading {
  const parsed = texts.map(parseAccessLine);
  const lines = parsed.filter((line) => line !== null);
  const counts: Record<string, number> = { requests: lines.length };
  for (const [name, isCounted] of Object.entries(COUNTED)) counts[name] = lines.filter(isCounted).length;
  minute.add(nowMs, counts);
  const share = (name: string): number => (minute.sum(name) / minute.sum('requests')) * 100;
  const histograms = Object.fromEntries(
    Object.entries(TIMES).map(([name, timeOf]) => [name, histogramOf(lines.map(timeOf))] as const),
  );
  const percentile = (name: keyof typeof TIMES, percent: number) => histograms[name]?.percentileMs(percent);
  return {
    metrics: onlyFinite({
      ...counts,
      req_per_sec: (lines.length / sinceMs) * 1000,
      error_4xx_pct: share('error_4xx'),
      error_5xx_pct: share('error_5xx'),
      error_499_pct: share('error_499'),
      rt_p50_ms: percentile('rt', 50),
      rt_p95_ms: percentile('rt', 95),
      rt_p99_ms: percentile('rt', 99),
      uct_p95_ms: percentile('uct', 95),
      uht_p95_ms: percentile('uht', 95),
      urt_p95_ms: percentile('urt', 95),
      unreadable_lines: texts.length - lines.length,
      skipped_mb: skippedMegabytes,
    }),
    histograms: Object.fromEntries(
      Object.entries(histograms).flatMap(([name, one]) => (one.count === 0 ? [] : [[`${name}_ms`, one.encode()]])),
    ),
  };
}

function histogramOf(values: readonly (number | null)[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) if (value !== null) histogram.record(value);
  return histogram;
}

/** `url`: of `stub_status` (https://nginx.org/en/docs/http/ngx_http_stub_status_module.html). */
export function nginxStatusCollector(source: string, url: URL): Collector {
  return {
    collector: 'nginx',
    source,
    secrets: [decodeURIComponent(url.password), url.search],
    scrape: async (signal) => [{ metrics: parseStubStatus(await getText(url, signal)) }],
  };
}

/** Throws {@link CollectError}. */
export function parseStubStatus(text: string): Record<string, number> {
  const active = /^Active connections:\s*(\d+)/m.exec(text)?.[1];
  const [, accepted, handled] = /^\s*(\d+)\s+(\d+)\s+\d+\s*$/m.exec(text) ?? [];
  if (active === undefined || accepted === undefined) throw new CollectError('this is no page of stub_status');
  return onlyFinite({
    active_connections: Number(active),
    waiting_connections: Number(/Waiting:\s*(\d+)/.exec(text)?.[1]),
    connections_dropped: Number(accepted) - Number(handled),
  });
}
