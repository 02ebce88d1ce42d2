/**
 * The public HTTP listener. node:http reads requests; an FLV response is then written to the raw socket, because the
 * shared buffers need neither chunked framing nor a copy of the head per write.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from '@showfloor/service-kit';
import type { StreamHub } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import type { FlvDelivery } from './flv-delivery.ts';

/** `/live/live/` is where SRS puts it. */
const FLV_PATH = /^\/live\/(?:live\/)?([a-z0-9-]{1,64})\.flv$/;
const RETRY_AFTER_SECONDS = 5;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Connections beyond the viewers that may be asking: they get their 503 instead of silence. */
const ASKING_CONNECTIONS_MAX = 1_000;

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Range, Cache-Control, Content-Type',
  'access-control-max-age': '86400',
  'timing-allow-origin': '*',
} as const;

const FLV_HEADERS = {
  ...CORS,
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

export type HttpDeliveryOptions = Readonly<{
  hub: StreamHub;
  flv: FlvDelivery;
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
    this.#server = createServer(
      {
        noDelay: true,
        headersTimeout: HEADERS_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        maxHeaderSize: 8_192,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = options.connectionsMax + ASKING_CONNECTIONS_MAX;
    this.#server.on('drop', () => options.metrics.plays.inc({ protocol: 'flv', outcome: 'dropped' }));
  }

  /** Resolves with the bound port. Throws StartError. */
  async listen(at: { host: string; port: number }): Promise<number> {
    return listen(this.#server, at);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#options.flv.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#watching.has(request.socket)) {
      request.socket.destroy(); // a pipelined request would be a second viewer on one connection
      return;
    }
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'OPTIONS') {
      response.writeHead(204, CORS).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(response, 405, 'method_not_allowed', { allow: 'GET, HEAD, OPTIONS' });
      return;
    }
    const playbackId = FLV_PATH.exec(path)?.[1];
    const stream = playbackId === undefined ? undefined : this.#options.hub.find(playbackId);
    if (stream === undefined) {
      this.#options.metrics.plays.inc({ protocol: 'flv', outcome: 'not_found' });
      refuse(response, 404, 'not_on_air', {});
      return;
    }
    if (!this.#options.hasRoom()) {
      this.#options.metrics.plays.inc({ protocol: 'flv', outcome: 'full' });
      refuse(response, 503, 'full', { 'retry-after': String(RETRY_AFTER_SECONDS) });
      return;
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, FLV_HEADERS).end();
      return;
    }
    const { socket } = request;
    this.#watching.add(socket);
    socket.write(FLV_HEAD);
    this.#options.flv.watch(stream, socket);
  }
}

function refuse(response: ServerResponse, status: number, reason: string, headers: Record<string, string>): void {
  const body = JSON.stringify({ type: 'about:blank', status, reason });
  response
    .writeHead(status, {
      ...CORS,
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    })
    .end(body);
}
