import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { listen } from '@showfloor/service-kit';
import { RtmpSession, type RtmpSessionContext } from './rtmp-session.ts';
import type { TlsCertificate } from './tls-certificate.ts';
import { WaitingPeers, type WaitingPeersLimits } from './waiting-peers.ts';

/** Connections beyond the admitted publishers that may be shaking hands at one time. */
const WAITING_MAX = 1_000;

/** Listens for publishers, by RTMP and, with a certificate, by RTMPS. `close` cuts all sessions. */
export class RtmpServer {
  readonly #context: RtmpSessionContext;
  readonly #connectionsMax: number;
  readonly #servers: Server[] = [];
  readonly #sessions = new Map<string, RtmpSession>();
  readonly #waiting: WaitingPeers;

  constructor(context: RtmpSessionContext, options: { streamsMax: number; waitingPeers: WaitingPeersLimits }) {
    this.#context = context;
    this.#connectionsMax = options.streamsMax + WAITING_MAX;
    this.#waiting = new WaitingPeers(options.waitingPeers);
  }

  /** Listens for RTMP, or for RTMPS when a certificate is given. Resolves with the bound port. Throws StartError. */
  async listen(at: { host: string; port: number }, certificate?: TlsCertificate): Promise<number> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 }, (socket) =>
      this.#accept(socket, certificate),
    );
    server.maxConnections = this.#connectionsMax;
    server.on('drop', () => this.#context.metrics.rtmpEnds.inc({ reason: 'too_many_connections' }));
    const port = await listen(server, at);
    this.#servers.push(server);
    return port;
  }

  /** Sessions that are open, publishing or not. */
  get sessions(): ReadonlyMap<string, RtmpSession> {
    return this.#sessions;
  }

  get connectionCount(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const session of this.#sessions.values()) session.close('server_stopping');
    this.#context.log.info({ sessions: this.#sessions.size }, 'rtmp.listener_closed');
    await Promise.all(closed);
  }

  #accept(socket: Socket, certificate: TlsCertificate | undefined): void {
    const stopWaiting = this.#waiting.enter(socket.remoteAddress ?? '');
    if (stopWaiting === null) {
      this.#context.metrics.rtmpEnds.inc({ reason: 'too_many_waiting' });
      socket.destroy();
      return;
    }
    // The session's own time limit for the handshake begins here and covers that of TLS.
    const plain =
      certificate === undefined
        ? socket
        : new TLSSocket(socket, { isServer: true, secureContext: certificate.context });
    const session = new RtmpSession(plain, this.#context, stopWaiting);
    this.#sessions.set(session.clientId, session);
    socket.on('close', () => {
      stopWaiting();
      this.#sessions.delete(session.clientId);
    });
  }
}
