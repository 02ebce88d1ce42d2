import { randomUUID } from 'node:crypto';
import type { LiveEvent, SessionRevoked } from '@showfloor/protocol';
import type { Logger } from '@showfloor/service-kit';
import type { Namespace, ServerOptions } from 'socket.io';
import type { ChatRooms } from '../chat/chat-rooms.ts';
import { NAMED_SHOWS_MAX, type NamedShows } from '../chat/named-shows.ts';
import type { SharedChat } from '../chat/shared-chat.ts';
import { RESUME_LIFE_MS } from '../identity/resume-tokens.ts';
import { REVOCATIONS_MAX, type Revocations } from '../identity/revocations.ts';
import type { Inbox } from '../live-events/inbox.ts';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import type { AllViewers, StreamingService } from '../viewers/streaming-namespace.ts';
import type { ViewerRooms } from '../viewers/viewer-rooms.ts';
import { redisAdapter } from './adapter-client.ts';
import { CHAT_SCRIPTS, UNNAMED_ROOMS_KEY } from './chat-scripts.ts';
import { hearNodes, type NodeMessages, tellNodes } from './node-messages.ts';
import { orNull, RedisLink } from './redis-link.ts';
import { SharedChatInRedis } from './shared-chat-in-redis.ts';
import { EVENT_SCRIPTS, SharedEvents } from './shared-events.ts';
import { SharedRegister } from './shared-register.ts';
import { SharedViewers, VIEWER_SCRIPTS } from './shared-viewers.ts';

export const HEARTBEAT_MS = 5_000;
/** A show is spoken of at least this often while it matters. */
const SHOW_LIFE_MS = 30 * 24 * 60 * 60 * 1000;

/** Where the other realtime nodes are met. */
export type RedisOptions = {
  /** `redis://` or `rediss://`; may hold a password. */
  readonly url: string;
  /** How often counts are renewed and rooms compared; a node silent for three of these no longer counts. Default 5 s. */
  readonly heartbeatMs?: number;
};

/** What the nodes hold together. */
export type NodeParts = {
  readonly namespaces: Readonly<Record<'root' | 'chat' | 'streaming', Namespace>>;
  readonly chatRooms: ChatRooms;
  readonly viewers: ViewerRooms;
  readonly streamingService: StreamingService;
  readonly inbox: Inbox;
  readonly revocations: Revocations;
  /** After revocations have come from other nodes. */
  readonly onRevoked: () => void;
  readonly namedShows: NamedShows;
};

export type NodeGroupOptions = {
  readonly redis: RedisOptions;
  readonly metrics: RealtimeMetrics;
  readonly log: Logger;
  readonly viewers: ViewerRooms;
  readonly isNamed: (liveId: string) => boolean;
};

/**
 * This node among several that share rooms over one Redis. While Redis is gone each node serves its own; once it is back all are brought
 * together again. Nothing here keeps a viewer or chatter waiting longer than the patience for Redis.
 */
export class NodeGroup {
  readonly #options: NodeGroupOptions;
  readonly #nodeId = randomUUID();
  readonly #heartbeatMs: number;
  readonly #link: RedisLink;
  readonly #viewers: SharedViewers;
  readonly #events: SharedEvents;
  readonly chat: SharedChat;
  readonly allViewers: AllViewers;
  #parts: NodeParts | null = null;
  #registers: readonly SharedRegister[] = [];
  #revoked: SharedRegister | null = null;
  #shows: SharedRegister | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #isBeating = false;
  #joining: Promise<void> = Promise.resolve();

  constructor(options: NodeGroupOptions) {
    const { redis, metrics, log, viewers, isNamed } = options;
    this.#options = options;
    this.#heartbeatMs = redis.heartbeatMs ?? HEARTBEAT_MS;
    const link = new RedisLink({
      url: redis.url,
      metrics,
      log,
      scripts: [...CHAT_SCRIPTS, ...VIEWER_SCRIPTS, ...EVENT_SCRIPTS],
      probe: ['SET', 'realtime:probe', this.#nodeId, 'PX', '1000'],
    });
    this.#link = link;
    this.chat = new SharedChatInRedis({
      link,
      isNamed,
      onPlaced: (liveId, epoch, messages) =>
        this.#tell('chat', 'chat:placed', { liveId, epoch, messages: [...messages] }),
      onChanged: (liveId) => this.#tell('chat', 'chat:changed', { liveId }),
      onMalformed: () => metrics.sharedMalformed.inc(),
    });
    this.#viewers = new SharedViewers({
      link,
      nodeId: this.#nodeId,
      heartbeatMs: this.#heartbeatMs,
      own: (playbackId) => viewers.count(playbackId),
      onChange: (playbackId) => this.#parts?.streamingService.changedElsewhere(playbackId),
    });
    this.allViewers = {
      count: (playbackId) => this.#viewers.count(playbackId),
      changedHere: (playbackId) => this.#viewersChanged(playbackId),
      learn: async (playbackId) => {
        if (link.isJoined && !this.#viewers.knows(playbackId)) await this.#viewers.renew(playbackId);
      },
    };
    this.#events = new SharedEvents({
      link,
      onEvent: (event) => this.#hearEvent(event),
      onAdded: () => this.#tell('root', 'events:added', {}),
      onDropped: () => metrics.sharedEventsDropped.inc(),
    });
  }

  get state(): { readonly isJoined: boolean; readonly eventsWaiting: number } {
    return { isJoined: this.#link.isJoined, eventsWaiting: this.#events.waiting };
  }

  /** For the Socket.IO server: what it is asked to do everywhere crosses nodes too. */
  adapter(): ServerOptions['adapter'] {
    return redisAdapter(this.#link);
  }

  /** Joins the others, or goes on alone when Redis does not answer within two seconds. Call once, before anybody is let in. */
  async start(parts: NodeParts): Promise<void> {
    this.#parts = parts;
    this.#registers = this.#makeRegisters(parts);
    this.#listen(parts);
    this.#link.onChange((isJoined) => {
      if (isJoined) this.#joining = this.#onJoined(parts);
      else parts.chatRooms.part();
      for (const playbackId of parts.viewers.playbackIds()) parts.streamingService.changedElsewhere(playbackId);
    });
    await this.#link.start();
    await this.#joining;
    this.#heartbeat = setInterval(() => void this.#beat(parts), this.#heartbeatMs).unref();
  }

  /** An event that this node's inbox has taken. */
  share(event: LiveEvent | SessionRevoked): void {
    void this.#events.share(event);
  }

  showNamed(playbackId: string): void {
    void this.#shows?.add(playbackId, Date.now());
    if (this.#link.isJoined) void orNull(this.#link.command('register', ['ZREM', UNNAMED_ROOMS_KEY, playbackId]));
  }

  userRevoked(userId: string, atMs: number): void {
    void this.#revoked?.add(userId, atMs);
  }

  /** The viewers of this node no longer count with the others. Call before its connections are ended. */
  async leave(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    for (const playbackId of this.#options.viewers.playbackIds()) this.#tellViewers(playbackId, 0);
    await this.#viewers.leave();
  }

  /** Ends the connections to Redis. */
  close(): void {
    this.#link.close();
  }

  async #onJoined({ chatRooms, viewers }: NodeParts): Promise<void> {
    for (const register of this.#registers) await register.exchange();
    await this.#events.rejoin();
    await Promise.all([chatRooms.catchUp(), this.#viewers.renewAll(viewers.playbackIds())]);
  }

  /** Heals what hints have missed, drops the counts of dead nodes, keeps our own alive. */
  async #beat({ chatRooms, viewers }: NodeParts): Promise<void> {
    if (this.#isBeating || !this.#link.isJoined) return;
    this.#isBeating = true;
    try {
      await this.#viewers.renewAll(viewers.playbackIds());
      await chatRooms.catchUp((room) => chatRooms.hasMembers(room));
      await this.#events.read();
    } finally {
      this.#isBeating = false;
    }
  }

  #listen({ namespaces: { root, chat, streaming }, chatRooms }: NodeParts): void {
    const onMalformed = (): void => this.#options.metrics.sharedMalformed.inc();
    const onPlaced = ({ liveId, epoch, messages }: NodeMessages['chat:placed']): void =>
      chatRooms.hear(liveId, epoch, messages);
    hearNodes(chat, 'chat:placed', onPlaced, onMalformed);
    hearNodes(chat, 'chat:changed', ({ liveId }) => void chatRooms.find(liveId)?.catchUp(), onMalformed);
    const onViewers = ({ nodeId, playbackId, count }: NodeMessages['viewers:changed']): void =>
      this.#viewers.heard(playbackId, nodeId, count);
    hearNodes(streaming, 'viewers:changed', onViewers, onMalformed);
    hearNodes(root, 'events:added', () => void this.#events.read(), onMalformed);
  }

  #tell<N extends keyof NodeMessages>(to: 'root' | 'chat' | 'streaming', name: N, message: NodeMessages[N]): void {
    if (this.#parts !== null && this.#link.isJoined) tellNodes(this.#parts.namespaces[to], name, message);
  }

  async #viewersChanged(playbackId: string): Promise<void> {
    if (!this.#link.isJoined) {
      await this.#viewers.renew(playbackId); // forgets the room when it is empty
      return;
    }
    this.#tellViewers(playbackId, this.#options.viewers.count(playbackId));
    await this.#viewers.renew(playbackId);
  }

  #tellViewers(playbackId: string, count: number): void {
    this.#tell('streaming', 'viewers:changed', { nodeId: this.#nodeId, playbackId, count });
  }

  #hearEvent(event: unknown): void {
    const result = this.#parts?.inbox.hear(event);
    if (result !== undefined && result !== 'duplicate') this.#options.metrics.sharedEvents.inc({ result });
  }

  #makeRegisters({ revocations, onRevoked, namedShows }: NodeParts): readonly SharedRegister[] {
    const link = this.#link;
    this.#revoked = new SharedRegister({
      link,
      key: 'realtime:revocations',
      entriesMax: REVOCATIONS_MAX,
      lifeMs: RESUME_LIFE_MS,
      own: () => revocations.entries(),
      onEntries: (entries) => {
        try {
          revocations.addAll(entries);
        } catch (error) {
          this.#options.log.error({ err: error }, 'revocations.not_written'); // in force all the same
        }
        onRevoked();
      },
    });
    this.#shows = new SharedRegister({
      link,
      key: 'realtime:shows',
      entriesMax: NAMED_SHOWS_MAX,
      lifeMs: SHOW_LIFE_MS,
      own: () => [...namedShows.names()].map((name) => [name, Date.now()] as const),
      onEntries: (entries) => {
        for (const [name] of entries) namedShows.add(name);
      },
    });
    return [this.#revoked, this.#shows];
  }
}
