import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { join } from 'node:path';
import { LIVE_EVENTS_PATH } from '@showfloor/protocol';
import { createTokenVerifier, type Logger, listen, type Registry } from '@showfloor/service-kit';
import { Server } from 'socket.io';
import { BatchDelay } from './chat/batch-delay.ts';
import { type ChatPolicy, chatRoomName, serveChat } from './chat/chat-namespace.ts';
import { ChatRooms } from './chat/chat-rooms.ts';
import { JournalFolder } from './chat/journal-folder.ts';
import { NamedShows } from './chat/named-shows.ts';
import { admit, endRevoked } from './identity/admission.ts';
import { Authentication } from './identity/authentication.ts';
import { ResumeTokens } from './identity/resume-tokens.ts';
import { Revocations } from './identity/revocations.ts';
import { countPerInterval, logChanges } from './interval-logs.ts';
import { Inbox } from './live-events/inbox.ts';
import { LiveEventRelay } from './live-events/live-event-relay.ts';
import { StreamStates } from './live-events/stream-states.ts';
import type { NodeGroup, NodeGroupOptions, RedisOptions } from './nodes/node-group.ts';
import { createRealtimeMetrics, registerGauges } from './realtime-metrics.ts';
import { serveRoot, streamRoom } from './root-namespace.ts';
import { Broadcaster } from './transport/broadcast.ts';
import { trustedProxies } from './transport/client-address.ts';
import { ConnectionGate } from './transport/connection-gate.ts';
import { originAllowed } from './transport/origin-policy.ts';
import { SlowConnections } from './transport/slow-connections.ts';
import { SocketEdge } from './transport/socket-edge.ts';
import { serveStreaming } from './viewers/streaming-namespace.ts';
import { ViewerRooms } from './viewers/viewer-rooms.ts';

/** I-48, I-49. Clients notice a dead connection by their own liveness check, not by these 85 s. */
const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 60_000;
/** Bar S7: the biggest packet a client may send. */
const CLIENT_FRAME_BYTES_MAX = 4_096;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 75_000; // nginx closes its side after 60 s
const REQUEST_TIMEOUT_MS = 15_000;
const DRAIN_MS = 1_500;

export type RealtimeOptions = {
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Journals are kept under `{dataDir}/chat`, revocations and the names of shows under `{dataDir}/realtime`. */
  readonly dataDir: string;
  readonly secrets: {
    readonly tokenPublicKeyPem: string;
    readonly webhookSecret: string;
    readonly resumeSecret: string;
  };
  readonly registry: Registry;
  readonly log: Logger;
  /** Empty: any origin on the host name that was asked. */
  readonly allowedOrigins?: readonly string[];
  /** Addresses or ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[];
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
  /** A room's journal is deleted when nobody has written to it for this long. */
  readonly chatRetentionDays?: number;
  /** What rooms allow beyond the limits of everyone. */
  readonly chatPolicy?: ChatPolicy;
  /** Joins this node with others, which need a `dataDir` of their own and the same `secrets`. Absent: it serves alone. */
  readonly redis?: RedisOptions | undefined;
};

/** A running plane. `close` tells clients to reconnect, writes the journals down and resolves when nothing is left open. */
export type RealtimePlane = {
  readonly port: number;
  readonly isListening: () => boolean;
  readonly close: () => Promise<void>;
};

export const CHAT_RETENTION_DAYS = 30;
export const CONNECTIONS_MAX = 20_000;
export const CONNECTIONS_PER_ADDRESS_MAX = 2_000;

/**
 * Starts the realtime plane: one HTTP server with Socket.IO, the inbox for signed events and `/health`. It calls no other
 * process. Throws `StartError` when the address cannot be used.
 */
export async function startRealtimePlane(options: RealtimeOptions): Promise<RealtimePlane> {
  const { log, registry, secrets } = options;
  const allowedOrigins = options.allowedOrigins ?? [];
  const metrics = createRealtimeMetrics(registry);
  const resumeTokens = new ResumeTokens(secrets.resumeSecret);
  const revocations = new Revocations(join(options.dataDir, 'realtime', 'revocations.jsonl'), Date.now());
  const verifyToken = await createTokenVerifier(secrets.tokenPublicKeyPem);
  const authentication = new Authentication(verifyToken, resumeTokens, revocations);

  const http = createServer((request, response) => answerHttp(request, response, inbox));
  http.keepAliveTimeout = KEEP_ALIVE_MS;
  http.requestTimeout = REQUEST_TIMEOUT_MS;
  const sockets = trackSockets(http);
  const viewers = new ViewerRooms();
  const isNamed = (liveId: string): boolean => namedShows.has(liveId);
  const { redis } = options;
  const group = redis === undefined ? null : await groupWith({ redis, metrics, log, viewers, isNamed });
  const io = new Server(http, {
    ...(group === null ? {} : { adapter: group.adapter() }),
    path: '/socket.io',
    serveClient: false,
    transports: ['websocket', 'polling'],
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: CLIENT_FRAME_BYTES_MAX,
    cors: (request, answer) =>
      answer(null, { origin: originAllowed(request.headers, allowedOrigins), credentials: true }),
  });

  const slow = new SlowConnections({
    connections: () => gate.connections,
    onEnded: () => metrics.connectionsEnded.inc({ cause: 'slow' }),
  });
  const gate = new ConnectionGate({
    allowedOrigins,
    proxies: trustedProxies(options.trustedProxies ?? []),
    connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
    connectionsPerAddressMax: options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX,
    metrics,
    endsIfSlow: (connection) => slow.endsIfSlow(connection),
  });
  gate.guard(io);

  const root = io.of('/');
  const chat = io.of('/chat');
  const streaming = io.of('/streaming');
  for (const namespace of [root, chat, streaming]) admit(namespace, authentication, metrics, log);

  const edge = new SocketEdge(metrics, log);
  const broadcaster = new Broadcaster(slow, (prebuilt, emitted) => {
    metrics.frames.inc({ path: 'prebuilt' }, prebuilt);
    if (emitted > 0) metrics.frames.inc({ path: 'emitted' }, emitted);
  });
  const states = new StreamStates();
  const batchDelay = new BatchDelay();
  const journalErrors = countPerInterval(log, 'chat_journal.failed');
  const namedShows = new NamedShows(join(options.dataDir, 'realtime', 'named-shows.txt'), (code) =>
    metrics.journalErrors.inc({ code }),
  );
  const journalFolder = new JournalFolder({
    path: join(options.dataDir, 'chat'),
    retentionDays: options.chatRetentionDays ?? CHAT_RETENTION_DAYS,
    isNamed,
    isInUse: (liveId) => chatRooms.isOpen(liveId),
    onEvicted: () => metrics.journalsEvicted.inc(),
    onError: (code) => metrics.journalErrors.inc({ code }),
  });
  const chatRooms = new ChatRooms({
    folder: journalFolder,
    shared: group?.chat,
    isNamed,
    publish: (batch) => broadcaster.send(chat, chatRoomName(batch.liveId), 'chat:messages', batch),
    membersOf: (liveId) => chat.adapter.rooms.get(chatRoomName(liveId))?.size ?? 0,
    delayMs: (members) => batchDelay.arrived(members, performance.now()),
    onDelivered: (elapsedMs) => metrics.chatDelivery.observe(elapsedMs / 1000),
    onApart: () => metrics.chatApart.inc(),
    onJournalError: (liveId, code) => {
      metrics.journalErrors.inc({ code });
      journalErrors.count({ liveId, code });
    },
  });
  serveRoot(root, edge, resumeTokens);
  serveChat({ namespace: chat, edge, rooms: chatRooms, metrics, policy: options.chatPolicy ?? (() => null) });
  const all = group?.allViewers;
  const streamingService = serveStreaming({
    namespace: streaming,
    edge,
    broadcaster,
    rooms: viewers,
    all,
    states,
    metrics,
  });

  const relay = new LiveEventRelay({
    states,
    toShoppers: (playbackId, event, payload) => broadcaster.send(root, streamRoom(playbackId), event, payload),
    toViewers: (playbackId, event, payload) => broadcaster.send(streaming, streamRoom(playbackId), event, payload),
    onNamed: (playbackId) => {
      if (namedShows.add(playbackId)) group?.showNamed(playbackId);
    },
    revoke: (userId, atMs) => {
      try {
        revocations.add(userId, atMs);
      } finally {
        // Also when it could not be written: it is in force.
        onRevoked();
        group?.userRevoked(userId, atMs);
      }
    },
  });
  const onRevoked = (): void => {
    for (const namespace of [root, chat, streaming]) endRevoked(namespace, revocations, metrics);
  };
  const onTaken = group === null ? undefined : group.share.bind(group);
  const inbox = new Inbox({ secret: secrets.webhookSecret, relay, metrics, log, onTaken });

  registerGauges(registry, {
    connections: () => countTransports(gate),
    namespaceSockets: () =>
      Object.fromEntries([root, chat, streaming].map((namespace) => [namespace.name, namespace.sockets.size])),
    viewers: () => viewers.totals(),
    chatRooms: () => chatRooms.size,
    redis: group === null ? null : () => group.state,
  });
  const counts = logChanges(log, 'connections.counted', () => ({
    connections: gate.connections.size,
    ...viewers.totals(),
  }));

  const namespaces = { root, chat, streaming };
  await group?.start({ namespaces, chatRooms, viewers, streamingService, inbox, revocations, onRevoked, namedShows });
  const port = await listen(http, { host: options.host, port: options.port });
  log.info({ port, allowedOrigins }, 'realtime.opened');
  return {
    port,
    isListening: () => http.listening,
    close: async () => {
      clearInterval(counts);
      slow.close();
      streamingService.close();
      await group?.leave();
      const closed = io.close(); // ends transports, not namespaces: clients come back by themselves
      await chatRooms.close();
      await journalFolder.close();
      group?.close();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, DRAIN_MS);
      await closed;
      clearTimeout(timer);
      journalErrors.close();
      log.info({}, 'realtime.closed');
    },
  };
}

/** The Redis client is loaded only where it is used: a node that serves alone keeps its memory. */
async function groupWith(options: NodeGroupOptions): Promise<NodeGroup> {
  const nodes = await import('./nodes/node-group.ts');
  return new nodes.NodeGroup(options);
}

function answerHttp(request: IncomingMessage, response: ServerResponse, inbox: Inbox): void {
  const path = (request.url ?? '/').split('?')[0];
  if (path === LIVE_EVENTS_PATH) {
    void inbox.handle(request, response);
  } else if (path === '/health') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
  } else {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"status":"not found"}');
  }
}

function countTransports(gate: ConnectionGate): Record<'websocket' | 'polling', number> {
  const counts = { websocket: 0, polling: 0 };
  for (const connection of gate.connections)
    counts[connection.transport.name === 'polling' ? 'polling' : 'websocket'] += 1;
  return counts;
}

/** Upgraded connections are unknown to `closeAllConnections`: these are the sockets to destroy after the drain. */
function trackSockets(http: ReturnType<typeof createServer>): ReadonlySet<NetSocket> {
  const sockets = new Set<NetSocket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
