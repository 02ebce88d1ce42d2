/** The rolling charts: which lines there are, and their newest points. Tiers of delay never share a chart. */

import type { CollectedFigures } from './collected-figures.ts';
import type { TrendChart } from './dashboard-frame.ts';
import { counterSum, type LiveSecond, percentileOf } from './live-second.ts';
import { PROTOCOLS, type Protocol } from './viewer-panels.ts';

/** Lines in one chart; more cannot be told apart. */
const LINES_MAX = 8;
const DELAY_TIERS = [
  ['latency_capture_ms', 'Delay p95, glass to glass (tier A)'],
  ['latency_ingest_ms', 'Delay p95, from ingest'],
  ['latency_pdt_ms', 'Delay p95, packager clock (tier C)'],
  ['latency_edge_ms', 'Delay p95, behind the live edge (tier D)'],
] as const;

type Line = { readonly key: string; readonly label: string };
type ChartSoFar = Omit<TrendChart, 'lines'> & { readonly lines: Map<string, Line> };

/** One run. Lines appear when they first have a value, and stay. */
export class TrendCharts {
  readonly #charts = new Map<string, ChartSoFar>();
  #points: Record<string, number | null> = {};

  /** What the virtual users did in one second; null when there are none. */
  update(
    second: LiveSecond | null,
    watching: ReadonlyMap<Protocol, number>,
    others: ReadonlyMap<string, number>,
    collected: CollectedFigures,
  ): void {
    this.#points = Object.fromEntries(Object.keys(this.#points).map((key) => [key, null]));
    for (const [protocol, name] of PROTOCOLS) {
      if (watching.has(protocol)) this.#set('users', 'Virtual users', '', name, watching.get(protocol) ?? null);
    }
    for (const [name, count] of others) this.#set('users', 'Virtual users', '', name, count);
    for (const [source, value] of collected.bySource(['media', 'srs'], 'viewers')) {
      this.#set('users', 'Virtual users', '', `viewers by ${source}`, value);
    }
    if (second !== null) this.#ofSecond(second);
    this.#ofCollectors(collected);
  }

  get points(): Readonly<Record<string, number | null>> {
    return this.#points;
  }

  get charts(): TrendChart[] {
    return [...this.#charts.values()].map((chart) => ({ ...chart, lines: [...chart.lines.values()] }));
  }

  #ofSecond(second: LiveSecond): void {
    for (const [protocol, name] of PROTOCOLS) {
      const watchedMs = counterSum(second, 'watched_ms_total', { protocol });
      const stalledMs = counterSum(second, 'stalled_ms_total', { protocol });
      if (watchedMs !== null && watchedMs > 0 && stalledMs !== null) {
        this.#set('stalled', 'Time stalled', '%', name, (100 * stalledMs) / watchedMs);
      }
    }
    for (const [metric, title] of DELAY_TIERS) {
      for (const [protocol, name] of PROTOCOLS) {
        const value = percentileOf(second, metric, 95, { protocol });
        if (value !== null) this.#set(metric, title, 'ms', name, value);
      }
    }
    const bytes = counterSum(second, 'video_bytes_total');
    if (bytes !== null) this.#set('traffic', 'Video received', 'Mbit/s', 'all viewers', (8 * bytes) / 1e6);
    for (const kind of ['read', 'write']) {
      const value = percentileOf(second, 'api_ms', 95, { kind });
      if (value !== null) this.#set('api', 'API answers p95', 'ms', `${kind}s`, value);
    }
    const fanout = percentileOf(second, 'chat_fanout_ms', 95);
    if (fanout !== null) this.#set('chat', 'Chat delivery p95', 'ms', 'messages', fanout);
    this.#set('cpu', 'CPU', '%', 'busiest lab thread', second.self.workerCpuPercent);
  }

  #ofCollectors(collected: CollectedFigures): void {
    const parts = ['container', 'process', 'host'];
    for (const [source, value] of collected.bySource(parts, 'cpu_pct')) this.#set('cpu', 'CPU', '%', source, value);
    const memory = collected.bySource(['container', 'process'], 'mem_mb');
    for (const [source, value] of memory) this.#set('memory', 'Memory', 'MB', source, value);
    for (const [namespace, value] of collected.connections()) {
      this.#set('connections', 'Connections', '', `sockets ${namespace}`, value);
    }
    for (const [source, value] of collected.bySource(['srs', 'nginx'], 'connections')) {
      this.#set('connections', 'Connections', '', source, value);
    }
    for (const [source, value] of collected.bySource(['nginx'], 'active_connections')) {
      this.#set('connections', 'Connections', '', source, value);
    }
    for (const [source, value] of collected.bySource(['redis'], 'connected_clients')) {
      this.#set('connections', 'Connections', '', source, value);
    }
    for (const [source, value] of collected.bySource(['postgres'], 'connections')) {
      this.#set('connections', 'Connections', '', source, value);
    }
  }

  #set(id: string, title: string, unit: string, label: string, value: number | null): void {
    const chart = this.#charts.get(id) ?? { id, title, unit, limit: null, lines: new Map<string, Line>() };
    this.#charts.set(id, chart);
    const key = `${id}.${label}`;
    if (!chart.lines.has(key) && chart.lines.size >= LINES_MAX) return;
    chart.lines.set(key, { key, label });
    this.#points[key] = value === null ? null : Number(value.toPrecision(4));
  }
}
