/**
 * GETs one after the other on one kept connection: no stream objects, no object per read, nothing kept of a body. A connection
 * that the server closed while it was idle is opened again without a word (RFC 9110, 9.2.2); after any other end the request
 * has failed. `close()` ends it.
 */
import type { Socket } from 'node:net';
import { monotonicMs } from '../clock.ts';
import { errorCode } from './endless-get.ts';
import { type HttpHead, HttpResponseReader } from './http-response-reader.ts';
import { openLightSocket } from './light-socket.ts';

/** What happens to the request under way, with the monotonic instant. Body pieces must be used at once. */
export type GetEvents = {
  readonly onConnected: (tookMs: number, atMs: number) => void;
  readonly onHead: (head: HttpHead, atMs: number) => void;
  readonly onBody: (bytes: Uint8Array) => void;
  readonly onEnd: (atMs: number) => void;
  /** `reason` is a stable word. */
  readonly onFailed: (reason: string, atMs: number) => void;
};

/** One connection, opened by the first request, and again when the origin changes or the connection is lost. */
export class KeepAliveGet {
  readonly #headers: string;
  readonly #events: GetEvents;
  readonly #reader: HttpResponseReader;
  #socket: Socket | null = null;
  #origin = '';
  #url: URL | null = null;
  #isReused = false;
  #isConnected = false;
  #keepsAlive = true;
  #sentAtMs = 0;
  #openedAtMs = 0;
  /** Monotonic instant of the last byte of this answer; null before the first. */
  #lastByteAtMs: number | null = null;

  /** `headers`: lines that end in CRLF, sent with every request. */
  constructor(headers: string, events: GetEvents) {
    this.#headers = headers;
    this.#events = events;
    this.#reader = new HttpResponseReader({
      onHead: (head) => this.#onHead(head),
      onBody: (bytes) => events.onBody(bytes),
      onEnd: () => this.#finish(),
    });
  }

  get isBusy(): boolean {
    return this.#url !== null;
  }

  /** When the request under way was made. */
  get sentAtMs(): number {
    return this.#sentAtMs;
  }

  /** The request under way has reached a server that took the connection, and no byte came back. */
  get isUnanswered(): boolean {
    return this.#isConnected && this.#lastByteAtMs === null;
  }

  /** Time since anything came for the request under way. */
  silentMs(nowMs: number): number {
    return nowMs - (this.#lastByteAtMs ?? this.#sentAtMs);
  }

  /** Sends a request. Throws while another is under way. */
  get(url: URL): void {
    if (this.#url !== null) throw new Error('a request is under way');
    this.#url = url;
    this.#sentAtMs = monotonicMs();
    this.#lastByteAtMs = null;
    this.#isReused = this.#socket !== null && this.#origin === url.origin;
    if (this.#isReused) this.#send(url);
    else this.#connect(url);
  }

  /** Gives up the request under way: it has failed with this reason. */
  cancel(reason: string): void {
    this.#fail(reason);
  }

  close(): void {
    this.#url = null;
    this.#drop();
  }

  #connect(url: URL): void {
    this.#drop();
    this.#origin = url.origin;
    this.#openedAtMs = monotonicMs();
    const socket = openLightSocket(
      url,
      (bytes) => this.#onBytes(bytes),
      () => {
        this.#isConnected = true;
        const nowMs = monotonicMs();
        this.#events.onConnected(nowMs - this.#openedAtMs, nowMs);
        if (this.#url !== null) this.#send(this.#url);
      },
    );
    this.#socket = socket;
    socket.once('error', (error) => this.#onClosed(socket, errorCode(error)));
    socket.once('close', () => this.#onClosed(socket, 'connection_closed'));
  }

  #send(url: URL): void {
    this.#socket?.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${this.#headers}\r\n`,
      'latin1',
    );
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#url === null) {
      this.#drop(); // nobody asked
      return;
    }
    this.#lastByteAtMs = monotonicMs();
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#fail(errorCode(error));
    }
  }

  #onHead(head: HttpHead): void {
    this.#keepsAlive = head.headers.get('connection')?.toLowerCase() !== 'close';
    this.#events.onHead(head, this.#lastByteAtMs ?? monotonicMs());
  }

  #finish(): void {
    this.#url = null;
    this.#reader.reset();
    if (!this.#keepsAlive) this.#drop();
    this.#events.onEnd(this.#lastByteAtMs ?? monotonicMs());
  }

  #onClosed(socket: Socket, reason: string): void {
    if (socket !== this.#socket) return;
    const url = this.#url;
    if (url === null) this.#drop();
    else if (this.#reader.isEndless && reason === 'connection_closed') {
      this.#keepsAlive = false;
      this.#finish();
    } else if (this.#isReused && this.#lastByteAtMs === null) {
      this.#isReused = false;
      this.#connect(url);
    } else this.#fail(reason);
  }

  #fail(reason: string): void {
    if (this.#url === null) return;
    this.#url = null;
    this.#drop();
    this.#events.onFailed(reason, monotonicMs());
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isConnected = false;
    this.#keepsAlive = true;
    this.#reader.reset();
    socket?.destroy();
  }
}
