/**
 * A server's own metrics. What it shows decides what is recorded: its Node.js process, its HTTP requests, and, of Showfloor's
 * servers (whose names are data here, not types), sockets and video.
 */
import { monotonicMs } from '../clock.ts';
import { CollectError, type Collector, MEGABYTE, onlyFinite, type Reading } from './collector.ts';
import { ExpositionWindow } from './exposition-window.ts';
import { getText } from './http-get.ts';
import type { CollectorKind, SAMPLE_METRICS } from './metric-names.ts';
import { type Exposition, parseExposition } from './prometheus-text.ts';

const KILOBITS_PER_BYTE = 8 / 1000;

/** `url`: of `/metrics`. A page without anything known is a gap: better said than silent. */
export function prometheusCollector(source: string, url: URL): Collector {
  let earlier: { readonly exposition: Exposition; readonly atMs: number } | null = null;
  return {
    collector: 'node',
    source,
    secrets: [decodeURIComponent(url.password), url.search],
    scrape: async (signal) => {
      const exposition = parseExposition(await getText(url, signal));
      const atMs = monotonicMs();
      const before = earlier;
      earlier = { exposition, atMs };
      const seconds = before === null ? Number.NaN : (atMs - before.atMs) / 1000;
      const readings = readKnown(new ExpositionWindow(exposition, before?.exposition ?? null, seconds));
      if (readings.length === 0) throw new CollectError('its metrics have nothing that is known here');
      return readings;
    },
  };
}

/** One reading per kind of figure that is there. */
export function readKnown(window: ExpositionWindow): Reading[] {
  const tables: [CollectorKind, Record<string, number | undefined>][] = [
    ['node', nodeFigures(window)],
    ['api', apiFigures(window)],
    ['websocket', socketFigures(window)],
    ['media', mediaFigures(window)],
  ];
  return tables.flatMap(([collector, figures]) => {
    const metrics = onlyFinite(figures);
    return Object.keys(metrics).length === 0 ? [] : [{ collector, metrics }];
  });
}

type Figures<Kind extends CollectorKind> = Partial<
  Record<keyof (typeof SAMPLE_METRICS)[Kind]['metrics'], number | undefined>
>;

function nodeFigures(window: ExpositionWindow): Figures<'node'> {
  const started = window.sum('process_start_time_seconds');
  const cpu = window.rate('process_cpu_seconds_total');
  return {
    event_loop_lag_ms: times(window.sum('nodejs_eventloop_lag_mean_seconds'), 1000),
    event_loop_lag_p99_ms: times(window.sum('nodejs_eventloop_lag_p99_seconds'), 1000),
    heap_used_mb: times(window.sum('nodejs_heap_size_used_bytes'), 1 / MEGABYTE),
    heap_total_mb: times(window.sum('nodejs_heap_size_total_bytes'), 1 / MEGABYTE),
    external_mb: times(window.sum('nodejs_external_memory_bytes'), 1 / MEGABYTE),
    cpu_pct: times(cpu, 100),
    mem_mb: times(window.sum('process_resident_memory_bytes'), 1 / MEGABYTE),
    fds: window.sum('process_open_fds'),
    handles: window.sum('nodejs_active_handles_total'),
    bugs: window.sum('bugs_total'),
    uptime_s: started === undefined ? undefined : Date.now() / 1000 - started,
  };
}

const HTTP = 'http_request_duration_seconds';

function apiFigures(window: ExpositionWindow): Figures<'api'> {
  const requests = window.growth(`${HTTP}_count`);
  const errors = window.growth(`${HTTP}_count`, { status: /^5/ });
  return {
    req_per_sec: window.rate(`${HTTP}_count`),
    p50_ms: times(window.quantile(HTTP, 0.5), 1000),
    p95_ms: times(window.quantile(HTTP, 0.95), 1000),
    p99_ms: times(window.quantile(HTTP, 0.99), 1000),
    error_5xx_pct: requests === undefined || requests === 0 ? undefined : ((errors ?? 0) / requests) * 100,
  };
}

function socketFigures(window: ExpositionWindow): Figures<'websocket'> {
  const namespace = (name: string): number | undefined =>
    window.sum('realtime_namespace_connections', { namespace: name });
  const refused = window.growth('realtime_connections_refused_total');
  const opened = window.growth('realtime_connections_opened_total');
  const handshakes = (refused ?? 0) + (opened ?? 0);
  return {
    root_connections: namespace('/'),
    chat_connections: namespace('/chat'),
    streaming_connections: namespace('/streaming'),
    connections: window.sum('realtime_connections'),
    chat_msg_per_sec: window.rate('realtime_chat_messages_total'),
    chat_delivery_p95_ms: times(window.quantile('realtime_chat_delivery_seconds', 0.95), 1000),
    viewers: window.sum('realtime_viewers'),
    room_viewers_peak: window.sum('realtime_room_viewers_peak'),
    viewer_joins: window.growth('realtime_viewer_joins_total'),
    viewer_leaves: window.growth('realtime_viewer_leaves_total'),
    refused_pct: handshakes === 0 || refused === undefined ? undefined : (refused / handshakes) * 100,
  };
}

function mediaFigures(window: ExpositionWindow): Figures<'media'> {
  return {
    viewers: window.sum('media_subscribers'),
    publishers: window.sum('media_publishers'),
    send_kbps: times(window.rate('media_sent_bytes_total'), KILOBITS_PER_BYTE),
    recv_kbps: times(window.rate('media_received_bytes_total'), KILOBITS_PER_BYTE),
    dropped_packets: window.growth('media_subscriber_dropped_packets_total'),
    skips: window.growth('media_subscriber_skips_total'),
    viewer_ends: window.growth('media_subscriber_ends_total'),
    hls_held: window.sum('media_hls_held_requests'),
    gop_cache_frames: window.sum('media_gop_cache_frames'),
  };
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
