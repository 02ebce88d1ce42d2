import type { Socket } from 'node:net';
import type { HeldRequest } from './held-requests.ts';
import type { HlsViewer } from './hls-viewers.ts';

/** Bounds of one connection that takes finished answers. */
export type ConnectionLimits = Readonly<{
  /** Bytes in the socket's queue over which a further request cuts the connection; one answer may be larger. */
  queueBytesMax: number;
  /** A connection on which no queued write was finished for this long is cut; Node tells no progress within one, however large. */
  stuckMsMax: number;
  /** Requests of one connection that may wait at once, for their part or for one before them (pipelining); one more cuts it. */
  heldMax: number;
}>;

/** 2 MB, 15 s, 8 requests. */
export const CONNECTION_LIMITS: ConnectionLimits = { queueBytesMax: 2 * 1024 * 1024, stuckMsMax: 15_000, heldMax: 8 };

/** What is known of one open connection. */
export class HttpConnection {
  readonly socket: Socket;
  /** The peer's, not what a proxy says. */
  readonly remoteAddress: string;
  /** True from its first answered HLS request on: it counts as a connection of viewers. */
  isHls = false;
  /** Its request that waits for something. */
  held: HeldRequest | null = null;
  /** What came after that one, and is looked at when that is answered. */
  readonly behind: (() => void)[] = [];
  /** Who asked last on it: saves the look-up while it stays the same. */
  viewer: HlsViewer | null = null;
  /** Bytes the kernel had taken at `movedAtMs`. */
  #takenBytes = 0;
  #movedAtMs = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
  }

  /** The request that waited is answered: the next one's turn, up to one that waits again. */
  goOn(): void {
    this.held = null;
    while (this.held === null) {
      const next = this.behind.shift();
      if (next === undefined) return;
      next();
    }
  }

  /** True when something is queued and no write of it was finished for `stuckMsMax`: also a trickle, which would keep what it is read from. */
  isStuck(nowMs: number, stuckMsMax: number): boolean {
    const queued = this.socket.writableLength;
    const takenBytes = this.socket.bytesWritten - queued;
    if (queued === 0 || takenBytes !== this.#takenBytes || this.#movedAtMs === 0) {
      this.#takenBytes = takenBytes;
      this.#movedAtMs = nowMs;
      return false;
    }
    return nowMs - this.#movedAtMs > stuckMsMax;
  }
}

/** The open connections of the public listener. */
export class HttpConnections {
  readonly #bySocket = new Map<Socket, HttpConnection>();
  /** One for all sockets, which it is called with. */
  readonly #onClose: (this: Socket) => void;
  #hlsCount = 0;

  constructor() {
    const closed = (socket: Socket): void => this.#closed(socket);
    this.#onClose = function onClose(): void {
      closed(this);
    };
  }

  /** Connections that carry HLS. */
  get hlsCount(): number {
    return this.#hlsCount;
  }

  /** All open ones. */
  get count(): number {
    return this.#bySocket.size;
  }

  /** Counts a new connection in, until its socket closes. */
  add(socket: Socket): void {
    this.#bySocket.set(socket, new HttpConnection(socket));
    socket.on('close', this.#onClose);
  }

  /** Cuts all there are. */
  cutAll(): void {
    for (const socket of this.#bySocket.keys()) socket.destroy();
  }

  /** The open ones with what waits in their sockets. */
  list(): readonly Readonly<{ remoteAddress: string; backlogBytes: number }>[] {
    return Array.from(this.#bySocket.values(), ({ remoteAddress, socket }) => ({
      remoteAddress,
      backlogBytes: socket.writableLength,
    }));
  }

  /** Undefined when it is closed. */
  find(socket: Socket): HttpConnection | undefined {
    return this.#bySocket.get(socket);
  }

  /** From here on the connection counts as one of HLS viewers. */
  markHls(connection: HttpConnection): void {
    if (connection.isHls) return;
    connection.isHls = true;
    this.#hlsCount += 1;
  }

  /** The connection becomes one that counts otherwise. */
  unmarkHls(connection: HttpConnection): void {
    if (!connection.isHls) return;
    connection.isHls = false;
    connection.viewer = null;
    this.#hlsCount -= 1;
  }

  /** Cuts the connections on which a viewer asked last. */
  cutViewer(viewer: HlsViewer): void {
    for (const connection of this.#bySocket.values()) if (connection.viewer === viewer) connection.socket.destroy();
  }

  /** Cuts HLS connections that read nothing of what they asked for. Returns how many; call it every few seconds. */
  cutStuck(nowMs: number, stuckMsMax: number): number {
    let cut = 0;
    for (const connection of this.#bySocket.values()) {
      if (!connection.isHls || !connection.isStuck(nowMs, stuckMsMax)) continue;
      connection.socket.destroy();
      cut += 1;
    }
    return cut;
  }

  #closed(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    this.#bySocket.delete(socket);
    if (connection.isHls) this.#hlsCount -= 1;
    connection.viewer = null;
    const { held } = connection;
    connection.held = null;
    connection.behind.length = 0;
    if (held === null) return;
    held.way = null; // lets the socket's memory go before its list is released
    if (held.viewer !== null) held.viewer.waiting -= 1;
  }
}
