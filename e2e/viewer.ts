import type {
  ChatClientEvents,
  ChatCursor,
  ChatMessage,
  ChatServerEvents,
  RootServerEvents,
  StreamingClientEvents,
  StreamingServerEvents,
} from '@showfloor/protocol';
import { io, type Socket } from 'socket.io-client';

/** One viewer's HTTP-FLV body: counts what arrives. */
export class FlvViewer {
  readonly #abort = new AbortController();
  #bytes = 0;
  #closed = false;

  /** Resolves once the answer's head is there; throws when it is not a 200. */
  static async open(videoUrl: string, playbackId = 'demo'): Promise<FlvViewer> {
    const viewer = new FlvViewer();
    const answer = await fetch(`${videoUrl}/live/${playbackId}.flv`, { signal: viewer.#abort.signal });
    if (answer.status !== 200 || answer.body === null) throw new Error(`FLV answered ${answer.status}`);
    void viewer.#read(answer.body);
    return viewer;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of body) this.#bytes += chunk.byteLength;
    } catch {
      // the server or the test closed it: `isClosed` says so
    }
    this.#closed = true;
  }
}

type ChatSocket = Socket<ChatServerEvents, ChatClientEvents>;

/** One person in the room: the three namespaces over one connection, as the web app opens them. */
export class RoomMember {
  readonly root: Socket<RootServerEvents, Record<never, never>>;
  readonly chat: ChatSocket;
  readonly streaming: Socket<StreamingServerEvents, StreamingClientEvents>;
  readonly received: ChatMessage[] = [];

  private constructor(realtimeUrl: string, token: string | undefined) {
    const options = {
      transports: ['websocket'],
      auth: token === undefined ? {} : { token },
      reconnectionDelayMax: 1000,
    };
    this.root = io(`${realtimeUrl}/`, options);
    this.chat = io(`${realtimeUrl}/chat`, options);
    this.streaming = io(`${realtimeUrl}/streaming`, options);
    this.chat.on('chat:messages', ({ messages }) => this.received.push(...messages));
  }

  static async enter(realtimeUrl: string, token?: string): Promise<RoomMember> {
    const member = new RoomMember(realtimeUrl, token);
    await Promise.all(
      [member.root, member.chat, member.streaming].map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            if (socket.connected) return resolve();
            socket.once('connect', resolve);
            socket.once('connect_error', reject);
          }),
      ),
    );
    return member;
  }

  /** Joins the demo show's chat, from `since` when given. */
  joinChat(
    since?: ChatCursor,
  ): Promise<{ ok: boolean; cursor?: ChatCursor; messages?: readonly ChatMessage[]; gap?: boolean }> {
    return this.chat
      .timeout(5000)
      .emitWithAck('chat:join', { liveId: 'demo', ...(since === undefined ? {} : { since }) });
  }

  /** Watches the demo show: counts as a viewer, once. */
  watch(): Promise<{ ok: boolean; viewerCount?: number; approximate?: boolean }> {
    return this.streaming.timeout(5000).emitWithAck('stream:viewer:join', { playbackId: 'demo' });
  }

  say(message: string): Promise<{ ok: boolean; reason?: string }> {
    const clientId = `e2e-${Math.random().toString(36).slice(2, 12)}`;
    return this.chat.timeout(5000).emitWithAck('chat:send', { liveId: 'demo', message, clientId });
  }

  leave(): void {
    this.root.disconnect();
    this.chat.disconnect();
    this.streaming.disconnect();
  }
}
