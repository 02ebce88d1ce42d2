/**
 * Finished HTTP answers: head and body are built once and written to every socket that wants them, past `ServerResponse`, whose
 * header work is half of what an answer costs. Order on a connection is kept: only the response whose turn it is may be
 * written past it (node:http has given it the socket); a pipelined one behind it takes the ordinary way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** What every answer of the public listener carries: pages of any origin play our video. */
export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers':
    'Range, If-None-Match, Cache-Control, Content-Type, X-Playback-Session-Id, CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session',
  'access-control-expose-headers': 'Date, Age, ETag, Content-Length, Content-Range, Retry-After',
  'access-control-max-age': '86400',
  'timing-allow-origin': '*',
} as const;

/** Idle connections are kept this long: longer than nginx's 60 s, so that it never meets one that is just closing. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  206: 'Partial Content',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  416: 'Range Not Satisfiable',
  503: 'Service Unavailable',
};

/** Answers up to this size are kept as one buffer, a copy per second at most; larger ones leave as they are. */
const ONE_WRITE_BYTES_MAX = 16 * 1024;

const NO_BODY: readonly Buffer[] = [];

/** What of a request its answer depends on, besides what it asks for. */
export type Conditions = Readonly<{
  isHead: boolean;
  ifNoneMatch: string | undefined;
  range: string | undefined;
  ifRange: string | undefined;
}>;

/** Nearly all requests: one object for all of them. */
const PLAIN_GET: Conditions = { isHead: false, ifNoneMatch: undefined, range: undefined, ifRange: undefined };

/** Keeps nothing else of the request. */
export function conditionsOf({ method, headers }: IncomingMessage): Conditions {
  const { range, 'if-none-match': ifNoneMatch } = headers;
  if (method === 'GET' && range === undefined && ifNoneMatch === undefined) return PLAIN_GET;
  const ifRange = headers['if-range'];
  return { isHead: method === 'HEAD', ifNoneMatch, range, ifRange: typeof ifRange === 'string' ? ifRange : undefined };
}

/** The way an answer takes: a response of node:http, or the socket itself when node:http is through with the request. */
export type WayOut = ServerResponse | Socket;

/**
 * Tells node:http that a request is answered before it is, and returns the way its answer will take. What node:http keeps of a
 * request is some KB, which the garbage collector copies while thousands wait; so they wait with next to nothing. Whoever calls
 * it keeps the next request of the connection back until this one is answered.
 */
export function letGo(response: ServerResponse): WayOut {
  const { socket } = response;
  if (socket === null || !response.shouldKeepAlive) return response; // not its turn yet, or the last one
  response.emit('finish');
  return socket;
}

/** One answer for any number of requests. */
export class HttpAnswer {
  readonly status: number;
  readonly bytes: number;
  /** Null when there is none. */
  readonly etag: string | null;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #body: readonly Buffer[];
  #head: Buffer | null = null;
  #headSecond = 0;
  #wire: Buffer | null = null;
  #wireHead: Buffer | null = null;
  #notModified: HttpAnswer | null = null;

  /** `content-length`, CORS and connection headers are added. Buffers of `body` are shared and never written to. */
  constructor(status: number, headers: Readonly<Record<string, string>>, body: readonly Buffer[] = NO_BODY) {
    this.status = status;
    this.#body = body;
    this.bytes = body.reduce((sum, part) => sum + part.length, 0);
    this.etag = headers.etag ?? null;
    const all = { ...CORS_HEADERS, 'x-content-type-options': 'nosniff', ...headers };
    const { 'content-length': _length, ...withoutLength } = all as Readonly<Record<string, string>>;
    this.#headers = status === 304 ? withoutLength : { ...withoutLength, 'content-length': String(this.bytes) };
  }

  /** An error in the form that all our HTTP errors have; nobody may keep it. */
  static problem(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
    const body = Buffer.from(JSON.stringify({ type: 'about:blank', status, reason }));
    const own = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
    return new HttpAnswer(status, { ...own, ...headers }, [body]);
  }

  /**
   * Answers a request: all of it, the range it asks for, or "not modified". Returns the status and the body bytes handed to the socket.
   */
  send(request: IncomingMessage, response: ServerResponse): Readonly<{ status: number; bytes: number }> {
    return this.sendTo(conditionsOf(request), response);
  }

  /** The same for a request of which no more is left. */
  sendTo(conditions: Conditions, way: WayOut): Readonly<{ status: number; bytes: number }> {
    const { isHead, ifNoneMatch, range } = conditions;
    if (this.status === 200) {
      if (ifNoneMatch !== undefined && this.#isKnown(ifNoneMatch)) {
        const notModified = this.#notModified ?? new HttpAnswer(304, this.#headers);
        this.#notModified = notModified;
        return notModified.#write(way, true);
      }
      // RFC 9110, 14.2: of GET only
      if (range !== undefined && !isHead && 'accept-ranges' in this.#headers) return this.#sendRange(conditions, way);
    }
    return this.#write(way, isHead);
  }

  #isKnown(list: string): boolean {
    const { etag } = this;
    if (etag === null) return false;
    return list.trim() === '*' || list.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  }

  /** Ranges are rare: built for one request, sent the ordinary way. */
  #sendRange({ range: wanted, ifRange }: Conditions, way: WayOut): { status: number; bytes: number } {
    const isSame = ifRange === undefined || ifRange === this.etag;
    const range = isSame ? readByteRange(wanted ?? '', this.bytes) : null;
    if (range === null) return this.#write(way, false);
    if (range === 'unsatisfiable') {
      const contentRange = `bytes */${this.bytes}`;
      return HttpAnswer.problem(416, 'range_not_satisfiable', { 'content-range': contentRange }).#write(way, false);
    }
    const body = slice(this.#body, range.from, range.to);
    const contentRange = `bytes ${range.from}-${range.to - 1}/${this.bytes}`;
    return new HttpAnswer(206, { ...this.#headers, 'content-range': contentRange }, body).#write(way, false);
  }

  #write(way: WayOut, isHead: boolean): { status: number; bytes: number } {
    const { status } = this;
    const bytes = isHead ? 0 : this.bytes;
    if (way instanceof Socket) {
      this.#writeTo(way, isHead);
      return { status, bytes };
    }
    const { socket } = way;
    if (socket === null || !way.shouldKeepAlive) {
      // Not its turn on the connection yet, or the last one on it: node:http knows what to do.
      way.writeHead(status, this.#headers);
      if (!isHead) for (const part of this.#body) way.write(part);
      way.end();
      return { status, bytes };
    }
    this.#writeTo(socket, isHead);
    // What `end` would lead to: node:http takes the next request of this connection and starts its keep-alive clock.
    way.emit('finish');
    return { status, bytes };
  }

  #writeTo(socket: Socket, isHead: boolean): void {
    if (isHead) socket.write(this.#currentHead());
    else if (this.bytes <= ONE_WRITE_BYTES_MAX) socket.write(this.#currentWire());
    else writeAll(socket, this.#currentHead(), this.#body);
  }

  /** Head and body in one: a write of one buffer costs the kernel and Node half of what a write of two costs. */
  #currentWire(): Buffer {
    const head = this.#currentHead();
    if (this.#wire === null || this.#wireHead !== head) {
      this.#wire = Buffer.concat([head, ...this.#body]);
      this.#wireHead = head;
    }
    return this.#wire;
  }

  /** A head tells the date, so it is good for a second. */
  #currentHead(): Buffer {
    const second = Math.floor(Date.now() / 1_000);
    if (this.#head === null || this.#headSecond !== second) {
      this.#headSecond = second;
      const fields = Object.entries(this.#headers).map(([name, value]) => `${name}: ${value}\r\n`);
      this.#head = Buffer.from(
        `HTTP/1.1 ${this.status} ${REASONS[this.status] ?? ''}\r\n${fields.join('')}date: ${new Date().toUTCString()}\r\n` +
          `connection: keep-alive\r\nkeep-alive: timeout=${KEEP_ALIVE_TIMEOUT_MS / 1_000}\r\n\r\n`,
      );
    }
    return this.#head;
  }
}

function writeAll(socket: Socket, head: Buffer, body: readonly Buffer[]): void {
  socket.cork();
  socket.write(head);
  for (const part of body) socket.write(part);
  socket.uncork();
}

/**
 * The bytes of `Range` that are wanted, `to` exclusive. Null when the header is to be ignored: another unit, several ranges (we
 * serve one at a time), nonsense (RFC 9110, 14.2).
 */
export function readByteRange(header: string, bytes: number): { from: number; to: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const count = Math.min(Number(last), bytes);
    return count === 0 ? 'unsatisfiable' : { from: bytes - count, to: bytes };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return null;
  if (from >= bytes) return 'unsatisfiable';
  return { from, to: last === '' ? bytes : Math.min(Number(last) + 1, bytes) };
}

function slice(body: readonly Buffer[], from: number, to: number): Buffer[] {
  const parts: Buffer[] = [];
  let offset = 0;
  for (const part of body) {
    const start = Math.max(0, from - offset);
    const end = Math.min(part.length, to - offset);
    if (start < end) parts.push(part.subarray(start, end));
    offset += part.length;
  }
  return parts;
}
