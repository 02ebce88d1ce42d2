/** The series of one member of a room. */
import type { Counter, Gauge, Recorder, Trend } from '../metrics/recorder.ts';

/** Handles to record with; names are documented in `metric-catalogue.ts`. */
export type RoomMetrics = {
  readonly connectMs: ReadonlyMap<string, Trend>;
  readonly joinMs: Trend;
  readonly reconnectMs: Trend;
  readonly ackMs: Trend;
  readonly fanoutMs: Trend;
  readonly members: Gauge;
  readonly attempts: Counter;
  readonly joins: Counter;
  readonly failures: Counter;
  readonly messages: Counter;
  readonly sent: Counter;
  readonly expected: Counter;
  readonly received: Counter;
  readonly duplicates: Counter;
  readonly inversions: Counter;
  readonly refused: Counter;
  readonly errors: Counter;
  readonly unacknowledged: Counter;
  readonly dropped: Counter;
};

/** Interns the series for one group. */
export function createRoomMetrics(recorder: Recorder, group: string, namespaces: readonly string[]): RoomMetrics {
  const tags = { group };
  const connect = namespaces.map(
    (namespace) => [namespace, recorder.trend('socket_connect_ms', { ...tags, namespace })] as const,
  );
  return {
    connectMs: new Map(connect),
    joinMs: recorder.trend('room_join_ms', tags),
    reconnectMs: recorder.trend('socket_reconnect_ms', tags),
    ackMs: recorder.trend('chat_ack_ms', tags),
    fanoutMs: recorder.trend('chat_fanout_ms', tags),
    members: recorder.gauge('room_members', tags),
    attempts: recorder.counter('socket_attempts_total', tags),
    joins: recorder.counter('room_joins_total', tags),
    failures: recorder.counter('socket_failures_total', tags),
    messages: recorder.counter('chat_messages_total', tags),
    sent: recorder.counter('chat_sent_total', tags),
    expected: recorder.counter('chat_expected_total', tags),
    received: recorder.counter('chat_received_total', tags),
    duplicates: recorder.counter('chat_duplicates_total', tags),
    inversions: recorder.counter('chat_inversions_total', tags),
    refused: recorder.counter('chat_refused_total', tags),
    errors: recorder.counter('chat_errors_total', tags),
    unacknowledged: recorder.counter('chat_unacknowledged_total', tags),
    dropped: recorder.counter('dropped_iterations_total', tags),
  };
}
