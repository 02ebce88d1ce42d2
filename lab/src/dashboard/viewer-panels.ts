/** What the virtual users see: streaming health by way of watching, the API, the room, and the generator itself. */
import type { GuardLimits, SelfSample } from '../engine/guard.ts';
import { formatNumber, formatValue } from '../report/sentences.ts';
import type { CollectedFigures } from './collected-figures.ts';
import type { Panel, Tile } from './dashboard-frame.ts';
import { gaugeSum, type LiveSecond } from './live-second.ts';
import { type FigureSpec, type FigureUnit, percentile, rate, ratio, ShownFigure } from './shown-figure.ts';

/** Ways of watching: value of the tag `protocol`, and its name for people. */
export const PROTOCOLS = [
  ['flv', 'FLV'],
  ['hls', 'HLS'],
  ['llhls', 'LL-HLS'],
] as const;
/** One of {@link PROTOCOLS}. */
export type Protocol = (typeof PROTOCOLS)[number][0];

/** Rows of the table of ways of watching. Tiers of delay are rows of their own: they are never merged. */
const PLAYBACK_ROWS: readonly (readonly [
  label: string,
  unit: FigureUnit,
  measure: (p: Protocol) => FigureSpec['measure'],
])[] = [
  ['got a picture', 'percent', (protocol) => ratio('play_starts_total', 'play_attempts_total', { protocol })],
  ['first picture, p50', 'ms', (protocol) => percentile('startup_ms', 50, { protocol })],
  ['first picture, p95', 'ms', (protocol) => percentile('startup_ms', 95, { protocol })],
  ['time stalled', 'percent', (protocol) => ratio('stalled_ms_total', 'watched_ms_total', { protocol })],
  ['stalls', 'rate', (protocol) => rate('stalls_total', { protocol })],
  ['delay A, glass to glass, p95', 'ms', (protocol) => percentile('latency_capture_ms', 95, { protocol })],
  ['delay from ingest, p95', 'ms', (protocol) => percentile('latency_ingest_ms', 95, { protocol })],
  ['delay C, packager clock, p95', 'ms', (protocol) => percentile('latency_pdt_ms', 95, { protocol })],
  ['delay D, behind the edge, p95', 'ms', (protocol) => percentile('latency_edge_ms', 95, { protocol })],
];

const API_FIGURES: readonly FigureSpec[] = [
  { label: 'requests', unit: 'rate', measure: rate('api_requests_total') },
  { label: 'errors', unit: 'percent', measure: ratio('api_errors_total', 'api_requests_total'), warnAbove: 1 },
  { label: 'reads p50', unit: 'ms', measure: percentile('api_ms', 50, { kind: 'read' }) },
  { label: 'reads p95', unit: 'ms', measure: percentile('api_ms', 95, { kind: 'read' }), warnAbove: 500 },
  { label: 'reads p99', unit: 'ms', measure: percentile('api_ms', 99, { kind: 'read' }), warnAbove: 1000 },
  { label: 'writes p50', unit: 'ms', measure: percentile('api_ms', 50, { kind: 'write' }) },
  { label: 'writes p95', unit: 'ms', measure: percentile('api_ms', 95, { kind: 'write' }), warnAbove: 1000 },
  { label: 'writes p99', unit: 'ms', measure: percentile('api_ms', 99, { kind: 'write' }), warnAbove: 2000 },
  { label: 'orders paid', unit: 'rate', measure: rate('orders_paid_total') },
];

const ROOM_FIGURES: readonly FigureSpec[] = [
  { label: 'messages', unit: 'rate', measure: rate('chat_messages_total') },
  { label: 'arrived', unit: 'percent', measure: ratio('chat_received_total', 'chat_expected_total') },
  { label: 'delivery p95', unit: 'ms', measure: percentile('chat_fanout_ms', 95), warnAbove: 200 },
  { label: 'acknowledged p95', unit: 'ms', measure: percentile('chat_ack_ms', 95) },
  { label: 'connections lost', unit: 'rate', measure: rate('socket_failures_total'), warnAbove: 0 },
  { label: 'back in p95', unit: 'ms', measure: percentile('socket_reconnect_ms', 95), warnAbove: 3000 },
];

/** One run; fed second by second. */
export class ViewerPanels {
  readonly #playback = PLAYBACK_ROWS.map(([label, unit, measure]) => ({
    label,
    cells: PROTOCOLS.map(([protocol]) => new ShownFigure({ label, unit, measure: measure(protocol) })),
  }));
  readonly #traffic = new ShownFigure({ label: 'video received', unit: 'bits', measure: rate('video_bytes_total') });
  readonly #api = API_FIGURES.map((spec) => new ShownFigure(spec));
  readonly #room = ROOM_FIGURES.map((spec) => new ShownFigure(spec));
  readonly #connects = new Map<string, ShownFigure>();
  #latest: LiveSecond | null = null;

  addSecond(second: LiveSecond): void {
    this.#latest = second;
    for (const namespace of namespacesOf(second)) {
      if (this.#connects.has(namespace) || this.#connects.size >= NAMESPACES_MAX) continue;
      const measure = percentile('socket_connect_ms', 95, { namespace });
      this.#connects.set(namespace, new ShownFigure({ label: namespace, unit: 'ms', measure }));
    }
    const all = [...this.#playback.flatMap(({ cells }) => cells), this.#traffic, ...this.#api, ...this.#room];
    for (const figure of [...all, ...this.#connects.values()]) figure.addSecond(second);
  }

  /** `watching`: viewers by way of watching now. */
  streaming(watching: ReadonlyMap<Protocol, number>, collected: CollectedFigures): Panel {
    const used = PROTOCOLS.map(([protocol], index) => ({ protocol, index })).filter(
      ({ protocol, index }) =>
        (watching.get(protocol) ?? 0) > 0 || this.#playback.some(({ cells }) => cells[index]?.isKnown === true),
    );
    const rows = this.#playback
      .filter(({ cells }) => cells.some(({ isKnown }) => isKnown))
      .map(({ label, cells }) => [label, ...used.map(({ index }) => cells[index]?.text ?? '–')]);
    const viewers = ['viewers', ...used.map(({ protocol }) => formatNumber(watching.get(protocol) ?? 0))];
    return {
      id: 'streaming',
      title: 'Streaming',
      tiles: [...shown([this.#traffic]), ...collected.streaming()],
      table:
        used.length === 0
          ? null
          : {
              head: ['last minute', ...used.map(({ index }) => PROTOCOLS[index]?.[1] ?? '')],
              rows: [viewers, ...rows],
            },
      groups: [],
      empty: 'Nobody watches, and no collector looks at a media server.',
    };
  }

  api(collected: CollectedFigures): Panel {
    return {
      id: 'api',
      title: 'API',
      tiles: shown(this.#api),
      table: null,
      groups: collected.http(),
      empty: 'No shopper is at work, and no collector looks at a web server.',
    };
  }

  websocket(collected: CollectedFigures): Panel {
    const connections = collected.connections();
    const namespaces = new Set([...connections.keys(), ...this.#connects.keys()]);
    const members = this.#latest === null ? null : gaugeSum(this.#latest, 'room_members');
    const rows = [...namespaces].map((namespace) => [
      namespace,
      connections.has(namespace) ? formatNumber(connections.get(namespace) ?? 0) : '–',
      this.#connects.get(namespace)?.text ?? '–',
    ]);
    const inRoom: Tile[] =
      members === null ? [] : [{ label: 'members in the room', value: formatNumber(members), tone: 'calm' }];
    return {
      id: 'websocket',
      title: 'WebSocket',
      tiles: [...inRoom, ...shown(this.#room), ...collected.room()],
      table: rows.length === 0 ? null : { head: ['namespace', 'sockets', 'connecting, p95'], rows },
      groups: [],
      empty: 'Nobody is in a room, and no collector looks at a realtime server.',
    };
  }

  generator(self: SelfSample, guard: GuardLimits, taintedSeconds: number): Panel {
    const tile = (label: string, value: number, unit: 'ms' | 'percent', limit: number): Tile => ({
      label,
      value: formatValue(value, unit),
      tone: value > limit ? 'bad' : 'calm',
    });
    return {
      id: 'generator',
      title: 'The lab itself',
      tiles: [
        tile('loop delay p99', self.loopDelayP99Ms, 'ms', guard.loopDelayP99MsMax),
        tile('busiest thread', self.workerCpuPercent, 'percent', guard.workerCpuPercentMax),
        tile('timers late p99', self.timerLatenessP99Ms, 'ms', guard.timerLatenessP99MsMax),
        tile('memory', self.memoryPercent, 'percent', guard.memoryPercentMax),
        { label: 'tainted seconds', value: formatNumber(taintedSeconds), tone: taintedSeconds > 0 ? 'warn' : 'calm' },
      ],
      table: null,
      groups: [],
      empty: '',
    };
  }
}

const NAMESPACES_MAX = 16;

function namespacesOf({ trends }: LiveSecond): string[] {
  return [...trends.keys()].flatMap((key) => /^socket_connect_ms\{.*\bnamespace=([^,}]+)/.exec(key)?.[1] ?? []);
}

function shown(figures: readonly ShownFigure[]): Tile[] {
  return figures.filter(({ isKnown }) => isKnown).map(({ tile }) => tile);
}
