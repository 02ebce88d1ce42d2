import { createServer, type Server } from 'node:net';
import { listen } from '@showfloor/service-kit';
import { RtmpSession, type RtmpSessionContext } from './rtmp-session.ts';

/** Connections beyond the admitted publishers that may be shaking hands at one time. */
const CONNECTIONS_MAX = 1_000;

/** Listens for publishers. `close` cuts all sessions. */
export class RtmpServer {
  readonly #context: RtmpSessionContext;
  readonly #server: Server;
  readonly #sessions = new Map<string, RtmpSession>();

  constructor(context: RtmpSessionContext, options: { connectionsMax?: number } = {}) {
    this.#context = context;
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 }, (socket) => {
      if (context.desk.isBlocked(socket.remoteAddress ?? '')) {
        context.metrics.rtmpEnds.inc({ reason: 'blocked' });
        socket.destroy();
        return;
      }
      const session = new RtmpSession(socket, context);
      this.#sessions.set(session.clientId, session);
      socket.on('close', () => this.#sessions.delete(session.clientId));
    });
    this.#server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#server.on('drop', () => context.metrics.rtmpEnds.inc({ reason: 'too_many_connections' }));
  }

  /** Resolves with the bound port. Throws StartError. */
  async listen(at: { host: string; port: number }): Promise<number> {
    return listen(this.#server, at);
  }

  /** Sessions that are open, publishing or not. */
  get sessions(): ReadonlyMap<string, RtmpSession> {
    return this.#sessions;
  }

  get connectionCount(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions.values()) session.close('server_stopping');
    this.#context.log.info({ sessions: this.#sessions.size }, 'rtmp.listener_closed');
    await closed;
  }
}
