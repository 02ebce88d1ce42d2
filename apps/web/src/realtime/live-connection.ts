import type {
  ChatClientEvents,
  ChatCursor,
  ChatServerEvents,
  ClientConfig,
  RootClientEvents,
  RootServerEvents,
  StreamingClientEvents,
  StreamingServerEvents,
  StreamState,
} from '@showfloor/protocol';
import { Manager, type Socket } from 'socket.io-client';
import { getRoomToken } from '../api/shop-api.ts';
import type { ChatEvent, SendProblem } from '../chat/chat-list.ts';
import type { ShopEvent } from '../shop/live-shop.ts';
import { dropRoomTokens, hasIdentity, keepResumeToken, keepRoomToken, socketAuth } from './room-tokens.ts';

/** State of the chat's line, for its indicator and for the polling fallback of the shop. */
export type LinkState = 'connecting' | 'online' | 'offline';

/** What a room tells its page. Called from socket callbacks, one at a time. */
export type LiveHandlers = {
  readonly onLink: (state: LinkState) => void;
  readonly onChat: (event: ChatEvent) => void;
  readonly onShop: (event: ShopEvent) => void;
  readonly onStream: (state: StreamState) => void;
  readonly onViewers: (viewerCount: number, isApproximate: boolean) => void;
  /** Where the reader is, asked at each (re)join. */
  readonly chatCursor: () => ChatCursor | null;
};

/** An answer that takes longer counts as lost; sending again under the same client id never posts twice. */
export const ACK_TIMEOUT_MS = 5_000;
/** Wait after a refused join or handshake; socket.io repeats only what it takes for a lost line. */
const REJOIN_DELAY_MS = 2_000;

/** Outcome of sending one message. `retryAfterMs` comes with `rate_limited`. */
export type SendResult = { readonly problem: SendProblem | null; readonly retryAfterMs: number | null };

/**
 * One show on the realtime plane: three namespaces on one connection. Owned by the watch page, which closes it. It
 * reconnects by itself for as long as it is open.
 */
export class LiveConnection {
  readonly #playbackId: string;
  readonly #handlers: LiveHandlers;
  readonly #manager: Manager;
  readonly #root: Socket<RootServerEvents, RootClientEvents>;
  readonly #chat: Socket<ChatServerEvents, ChatClientEvents>;
  readonly #streaming: Socket<StreamingServerEvents, StreamingClientEvents>;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #sockets: readonly Pick<Socket, 'on' | 'connect' | 'disconnect' | 'active' | 'removeAllListeners'>[];
  #identifying: Promise<boolean> | null = null;
  #isChatJoined = false;
  #onChatJoined: () => void = () => undefined;
  #isClosed = false;

  constructor(config: ClientConfig['realtime'], playbackId: string, handlers: LiveHandlers) {
    this.#playbackId = playbackId;
    this.#handlers = handlers;
    this.#manager = new Manager(config.baseUrl, {
      path: config.path,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 3_000,
      randomizationFactor: 0.5,
      timeout: 8_000,
    });
    const options = { auth: (give: (auth: object) => void) => give(socketAuth()) };
    this.#root = this.#manager.socket('/', options);
    this.#chat = this.#manager.socket('/chat', options);
    this.#streaming = this.#manager.socket('/streaming', options);
    this.#listenToRoot();
    this.#listenToChat();
    this.#listenToStreaming();
    this.#sockets = [this.#root, this.#chat, this.#streaming];
    for (const socket of this.#sockets) this.#keepAlive(socket);
  }

  /** Leaves the room and closes the sockets. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) {
      socket.removeAllListeners();
      socket.disconnect();
    }
  }

  /** Posts a message; the visitor becomes a guest first if they are nobody yet. */
  async send(clientId: string, message: string): Promise<SendResult> {
    if (this.#identifying !== null) await this.#identifying;
    if (!this.#isChatJoined) return refused('offline');
    if (!hasIdentity() && !(await this.#identify())) return refused('unauthenticated');
    const first = await this.#post(clientId, message);
    if (first.problem !== 'unauthenticated') return first;
    dropRoomTokens();
    return (await this.#identify()) ? await this.#post(clientId, message) : first;
  }

  async #post(clientId: string, message: string): Promise<SendResult> {
    const payload = { liveId: this.#playbackId, message, clientId };
    try {
      const answer = await this.#chat.timeout(ACK_TIMEOUT_MS).emitWithAck('chat:send', payload);
      if (answer.ok) return { problem: null, retryAfterMs: null };
      return { problem: sendProblemOf(answer.reason), retryAfterMs: answer.retryAfterMs ?? null };
    } catch {
      return refused('offline');
    }
  }

  /** Gets a room token and connects anew with it; messages sent meanwhile wait for the same one. */
  #identify(): Promise<boolean> {
    this.#identifying ??= this.#connectWithIdentity().finally(() => {
      this.#identifying = null;
    });
    return this.#identifying;
  }

  /**
   * Identity is fixed at the handshake. All namespaces go at once, so that the connection itself is a new one: a server
   * may close the transport when one of them leaves. True once the chat is joined.
   */
  async #connectWithIdentity(): Promise<boolean> {
    try {
      keepRoomToken(await getRoomToken());
    } catch {
      return false;
    }
    if (this.#isClosed) return false;
    for (const socket of this.#sockets) socket.disconnect();
    const joined = new Promise<boolean>((resolve) => {
      this.#onChatJoined = () => resolve(true);
      this.#later(ACK_TIMEOUT_MS, () => resolve(false));
    });
    for (const socket of this.#sockets) socket.connect();
    return await joined;
  }

  #listenToRoot(): void {
    const { onShop } = this.#handlers;
    this.#root.on('connect', () => {
      const join = { playbackId: this.#playbackId };
      this.#join(this.#root, () => this.#root.timeout(ACK_TIMEOUT_MS).emitWithAck('stream:join', join));
    });
    this.#root.on('session:resume', (token) => keepResumeToken(token));
    this.#root.on('product:pinned', ({ product, pinnedAtMs }) => onShop({ type: 'pinned', product, pinnedAtMs }));
    this.#root.on('product:unpinned', ({ productId, atMs }) => onShop({ type: 'unpinned', productId, atMs }));
    this.#root.on('product:added', ({ product }) => onShop({ type: 'upserted', product }));
    this.#root.on('product:updated', ({ product }) => onShop({ type: 'upserted', product }));
    this.#root.on('product:deleted', ({ productId }) => onShop({ type: 'deleted', productId }));
    this.#root.on('product:stock:update', (change) => onShop({ type: 'stock', ...change }));
    this.#root.on('product:sold-out', (change) => onShop({ type: 'sold-out', ...change }));
  }

  #listenToChat(): void {
    const { onChat, onLink, chatCursor } = this.#handlers;
    this.#chat.on('connect', () => {
      this.#join(this.#chat, async () => {
        const since = chatCursor();
        const join = { liveId: this.#playbackId, ...(since === null ? {} : { since }) };
        const answer = await this.#chat.timeout(ACK_TIMEOUT_MS).emitWithAck('chat:join', join);
        if (answer.ok) {
          this.#isChatJoined = true;
          onChat({ type: 'joined', answer });
          onLink('online');
          this.#onChatJoined();
        }
        return answer;
      });
    });
    this.#chat.on('disconnect', (reason) => {
      this.#isChatJoined = false;
      onLink(reason === 'io client disconnect' ? 'connecting' : 'offline');
    });
    this.#chat.on('connect_error', () => onLink('offline'));
    this.#chat.on('chat:messages', ({ epoch, messages }) => onChat({ type: 'received', epoch, messages }));
  }

  #listenToStreaming(): void {
    const { onStream, onViewers } = this.#handlers;
    this.#streaming.on('connect', () => {
      this.#join(this.#streaming, async () => {
        const join = { playbackId: this.#playbackId };
        const answer = await this.#streaming.timeout(ACK_TIMEOUT_MS).emitWithAck('stream:viewer:join', join);
        if (answer.ok) {
          onViewers(answer.viewerCount, answer.approximate);
          onStream(answer.state);
        }
        return answer;
      });
    });
    this.#streaming.on('disconnect', () => onStream('unknown'));
    this.#streaming.on('stream:viewer:update', ({ viewerCount, approximate }) => onViewers(viewerCount, approximate));
    this.#streaming.on('stream:started', () => onStream('live'));
    this.#streaming.on('stream:resumed', () => onStream('live'));
    this.#streaming.on('stream:interrupted', () => onStream('interrupted'));
    this.#streaming.on('stream:ended', () => onStream('ended'));
  }

  /** Joins, again after a while when the room refused or did not answer in time. */
  #join(socket: Pick<Socket, 'connected'>, ask: () => Promise<{ readonly ok: boolean }>): void {
    const again = (): void => this.#later(REJOIN_DELAY_MS, () => this.#join(socket, ask));
    ask().then(
      (answer) => {
        if (!answer.ok) again();
      },
      () => {
        // No answer in time. A lost line joins again by its own connect event.
        if (socket.connected) again();
      },
    );
  }

  /** Connects again after what socket.io does not repeat itself: a refused handshake and a goodbye of the server. */
  #keepAlive(socket: Pick<Socket, 'on' | 'connect' | 'active'>): void {
    socket.on('connect_error', (error: Error) => {
      if (socket.active) return;
      if (isTokenRefusal(error)) dropRoomTokens();
      this.#later(REJOIN_DELAY_MS, () => void socket.connect());
    });
    socket.on('disconnect', (reason) => {
      if (reason === 'io server disconnect') this.#later(REJOIN_DELAY_MS, () => void socket.connect());
    });
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isClosed) act();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function refused(problem: SendProblem): SendResult {
  return { problem, retryAfterMs: null };
}

function sendProblemOf(reason: string): SendProblem {
  switch (reason) {
    case 'rate_limited':
    case 'message_too_long':
      return reason;
    case 'unauthenticated':
    case 'token_invalid':
      return 'unauthenticated';
    case 'unavailable':
    case 'overloaded':
      return 'offline';
    default:
      return 'refused';
  }
}

function isTokenRefusal(error: Error): boolean {
  const text = JSON.stringify('data' in error ? error.data : null) + error.message;
  return /token_invalid|unauthenticated|forbidden/.test(text);
}
