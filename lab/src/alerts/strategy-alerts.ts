/** Every alert threshold of section 3 of the test strategy, and those of the gap analysis (1.3). */
import type { AlertRule, AlertSeverity } from './alert.ts';

const MINUTE_MS = 60_000;
/** Figures of five seconds swing; where the strategy names no time, this long. */
const SETTLED_MS = 30_000;

const PARTS = ['process', 'container'];
const MEDIA_SOURCE = /media|srs/i;

/** In the order of the document. */
export const STRATEGY_ALERTS: readonly AlertRule[] = [
  rule('container-cpu', '3.2', PARTS, 'cpu_pct', '>', 75, { forMs: MINUTE_MS, title: 'CPU over 75 % of a core' }),
  rule('container-memory', '3.2', PARTS, 'mem_pct', '>', 80, {
    title: 'memory over 80 % of its limit',
    severity: 'critical',
  }),
  rule('container-pids', '3.2', PARTS, 'pids', '>', 500, { title: 'more than 500 tasks' }),

  rule('nginx-rt-p95', '3.3', ['nginx'], 'rt_p95_ms', '>', 1000, { title: 'request time p95 over 1 s' }),
  rule('nginx-rt-p99', '3.3', ['nginx'], 'rt_p99_ms', '>', 2000, { title: 'request time p99 over 2 s' }),
  rule('nginx-4xx', '3.3', ['nginx'], 'error_4xx_pct', '>', 5, { title: '4xx over 5 % of requests' }),
  rule('nginx-5xx', '3.3', ['nginx'], 'error_5xx_pct', '>', 1, {
    title: '5xx over 1 % of requests',
    severity: 'critical',
  }),
  rule('nginx-499', '3.3', ['nginx'], 'error_499_pct', '>', 5, { title: 'clients give up over 5 % of requests' }),
  rule('nginx-502', '3.3', ['nginx'], 'error_502', '>', 0, {
    forMs: 0,
    title: '502: nobody answers behind the proxy',
    severity: 'critical',
  }),
  rule('nginx-504', '3.3', ['nginx'], 'error_504', '>', 0, {
    forMs: 0,
    title: '504: who is behind the proxy is too slow',
    severity: 'critical',
  }),
  rule('nginx-connections', '3.3', ['nginx'], 'active_connections', '>', 1500, { title: 'over 1500 connections' }),
  rule('nginx-connect-time', '3.3', ['nginx'], 'uct_p95_ms', '>', 100, {
    title: 'connecting upstream p95 over 100 ms',
  }),
  rule('nginx-upstream-time', '3.3', ['nginx'], 'urt_p95_ms', '>', 500, { title: 'upstream answer p95 over 500 ms' }),

  rule('media-clients', '3.4', ['srs'], 'clients', '>', 600, { title: 'over 600 clients' }),
  rule('media-streams', '3.4', ['srs'], 'streams', '!=', 1, { title: 'not exactly one stream is on air' }),
  rule('media-bitrate-low', '3.4', ['srs'], 'stream_recv_kbps', '<', 500, { title: 'less than 500 kbit/s come in' }),
  rule('media-bitrate-high', '3.4', ['srs'], 'stream_recv_kbps', '>', 6000, { title: 'over 6000 kbit/s come in' }),
  rule('media-publisher', '3.4', ['srs'], 'publish_active', '==', 0, {
    forMs: 0,
    title: 'the publisher is gone',
    severity: 'critical',
  }),
  rule('media-cpu', '3.4', PARTS, 'cpu_pct', '>', 70, {
    source: MEDIA_SOURCE,
    forMs: MINUTE_MS,
    title: 'media server: CPU over 70 % of a core',
  }),
  rule('media-frame-drops', '3.4', ['srs'], 'frame_drops_per_min', '>', 0, { forMs: 0, title: 'frames are dropped' }),
  rule('media-disconnects', '3.4', ['srs'], 'disconnects_per_min', '>', 10, {
    forMs: 0,
    title: 'over 10 clients gone within a minute',
  }),

  rule('sockets-root', '3.5', ['websocket'], 'root_connections', '>', 600, { title: 'over 600 sockets in /' }),
  rule('sockets-chat', '3.5', ['websocket'], 'chat_connections', '>', 600, { title: 'over 600 sockets in /chat' }),
  rule('sockets-streaming', '3.5', ['websocket'], 'streaming_connections', '>', 600, {
    title: 'over 600 sockets in /streaming',
  }),
  rule('chat-rate', '3.5', ['websocket'], 'chat_msg_per_sec', '>', 100, { title: 'over 100 chat messages per second' }),
  rule('viewer-count', '3.5', ['viewer-count'], 'delta_pct', '>', 5, { title: 'counts of viewers are over 5 % apart' }),
  rule('api-p95', '3.5', ['api'], 'p95_ms', '>', 500, { title: 'API p95 over 500 ms' }),
  rule('not-ready', '3.5', ['health'], 'status', '!=', 200, {
    forMs: 0,
    title: 'the platform says it is not ready',
    severity: 'critical',
  }),
  rule('event-loop-lag', '3.5', ['node'], 'event_loop_lag_p99_ms', '>', 100, {
    title: 'event loop p99 over 100 ms late',
  }),
  rule('heap', '3.5', ['node'], 'heap_used_mb', '>', 512, { title: 'heap over 512 MB' }),
  rule('external-memory', '3.5', ['node'], 'external_mb', '>', 256, { title: 'memory outside the heap over 256 MB' }),

  rule('redis-clients', '3.6', ['redis'], 'connected_clients', '>', 200, { title: 'over 200 clients' }),
  rule('redis-memory', '3.6', ['redis'], 'used_memory_mb', '>', 200, { title: 'over 200 MB in use' }),
  rule('redis-fragmentation', '3.6', ['redis'], 'mem_fragmentation_ratio', '>', 1.5, {
    title: 'fragmentation over 1.5',
  }),
  rule('redis-ops', '3.6', ['redis'], 'ops_per_sec', '>', 10_000, { title: 'over 10,000 commands per second' }),
  rule('redis-hit-rate', '3.6', ['redis'], 'hit_pct', '<', 90, { title: 'less than 90 % of lookups hit' }),
  rule('redis-evictions', '3.6', ['redis'], 'evicted_keys', '>', 0, {
    forMs: 0,
    title: 'keys are evicted: memory is full',
    severity: 'critical',
  }),

  rule('postgres-active', '3.7', ['postgres'], 'active_pct', '>', 80, {
    title: 'over 80 % of max_connections run a statement',
    severity: 'critical',
  }),
  rule('postgres-waiting', '3.7', ['postgres'], 'waiting', '>', 10, { title: 'over 10 sessions wait' }),
  rule('postgres-cache', '3.7', ['postgres'], 'cache_hit_pct', '<', 95, {
    title: 'less than 95 % of blocks in memory',
  }),
  rule('postgres-deadlocks', '3.7', ['postgres'], 'deadlocks', '>', 0, { forMs: 0, title: 'a deadlock' }),
  rule('postgres-slow', '3.7', ['postgres'], 'slow_statements', '>', 0, { forMs: 0, title: 'statements over 1 s' }),

  rule('media-cpu-85', 'G-29', PARTS, 'cpu_pct', '>', 85, {
    source: MEDIA_SOURCE,
    forMs: MINUTE_MS,
    title: 'media server: CPU over 85 % of a core',
    severity: 'critical',
  }),
  rule('redis-memory-80', 'G-30', ['redis'], 'used_memory_pct', '>', 80, {
    title: 'over 80 % of maxmemory',
    severity: 'critical',
  }),
  rule('postgres-connections', 'G-31', ['postgres'], 'connections_pct', '>', 85, {
    title: 'over 85 % of max_connections',
    severity: 'critical',
  }),
  rule('socket-refusals', 'G-33', ['websocket'], 'refused_pct', '>', 2, {
    forMs: 10 * MINUTE_MS,
    title: 'over 2 % of handshakes refused for 10 minutes',
  }),
];

/** A source without figures for this long is an alert of its own: nothing else can fire for it. */
export const DEAD_COLLECTOR = {
  id: 'collector-dead',
  section: '3.1',
  severity: 'warning',
  title: 'brings no figures',
  forMs: 15_000,
} as const;

type Details = {
  readonly title: string;
  readonly severity?: AlertSeverity;
  readonly forMs?: number;
  readonly source?: RegExp;
};

function rule(
  id: string,
  section: string,
  collectors: readonly string[],
  metric: string,
  op: AlertRule['op'],
  threshold: number,
  { title, severity = 'warning', forMs = SETTLED_MS, source }: Details,
): AlertRule {
  const base = { id, section, severity, title, collectors, metric, op, threshold, forMs };
  const clearAt = clearedAt(op, threshold);
  return {
    ...base,
    ...(source === undefined ? {} : { source }),
    ...(clearAt === threshold ? {} : { clearAt }),
  };
}

/** Five percent of the threshold on the good side, so that a value at the limit does not ring for ever. */
function clearedAt(op: AlertRule['op'], threshold: number): number {
  if (op === '>') return threshold * 0.95;
  return op === '<' ? threshold * 1.05 : threshold;
}
