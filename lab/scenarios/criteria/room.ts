/** What a member of the room sees: getting in, staying, chat. */
import type { Criterion } from '../../src/index.ts';

const MANDATORY = { isMandatory: true } as const;

/** What a member of the room sees. */
export const ROOM_CRITERIA: readonly Criterion[] = [
  {
    ...MANDATORY,
    id: 'room-join-success',
    title: 'Members who got into the room',
    meaning:
      'Joins acknowledged in every namespace, out of all attempts to connect; coming back after a loss is one more.',
    source: '5.1 #5 (T-203), 1.4 (T-30)',
    plane: 'realtime',
    measure: { kind: 'ratio', numerator: 'room_joins_total', denominator: 'socket_attempts_total', isFollowing: true },
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
    isMandatory: false,
    id: 'room-count',
    title: 'Members off from those who should be there, p95',
    meaning:
      'Members in the room against virtual members at work, by how many percent they differ in either direction.',
    source: '5.2 A4 (T-213)',
    gate: 'A4',
    plane: 'realtime',
    measure: {
      kind: 'level',
      metric: 'room_members',
      reduce: 'p95',
      versus: { metric: 'vus_active', where: { actor: 'room-member' } },
    },
    op: '<=',
    limit: 5,
    unit: 'percent',
    during: 'steady',
    samplesMin: 20, // somebody comes or goes in one slice: of fewer it would be the 95th percentile
  },
  {
    ...MANDATORY,
    id: 'chat-fanout-p95',
    title: 'Chat delivery, p95',
    meaning: 'From sending a message until another member has it.',
    source: '5.2 A5 (T-214), Readings 10',
    gate: 'A5',
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
    measure: { kind: 'ratio', numerator: 'chat_received_total', denominator: 'chat_expected_total', isFollowing: true },
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

/** Chat at the rate of the strategy: only for scenarios whose chatters send that much (Readings 9). */
export const CHAT_RATE_CRITERIA: readonly Criterion[] = [
  {
    ...MANDATORY,
    id: 'chat-rate',
    title: 'Chat messages per second',
    meaning: 'Messages that the room accepted, per second, over the whole steady phase.',
    source: '1.4 (T-31), Readings 9',
    plane: 'realtime',
    measure: { kind: 'rate', metric: 'chat_sent_total' },
    op: '>=',
    limit: 50,
    unit: 'per-second',
    during: 'steady',
    samplesMin: 30,
  },
];

/** Only where connections are made to break: without a loss there is nothing to judge. */
export const RECONNECT_CRITERIA: readonly Criterion[] = [
  {
    isMandatory: false,
    id: 'socket-reconnect-p95',
    title: 'Socket connection back, p95',
    meaning: 'From losing the connection until the member is in every namespace again.',
    source: '1.5 (T-38), Readings 13',
    plane: 'realtime',
    measure: { kind: 'percentile', metric: 'socket_reconnect_ms', percentile: 95 },
    op: '<',
    limit: 3000,
    unit: 'ms',
    during: 'run',
    samplesMin: 5,
  },
];
