import { createServer, type Server } from 'node:net';
import { listen } from '@showfloor/service-kit';
import { RtmpSession, type RtmpSessionContext } from './rtmp-session.ts';
import { WaitingPeers, type WaitingPeersLimits } from './waiting-peers.ts';

/** Connections beyond the admitted publishers that may be shaking hands at one time. */
const WAITING_MAX = 1_000;

/** Listens for publishers. `close` cuts all sessions. */
export class RtmpServer {
  readonly #context: RtmpSessionContext;
  readonly #server: Server;
  readonly #sessions = new Map<string, RtmpSession>();
  readonly #waiting: WaitingPeers;

  constructor(context: RtmpSessionContext, options: { streamsMax: number; waitingPeers: WaitingPeersLimits }) {
    this.#context = context;
    this.#waiting = new WaitingPeers(options.waitingPeers);
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 }, (socket) => {
      const stopWaiting = this.#waiting.enter(socket.remoteAddress ?? '');
      if (stopWaiting === null) {
        context.metrics.rtmpEnds.inc({ reason: 'too_many_waiting' });
        socket.destroy();
        return;
      }
      const session = new RtmpSession(socket, context, stopWaiting);
      this.#sessions.set(session.clientId, session);
      socket.on('close', () => {
        stopWaiting();
        this.#sessions.delete(session.clientId);
      });
    });
    this.#server.maxConnections = options.streamsMax + WAITING_MAX;
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
