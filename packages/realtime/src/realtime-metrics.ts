import { Counter, Gauge, Histogram, type Registry } from '@showfloor/service-kit';

/** What is looked up when the metrics are read. */
export type RealtimeGauges = {
  readonly connections: () => Readonly<Record<'websocket' | 'polling', number>>;
  readonly namespaceSockets: () => Readonly<Record<string, number>>;
  readonly viewers: () => { readonly viewers: number; readonly rooms: number; readonly peak: number };
  readonly chatRooms: () => number;
  /** Null: this node serves alone, no Redis is configured. */
  readonly redis: (() => { readonly isJoined: boolean; readonly eventsWaiting: number }) | null;
};

const count = <L extends string>(registry: Registry, name: string, help: string, labelNames: readonly L[] = []) =>
  new Counter({ name, help, labelNames, registers: [registry] });

/** Every counter and histogram of the plane (G-65 … G-68). Labels have few, fixed values: never a room, user or address. */
export function createRealtimeMetrics(registry: Registry) {
  return {
    connectionsOpened: count(registry, 'realtime_connections_opened_total', 'Connections accepted'),
    connectionsRefused: count(registry, 'realtime_connections_refused_total', 'Handshakes refused', ['reason']),
    connectionsEnded: count(registry, 'realtime_connections_ended_total', 'Connections we ended, by cause', ['cause']),
    authentications: count(registry, 'realtime_authentications_total', 'Namespace handshakes by outcome', ['outcome']),
    viewerJoins: count(registry, 'realtime_viewer_joins_total', 'Viewers that joined a room'),
    viewerLeaves: count(registry, 'realtime_viewer_leaves_total', 'Viewers that left a room'),
    chatMessages: count(registry, 'realtime_chat_messages_total', 'Chat messages taken'),
    chatDuplicates: count(registry, 'realtime_chat_duplicates_total', 'Messages sent again by their client'),
    refusals: count(registry, 'realtime_refusals_total', 'Client events refused', ['event', 'reason']),
    frames: count(registry, 'realtime_broadcast_frames_total', 'Frames to room members', ['path']),
    journalErrors: count(registry, 'realtime_chat_journal_errors_total', 'Failed journal reads and writes', ['code']),
    journalsEvicted: count(
      registry,
      'realtime_chat_journals_evicted_total',
      'Journals of rooms that no event has named, deleted for want of room',
    ),
    inbox: count(registry, 'realtime_inbox_events_total', 'Events delivered to the inbox', ['result']),
    chatApart: count(
      registry,
      'realtime_chat_apart_total',
      'Messages placed by this node alone because Redis was gone',
    ),
    redisJoins: count(registry, 'realtime_redis_joins_total', 'Attempts to join the other nodes', ['outcome']),
    redisPartings: count(registry, 'realtime_redis_partings_total', 'Times this node went on alone, by cause', [
      'cause',
    ]),
    redisFailures: count(registry, 'realtime_redis_failures_total', 'Commands Redis did not do in time', ['command']),
    redisDuration: new Histogram({
      name: 'realtime_redis_command_duration_seconds',
      help: 'From sending a command to its answer',
      labelNames: ['command'] as const,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
      registers: [registry],
    }),
    sharedEvents: count(registry, 'realtime_shared_events_total', 'Events of the common log', ['result']),
    sharedEventsDropped: count(
      registry,
      'realtime_shared_events_dropped_total',
      'Events taken while Redis was gone that the other nodes never hear of',
    ),
    sharedMalformed: count(registry, 'realtime_shared_malformed_total', 'Messages between nodes that are none'),
    chatDelivery: new Histogram({
      name: 'realtime_chat_delivery_seconds',
      help: 'From taking a chat message to writing it to its room, journal and batching included',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1],
      registers: [registry],
    }),
    eventAge: new Histogram({
      name: 'realtime_live_event_age_seconds',
      help: 'From the instant a live event happened to writing it to its room',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30],
      registers: [registry],
    }),
  };
}

export type RealtimeMetrics = ReturnType<typeof createRealtimeMetrics>;

/** Gauges read what is there at the moment of the scrape, so they cannot drift. */
export function registerGauges(registry: Registry, gauges: RealtimeGauges): void {
  new Gauge({
    name: 'realtime_connections',
    help: 'Open connections by transport',
    labelNames: ['transport'] as const,
    registers: [registry],
    collect() {
      for (const [transport, value] of Object.entries(gauges.connections())) this.set({ transport }, value);
    },
  });
  new Gauge({
    name: 'realtime_namespace_connections',
    help: 'Sockets per namespace',
    labelNames: ['namespace'] as const,
    registers: [registry],
    collect() {
      for (const [namespace, value] of Object.entries(gauges.namespaceSockets())) this.set({ namespace }, value);
    },
  });
  gauge(registry, 'realtime_viewers', 'Viewers in all rooms', () => gauges.viewers().viewers);
  gauge(registry, 'realtime_viewer_rooms', 'Rooms with a viewer', () => gauges.viewers().rooms);
  gauge(registry, 'realtime_room_viewers_peak', 'Viewers in the biggest room so far', () => gauges.viewers().peak);
  gauge(registry, 'realtime_chat_rooms', 'Chat rooms in memory', () => gauges.chatRooms());
  const { redis } = gauges;
  if (redis === null) return;
  gauge(registry, 'realtime_redis_joined', 'Whether this node is joined with the others', () =>
    redis().isJoined ? 1 : 0,
  );
  gauge(registry, 'realtime_shared_events_waiting', 'Events that wait for Redis', () => redis().eventsWaiting);
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
