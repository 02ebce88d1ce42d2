/**
 * A light Socket.IO v4 client: one WebSocket, several namespaces, no polling, no reconnection of its own, no listeners
 * per event. Protocols: Engine.IO 4 (https://socket.io/docs/v4/engine-io-protocol/) and Socket.IO 5
 * (https://socket.io/docs/v4/socket-io-protocol/), through their reference parsers.
 */
import { decodePacket as decodeEngine } from 'engine.io-parser';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { WebSocket } from 'ws';
import { monotonicMs } from '../clock.ts';

/** What happens on the connection. */
export type SocketIoHandlers = {
  /** The namespace acknowledged our CONNECT. */
  readonly onNamespace: (namespace: string, atMs: number) => void;
  readonly onEvent: (namespace: string, event: string, payload: unknown, atMs: number) => void;
  /** Once; not after `close()`. */
  readonly onClosed: (reason: string) => void;
};

/** How to connect. `auth` goes into the CONNECT of every namespace. */
export type SocketIoOptions = {
  readonly url: string;
  readonly namespaces: readonly string[];
  readonly auth: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
};

type PendingAck = { readonly done: (answer: unknown) => void; readonly timer: NodeJS.Timeout };

/** An acknowledgement that takes longer counts as lost: `emit` resolves with undefined. */
export const ACK_TIMEOUT_MS = 10_000;
/** More unanswered acknowledgements than this are refused at once. */
export const PENDING_ACKS_MAX = 256;
/** The server's ping interval plus timeout, when the handshake does not say. */
const LIVENESS_MS_DEFAULT = 45_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** One connection. Its owner calls `close()`. */
export class SocketIoConnection {
  readonly #options: SocketIoOptions;
  readonly #handlers: SocketIoHandlers;
  readonly #socket: WebSocket;
  readonly #encoder = new Encoder();
  readonly #decoder = new Decoder();
  readonly #acks = new Map<number, PendingAck>();
  #nextAckId = 0;
  #isOver = false;
  #livenessMs = HANDSHAKE_TIMEOUT_MS;
  #liveness: NodeJS.Timeout;

  constructor(options: SocketIoOptions, handlers: SocketIoHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#socket = new WebSocket(options.url, {
      perMessageDeflate: false,
      headers: options.headers,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    this.#liveness = setTimeout(() => this.#finish('timeout'), this.#livenessMs);
    this.#decoder.on('decoded', (packet) => this.#onPacket(packet));
    // With the default binary type every message is one Buffer.
    this.#socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#decoder.add(data);
      else this.#onEngine(data.toString());
    });
    this.#socket.on('error', (error) => this.#finish((error as NodeJS.ErrnoException).code ?? error.message));
    this.#socket.on('close', (code) => this.#finish(`closed_${code}`));
  }

  /** Sends an event and waits for its acknowledgement; undefined when none came. */
  emit(namespace: string, event: string, payload: unknown): Promise<unknown> {
    if (this.#isOver || this.#acks.size >= PENDING_ACKS_MAX) return Promise.resolve(undefined);
    const id = this.#nextAckId;
    this.#nextAckId += 1;
    return new Promise((resolve) => {
      const done = (answer: unknown): void => {
        clearTimeout(timer);
        this.#acks.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), ACK_TIMEOUT_MS);
      this.#acks.set(id, { done, timer });
      this.#send({ type: PacketType.EVENT, nsp: namespace, id, data: [event, payload] });
    });
  }

  close(): void {
    this.#isOver = true;
    this.#cleanUp();
    this.#socket.close();
    const socket = this.#socket;
    setTimeout(() => socket.terminate(), 1000).unref();
  }

  #onEngine(text: string): void {
    const { type, data } = decodeEngine(text);
    this.#liveness.refresh();
    if (type === 'open') this.#onOpen(String(data));
    else if (type === 'ping') this.#socket.send('3');
    else if (type === 'message') this.#decoder.add(data);
    else if (type === 'close' || type === 'error') this.#finish(`engine_${type}`);
  }

  #onOpen(text: string): void {
    const { pingInterval, pingTimeout } = JSON.parse(text) as { pingInterval?: number; pingTimeout?: number };
    this.#livenessMs = pingInterval && pingTimeout ? pingInterval + pingTimeout : LIVENESS_MS_DEFAULT;
    clearTimeout(this.#liveness);
    this.#liveness = setTimeout(() => this.#finish('ping_timeout'), this.#livenessMs);
    for (const nsp of this.#options.namespaces) {
      this.#send({ type: PacketType.CONNECT, nsp, data: this.#options.auth });
    }
  }

  #onPacket(packet: Packet): void {
    const atMs = monotonicMs();
    switch (packet.type) {
      case PacketType.CONNECT:
        this.#handlers.onNamespace(packet.nsp, atMs);
        return;
      case PacketType.CONNECT_ERROR:
        this.#finish(`refused_${packet.nsp}`);
        return;
      case PacketType.DISCONNECT:
        this.#finish('server_disconnect');
        return;
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT: {
        const [event, payload] = packet.data as [string, unknown];
        this.#handlers.onEvent(packet.nsp, event, payload, atMs);
        return;
      }
      default: {
        const [answer] = packet.data as [unknown];
        this.#acks.get(packet.id ?? -1)?.done(answer);
      }
    }
  }

  #send(packet: Packet): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const part of this.#encoder.encode(packet)) {
      this.#socket.send(typeof part === 'string' ? `4${part}` : part);
    }
  }

  #finish(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cleanUp();
    this.#socket.terminate();
    this.#handlers.onClosed(reason);
  }

  #cleanUp(): void {
    clearTimeout(this.#liveness);
    this.#acks.forEach(({ done }) => {
      done(undefined);
    });
  }
}
