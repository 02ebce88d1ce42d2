import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import type { Server } from 'socket.io';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import { clientAddress, isLoopback } from './client-address.ts';
import { type EngineConnection, terminate } from './connection-internals.ts';
import { originAllowed } from './origin-policy.ts';

/** A page sends a few packets per second at most; a connection that sends more is ended. */
export const PACKETS_PER_WINDOW_MAX = 200;
const PACKET_WINDOW_MS = 10_000;
const RETRY_AFTER_SECONDS = 5;

export type GateOptions = {
  readonly allowedOrigins: readonly string[];
  readonly proxies: BlockList;
  readonly connectionsMax: number;
  /** Loopback is exempt: behind a proxy that is not trusted everyone would share it. */
  readonly connectionsPerAddressMax: number;
  readonly metrics: RealtimeMetrics;
  /** Asked on every packet: a connection that asks but does not read must not be answered for ever. */
  readonly endsIfSlow: (connection: EngineConnection) => boolean;
};

type Refusal = {
  readonly status: '403 Forbidden' | '429 Too Many Requests' | '503 Service Unavailable';
  reason: string;
};

/** Lets handshakes in or refuses them with a clear HTTP answer, and ends connections that flood. Holds who is connected. */
export class ConnectionGate {
  readonly #options: GateOptions;
  readonly #connections = new Set<EngineConnection>();
  readonly #perAddress = new Map<string, number>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get connections(): ReadonlySet<EngineConnection> {
    return this.#connections;
  }

  /** Puts the gate in front of `io`, which must be attached to its HTTP server. */
  guard(io: Server): void {
    io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
      const refusal = this.#refusal(request);
      if (refusal === null) return next();
      this.#options.metrics.connectionsRefused.inc({ reason: refusal.reason });
      answerRefusal(request, response, refusal);
    });
    io.engine.on('connection', (connection: EngineConnection) => this.#opened(connection));
  }

  #refusal(request: IncomingMessage): Refusal | null {
    if (!originAllowed(request.headers, this.#options.allowedOrigins))
      return { status: '403 Forbidden', reason: 'origin' };
    if (/[?&]sid=/.test(request.url ?? '')) return null; // a connection that is open already
    if (this.#connections.size >= this.#options.connectionsMax) {
      return { status: '503 Service Unavailable', reason: 'connections_max' };
    }
    const address = clientAddress(request, this.#options.proxies);
    const fromAddress = this.#perAddress.get(address) ?? 0;
    if (!isLoopback(address) && fromAddress >= this.#options.connectionsPerAddressMax) {
      return { status: '429 Too Many Requests', reason: 'connections_per_address_max' };
    }
    return null;
  }

  #opened(connection: EngineConnection): void {
    const address = clientAddress(connection.request, this.#options.proxies);
    this.#connections.add(connection);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#options.metrics.connectionsOpened.inc();
    connection.once('close', () => {
      this.#connections.delete(connection);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    this.#watchPackets(connection);
  }

  /** Text only, and not too often: binary packets have no use here. */
  #watchPackets(connection: EngineConnection): void {
    let windowEndsAtMs = 0;
    let packets = 0;
    let isEnded = false;
    connection.on('data', (data: unknown) => {
      if (isEnded) return; // what was on its way already
      const nowMs = performance.now();
      if (nowMs >= windowEndsAtMs) {
        windowEndsAtMs = nowMs + PACKET_WINDOW_MS;
        packets = 0;
      }
      packets += 1;
      const cause = typeof data !== 'string' ? 'binary' : packets > PACKETS_PER_WINDOW_MAX ? 'flood' : null;
      if (cause === null) {
        this.#options.endsIfSlow(connection);
        return;
      }
      isEnded = true;
      this.#options.metrics.connectionsEnded.inc({ cause });
      terminate(connection);
    });
  }
}

/** A WebSocket handshake has no `ServerResponse`: its refusal is written to the socket itself. */
function answerRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const body = JSON.stringify({ code: 4, message: refusal.reason });
  const headers = [
    `HTTP/1.1 ${refusal.status}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(refusal.reason === 'origin' ? [] : [`Retry-After: ${RETRY_AFTER_SECONDS}`]),
  ];
  if (request.headers.upgrade === undefined) {
    const fields = headers.slice(1).map((line) => line.split(': ') as [string, string]);
    response.writeHead(Number(refusal.status.slice(0, 3)), Object.fromEntries(fields)).end(body);
    return;
  }
  request.socket.on('error', () => request.socket.destroy());
  request.socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
