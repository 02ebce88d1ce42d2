/**
 * Limits that several scenarios share, each with the rows of docs/requirements.md and the sections of the test strategy
 * that ask for it.
 */
import type { Criterion } from '../src/index.ts';

const MANDATORY = { isMandatory: true } as const;

/** How the three ways of watching differ in what is asked of them. */
const FLV = { protocol: 'flv', name: 'FLV', prefix: '', latencyId: 'flv-latency' } as const;
const HLS = { protocol: 'hls', name: 'HLS', prefix: 'hls-', latencyId: 'hls-latency' } as const;
const LLHLS = { protocol: 'llhls', name: 'LL-HLS', prefix: 'llhls-', latencyId: 'llhls-latency' } as const;
type Way = typeof FLV | typeof HLS | typeof LLHLS;

/** What every viewer sees, judged for one way of watching. */
function playback(
  way: Way,
  startupMsMax: number,
  latencyMsMax: number,
  startupSource: string,
  latencySource: string,
): Criterion[] {
  const { protocol, name, prefix, latencyId } = way;
  const where = { protocol };
  const video = { ...MANDATORY, plane: 'video', needs: protocol } as const;
  return [
    {
      ...video,
      id: `${prefix}start-success`,
      title: `${name} viewers who got a picture`,
      meaning: 'First pictures shown, out of all attempts to play.',
      source: 'T-18 (1.2), T-203 (5.1 #5)',
      measure: { kind: 'ratio', numerator: 'play_starts_total', denominator: 'play_attempts_total', where },
      op: '>',
      limit: 99,
      unit: 'percent',
      during: 'run',
      samplesMin: 5,
    },
    {
      ...video,
      id: `${prefix}startup-p95`,
      title: `${name}: time to first picture, p95`,
      meaning: 'From the planned moment of pressing play until the picture moves. Failed starts are counted above.',
      source: startupSource,
      measure: { kind: 'percentile', metric: 'startup_ms', percentile: 95, where },
      op: '<=',
      limit: startupMsMax,
      unit: 'ms',
      during: 'run',
      samplesMin: 5,
    },
    {
      ...video,
      id: `${prefix}rebuffer-ratio`,
      title: `${name}: time spent stalled`,
      meaning: 'Stalled time of all viewers together, out of the time they watched (CTA-2066; a ratio of sums).',
      source: 'T-17 (1.2), T-202 (5.1 #4), Readings 3',
      measure: { kind: 'ratio', numerator: 'stalled_ms_total', denominator: 'watched_ms_total', where },
      op: '<',
      limit: 1,
      unit: 'percent',
      during: 'steady',
      samplesMin: 10_000,
    },
    {
      ...video,
      id: `${latencyId}-p95`,
      title: `${name}: glass-to-glass delay (tier A), p95`,
      meaning: 'Age of the picture when the player shows it, by the capture time inside the picture.',
      source: latencySource,
      measure: { kind: 'percentile', metric: 'latency_capture_ms', percentile: 95, where },
      needsClock: true,
      op: '<=',
      limit: latencyMsMax,
      unit: 'ms',
      during: 'steady',
      samplesMin: 30,
    },
  ];
}

/** What a viewer of HTTP-FLV sees. */
export const VIDEO_CRITERIA: readonly Criterion[] = [
  ...playback(FLV, 3000, 3000, 'T-14 (1.1), Readings 15', 'T-11 (1.1), T-205 (5.1 #7), Readings 26 and 28'),
  {
    isMandatory: false,
    id: 'flv-latency-ingest-p95',
    title: 'FLV: ingest-to-glass delay, p95',
    meaning: 'Age of the picture since the media server received it: a tier of its own, without the way to the server.',
    source: 'T-11 (1.1), Readings 28',
    plane: 'video',
    needs: 'flv',
    measure: { kind: 'percentile', metric: 'latency_ingest_ms', percentile: 95, where: { protocol: 'flv' } },
    needsClock: true,
    op: '<=',
    limit: 3000,
    unit: 'ms',
    during: 'steady',
    samplesMin: 5,
  },
];

/** What a viewer of HLS, classic or low-latency, must not meet: the protocol's own rules. */
function hlsRules(way: typeof HLS | typeof LLHLS): Criterion[] {
  const { protocol, name, prefix } = way;
  const where = { protocol };
  const zero = (
    rule: Readonly<{
      id: string;
      title: string;
      meaning: string;
      source: string;
      metric: string;
      outOf: string;
      isMandatory: boolean;
    }>,
  ): Criterion => ({
    id: `${prefix}${rule.id}`,
    title: `${name}: ${rule.title}`,
    meaning: rule.meaning,
    source: rule.source,
    plane: 'video',
    needs: protocol,
    isMandatory: rule.isMandatory,
    measure: { kind: 'count', metric: rule.metric, outOf: rule.outOf, where },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  });
  const share = (
    rule: Readonly<{
      id: string;
      title: string;
      meaning: string;
      source: string;
      numerator: string;
      denominator: string;
    }>,
  ): Criterion => ({
    id: `${prefix}${rule.id}`,
    title: `${name}: ${rule.title}`,
    meaning: rule.meaning,
    source: rule.source,
    plane: 'video',
    needs: protocol,
    isMandatory: false,
    measure: { kind: 'ratio', numerator: rule.numerator, denominator: rule.denominator, where },
    op: '<',
    limit: 1,
    unit: 'percent',
    during: 'steady',
    samplesMin: 30,
  });
  return [
    zero({
      id: 'missing',
      title: 'listed and not there',
      meaning: 'Segments, parts and init segments that the list named and the server answered with 4xx.',
      source: 'G-48 (2 row 3), qoe 2.4',
      metric: 'hls_fragments_missing_total',
      outOf: 'hls_fragments_total',
      isMandatory: true,
    }),
    zero({
      id: 'sequence-gaps',
      title: 'media left out',
      meaning:
        'Times that a viewer had to skip media: the window moved on, numbers were never listed, or nothing came.',
      source: 'G-48 (2 row 3), G-56 (3), qoe 2.4',
      metric: 'hls_sequence_gaps_total',
      outOf: 'hls_fragments_total',
      isMandatory: true,
    }),
    zero({
      id: 'regressions',
      title: 'numbers that went back',
      meaning: 'Lists whose media sequence is below that of the list before: players get stuck on it.',
      source: 'qoe 2.4',
      metric: 'hls_sequence_regressions_total',
      outOf: 'hls_list_changes_total',
      isMandatory: true,
    }),
    zero({
      id: 'renumbered',
      title: 'numbers skipped or repeated',
      meaning: 'Lists that give a segment another number than it had.',
      source: 'G-48 (2 row 3), qoe 2.4',
      metric: 'hls_sequence_renumbered_total',
      outOf: 'hls_list_changes_total',
      isMandatory: true,
    }),
    zero({
      id: 'pts-breaks',
      title: 'timestamps that do not go on',
      meaning: 'Fragments that do not begin where the one before ended, without a discontinuity; sampled viewers.',
      source: 'qoe 2.4',
      metric: 'hls_pts_breaks_total',
      outOf: 'hls_fragments_read_total',
      isMandatory: true,
    }),
    zero({
      id: 'own-reloads',
      title: 'lists our viewers asked for too early',
      meaning: 'The lab checks itself: its viewers wait as long as RFC 8216, 6.3.4 wants.',
      source: 'qoe 2.4',
      metric: 'hls_reloads_too_early_total',
      outOf: 'hls_reloads_total',
      isMandatory: true,
    }),
    zero({
      id: 'staleness',
      title: 'lists older than they may be',
      meaning: 'Times that a list was proven unchanged for more than 1.5 target durations.',
      source: 'G-57 (3), qoe 2.4, RFC 8216 6.2.2',
      metric: 'hls_list_stale_total',
      outOf: 'hls_list_changes_total',
      isMandatory: false,
    }),
    zero({
      id: 'duration-lies',
      title: 'listed durations that are wrong',
      meaning: 'Fragments that last 100 ms more or less than the list says; sampled viewers.',
      source: 'qoe 2.4',
      metric: 'hls_duration_lies_total',
      outOf: 'hls_fragments_read_total',
      isMandatory: false,
    }),
    share({
      id: 'late-share',
      title: 'fragments slower than real time',
      meaning: 'Segments and parts that took longer to fetch than they last: comes before stalls do.',
      source: 'qoe 2.4',
      numerator: 'hls_fragments_late_total',
      denominator: 'hls_fragments_total',
    }),
    share({
      id: 'rebuffer-rate',
      title: 'stalls per fragment',
      meaning:
        'Stalls out of segments and parts fetched: the other way of counting; the share of stalled time decides.',
      source: 'T-16 (1.2), T-202 (5.1 #4), Readings 3',
      numerator: 'stalls_total',
      denominator: 'hls_fragments_total',
    }),
    {
      isMandatory: false,
      id: `${prefix}latency-pdt-p95`,
      title: `${name}: delay by PROGRAM-DATE-TIME (tier C), p95`,
      meaning: 'Age of the picture by the clock of the packager: a tier of its own, which may leave out the encoder.',
      source: 'T-12 (1.1), Readings 28',
      plane: 'video',
      needs: protocol,
      measure: { kind: 'percentile', metric: 'latency_pdt_ms', percentile: 95, where },
      needsClock: true,
      op: '<=',
      limit: protocol === 'hls' ? 8000 : 3500,
      unit: 'ms',
      during: 'steady',
      samplesMin: 30,
    },
  ];
}

/** What a viewer of classic HLS sees. p95 of the delay is stricter than the average that 5.1 #6 names. */
export const HLS_CRITERIA: readonly Criterion[] = [
  ...playback(HLS, 6000, 8000, 'T-15 (1.1), Readings 15', 'T-12 (1.1), T-204 (5.1 #6), Readings 2, 27 and 28'),
  ...hlsRules(HLS),
];

/** What a viewer of LL-HLS sees. */
export const LLHLS_CRITERIA: readonly Criterion[] = [
  ...playback(LLHLS, 3000, 3500, 'T-15 (1.1), Readings 15', 'T-12 (1.1), Readings 27 and 28'),
  ...hlsRules(LLHLS),
  {
    isMandatory: false,
    id: 'llhls-blocking-overrun-p95',
    title: 'LL-HLS: blocking reloads that come late, p95',
    meaning: 'How much later than the next part was due the list with it came.',
    source: 'qoe 2.4',
    plane: 'video',
    needs: 'llhls',
    measure: { kind: 'percentile', metric: 'hls_blocking_overrun_ms', percentile: 95 },
    op: '<=',
    limit: 200,
    unit: 'ms',
    during: 'steady',
    samplesMin: 30,
  },
];

/** What a member of the room sees. */
export const ROOM_CRITERIA: readonly Criterion[] = [
  {
    ...MANDATORY,
    id: 'room-join-success',
    title: 'Members who got into the room',
    meaning:
      'Joins acknowledged in every namespace, out of all attempts to connect; coming back after a loss is one more.',
    source: 'T-203 (5.1 #5)',
    plane: 'realtime',
    measure: { kind: 'ratio', numerator: 'room_joins_total', denominator: 'socket_attempts_total' },
    op: '>',
    limit: 99,
    unit: 'percent',
    during: 'run',
    samplesMin: 5,
  },
  {
    isMandatory: false,
    id: 'socket-losses',
    title: 'Connections lost, joins refused',
    meaning: 'Members whose connection broke, or whom the room turned away.',
    source: 'qoe 2.5',
    plane: 'realtime',
    measure: { kind: 'count', metric: 'socket_failures_total', outOf: 'socket_attempts_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  },
  {
    ...MANDATORY,
    id: 'socket-connect-p95',
    title: 'Socket connection, p95',
    meaning: 'From opening the WebSocket until a namespace answers; all namespaces together.',
    source: 'I-113 (KPI WebSocket)',
    plane: 'realtime',
    measure: { kind: 'percentile', metric: 'socket_connect_ms', percentile: 95 },
    op: '<',
    limit: 500,
    unit: 'ms',
    during: 'run',
    samplesMin: 5,
  },
  {
    ...MANDATORY,
    id: 'chat-fanout-p95',
    title: 'Chat delivery, p95',
    meaning: 'From sending a message until another member has it.',
    source: 'T-214 (5.2 A5), Readings 10',
    plane: 'realtime',
    measure: { kind: 'percentile', metric: 'chat_fanout_ms', percentile: 95 },
    op: '<',
    limit: 200,
    unit: 'ms',
    during: 'steady',
    samplesMin: 30,
  },
  {
    ...MANDATORY,
    id: 'chat-delivery',
    title: 'Chat messages that arrived',
    meaning: 'Messages received, out of messages that were not refused × members in the room when they were sent.',
    source: 'qoe 2.5, I-51',
    plane: 'realtime',
    measure: { kind: 'ratio', numerator: 'chat_received_total', denominator: 'chat_expected_total' },
    op: '>',
    limit: 99.9,
    unit: 'percent',
    during: 'run',
    samplesMin: 30,
  },
  chatTrouble(
    'chat-unacknowledged',
    'Chat messages without an answer',
    'No acknowledgement within 10 s, or none before the connection was gone.',
    'chat_unacknowledged_total',
  ),
  chatTrouble(
    'chat-errors',
    'Chat messages refused',
    'Refused for any other reason than a rate limit.',
    'chat_errors_total',
  ),
  {
    ...MANDATORY,
    id: 'chat-duplicates',
    title: 'Chat messages received twice',
    meaning: 'The same message again at the same member.',
    source: 'qoe 2.5, bar R3',
    plane: 'realtime',
    measure: { kind: 'count', metric: 'chat_duplicates_total', outOf: 'chat_received_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  },
];

function chatTrouble(id: string, title: string, meaning: string, metric: string): Criterion {
  return {
    ...MANDATORY,
    id,
    title,
    meaning,
    source: 'qoe 2.5',
    plane: 'realtime',
    measure: { kind: 'count', metric, outOf: 'chat_messages_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  };
}

/** What a shopper sees, and what no shopper may ever see. */
export const SHOP_CRITERIA: readonly Criterion[] = [
  {
    ...MANDATORY,
    id: 'api-errors',
    title: 'API errors',
    meaning: '5xx, time-outs, broken connections and unexpected refusals. Sold out and rate limits are not errors.',
    source: 'T-207 (5.1 #9), T-33 (1.4), Readings 12',
    plane: 'commerce',
    measure: { kind: 'count', metric: 'api_errors_total', outOf: 'api_requests_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 5,
  },
  apiLatency('read', 500),
  apiLatency('write', 1000),
  zeroTolerance(
    'oversold',
    'Units sold that were not there',
    'oversold_units_total',
    'shop_units_checked_total',
    'bar C1',
  ),
  zeroTolerance('negative-stock', 'Stock shown below zero', 'negative_stock_total', 'shop_stock_reads_total', 'bar R6'),
  zeroTolerance(
    'duplicate-orders',
    'Orders placed twice',
    'duplicate_orders_total',
    'orders_rechecked_total',
    'bar C5',
  ),
  zeroTolerance('cart-total', 'Carts with a wrong total', 'cart_total_mismatches_total', 'shop_carts_total', 'qoe 2.5'),
  {
    isMandatory: false,
    id: 'orders-undecided',
    title: 'Orders left undecided',
    meaning: 'Neither paid nor refused after the shopper asked many times with the same key.',
    source: 'bar C5',
    plane: 'commerce',
    measure: { kind: 'count', metric: 'orders_undecided_total', outOf: 'checkouts_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  },
];

function apiLatency(kind: 'read' | 'write', limit: number): Criterion {
  return {
    ...MANDATORY,
    id: `api-${kind}-p95`,
    title: kind === 'read' ? 'API reads, p95' : 'API writes, p95',
    meaning: 'From the moment the request was planned until its answer was whole.',
    source: 'T-34 (1.4), T-208 (5.1 #10), Readings 11',
    plane: 'commerce',
    measure: { kind: 'percentile', metric: 'api_ms', percentile: 95, where: { kind } },
    op: '<',
    limit,
    unit: 'ms',
    during: 'run',
    samplesMin: 5,
  };
}

function zeroTolerance(id: string, title: string, metric: string, outOf: string, source: string): Criterion {
  return {
    ...MANDATORY,
    id,
    title,
    meaning: 'Zero tolerance: one is too many.',
    source,
    plane: 'commerce',
    measure: { kind: 'count', metric, outOf },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  };
}
