/**
 * The public HTTP listener. Requests are read by node:http, but for usual ones of FLV (`front-door.ts`). An FLV response is written to the
 * raw socket, because the shared buffers need neither chunked framing nor a copy of the head per write. HLS is `hls-delivery.ts`'s.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from '@showfloor/service-kit';
import type { Stream } from '../hub/stream.ts';
import type { StreamHub } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import type { TrustedProxies } from './client-address.ts';
import type { FlvDelivery } from './flv-delivery.ts';
import { openFrontDoor } from './front-door.ts';
import type { Asking, HlsDelivery } from './hls-delivery.ts';
import { readHlsPath } from './hls-request.ts';
import { CORS_HEADERS, HttpAnswer, KEEP_ALIVE_TIMEOUT_MS } from './http-answer.ts';
import type { HttpConnection, HttpConnections } from './http-connections.ts';
import type { PlainFlvRequest } from './plain-flv-request.ts';

/** `/live/live/` is where SRS puts it. */
const FLV_PATH = /^\/live\/(?:live\/)?([a-z0-9-]{1,64})\.flv$/;
const RETRY_AFTER_SECONDS = 5;
const HEADERS_TIMEOUT_MS = 10_000;
/** Connections beyond the viewers that may be asking: they get their 503 instead of silence. */
const ASKING_CONNECTIONS_MAX = 1_000;

const SERVER_OPTIONS: ServerOptions & { optimizeEmptyRequests: boolean } = {
  noDelay: true,
  headersTimeout: HEADERS_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  maxHeaderSize: 8_192,
  optimizeEmptyRequests: true, // no body stream for requests that have none: a tenth of what a request costs
};

const FLV_HEADERS = {
  ...CORS_HEADERS,
  'content-type': 'video/x-flv',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no', // nginx in front: pass on as it comes
  connection: 'close',
} as const;

const FLV_HEAD = Buffer.from(
  `HTTP/1.1 200 OK\r\n${Object.entries(FLV_HEADERS)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`,
);

const METHOD_NOT_ALLOWED = HttpAnswer.problem(405, 'method_not_allowed', { allow: 'GET, HEAD, OPTIONS' });
const NOT_ON_AIR = HttpAnswer.problem(404, 'not_on_air');
const FULL = HttpAnswer.problem(503, 'full', { 'retry-after': String(RETRY_AFTER_SECONDS) });

export type HttpDeliveryOptions = Readonly<{
  hub: StreamHub;
  flv: FlvDelivery;
  hls: HlsDelivery;
  connections: HttpConnections;
  proxies: TrustedProxies;
  metrics: MediaMetrics;
  /** False when the process has all the connections it may carry. */
  hasRoom: () => boolean;
  connectionsMax: number;
}>;

/** Serves viewers. `close` cuts them all. */
export class HttpDelivery {
  readonly #options: HttpDeliveryOptions;
  readonly #server: Server;
  /** Sockets that carry an FLV response: nothing else may be asked on them. */
  readonly #watching = new WeakSet<Socket>();

  constructor(options: HttpDeliveryOptions) {
    this.#options = options;
    this.#server = createServer(SERVER_OPTIONS, (request, response) => this.#answer(request, response));
    this.#server.maxConnections = options.connectionsMax + ASKING_CONNECTIONS_MAX;
    openFrontDoor(this.#server, {
      firstBytesMs: HEADERS_TIMEOUT_MS,
      onConnection: (socket) => options.connections.add(socket),
      letIn: (socket, request) => this.#letIn(socket, request),
    });
    this.#server.on('drop', () => options.metrics.plays.inc({ protocol: 'flv', outcome: 'dropped' }));
  }

  /** Resolves with the bound port. Throws StartError. */
  async listen(at: { host: string; port: number }): Promise<number> {
    return listen(this.#server, at);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#options.flv.close();
    this.#options.hls.close();
    this.#server.closeAllConnections();
    this.#options.connections.cutAll();
    await closed;
  }

  #letIn(socket: Socket, { playbackId, forwardedFor }: PlainFlvRequest): boolean {
    const { hub, connections, hasRoom } = this.#options;
    const [stream, connection] = [hub.find(playbackId), connections.find(socket)];
    if (stream === undefined || connection === undefined || !hasRoom()) return false; // node:http says so
    this.#watch(stream, connection, forwardedFor);
    return true;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#watching.has(request.socket)) {
      request.socket.destroy(); // a pipelined request would be a second viewer on one connection
      return;
    }
    const connection = this.#options.connections.find(request.socket);
    if (connection === undefined) return; // closed meanwhile
    if (this.#options.hls.keepsBack(connection, () => this.#answer(request, response))) return;
    const { path, query } = splitUrl(request.url ?? '');
    if (request.method === 'OPTIONS') {
      response.writeHead(204, CORS_HEADERS).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      METHOD_NOT_ALLOWED.send(request, response);
      return;
    }
    const target = readHlsPath(path);
    const asking = { request, response, connection };
    if (target === null) this.#answerFlv(path, asking);
    else this.#options.hls.handle(target, query, asking);
  }

  #answerFlv(path: string, { request, response, connection }: Asking): void {
    const { metrics, connections } = this.#options;
    const playbackId = FLV_PATH.exec(path)?.[1];
    const stream = playbackId === undefined ? undefined : this.#options.hub.find(playbackId);
    if (stream === undefined) {
      metrics.plays.inc({ protocol: 'flv', outcome: 'not_found' });
      NOT_ON_AIR.send(request, response);
      return;
    }
    if (!this.#options.hasRoom()) {
      metrics.plays.inc({ protocol: 'flv', outcome: 'full' });
      FULL.send(request, response);
      return;
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, FLV_HEADERS).end();
      return;
    }
    if (response.socket === null) {
      request.socket.destroy(); // asked for behind an answer that is still to come
      return;
    }
    connections.unmarkHls(connection);
    this.#watching.add(connection.socket);
    const forwarded = request.headers['x-forwarded-for'];
    this.#watch(stream, connection, typeof forwarded === 'string' ? forwarded : forwarded?.join(','));
  }

  #watch(stream: Stream, { socket, remoteAddress }: HttpConnection, forwardedFor: string | undefined): void {
    socket.write(FLV_HEAD);
    this.#options.flv.watch(stream, socket, this.#options.proxies.clientOf(remoteAddress, forwardedFor));
  }
}

function splitUrl(url: string): { path: string; query: string } {
  const at = url.indexOf('?');
  return at === -1 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}
