import type { Refused } from '@showfloor/protocol';
import { countBug, type Logger } from '@showfloor/service-kit';
import type { Namespace, Socket } from 'socket.io';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import { refuse } from '../transport/socket-edge.ts';
import type { Authentication } from './authentication.ts';
import type { Identity } from './identity.ts';
import type { Revocations } from './revocations.ts';

/** Who this socket speaks for; null: an anonymous viewer. Set at admission, before any handler of ours runs. */
export function identityOf(socket: Socket): Identity | null {
  return (socket.data as { readonly identity?: Identity }).identity ?? null;
}

/** Lets connections into a namespace, each with its identity; a token that is not valid is a `connect_error`. */
export function admit(
  namespace: Namespace,
  authentication: Authentication,
  metrics: RealtimeMetrics,
  log: Logger,
): void {
  const answer = async (socket: Socket, next: (error?: Error) => void): Promise<void> => {
    const refused = await refusalOf(socket, authentication, metrics, log);
    next(refused === null ? undefined : Object.assign(new Error(refused.reason), { data: refused }));
  };
  namespace.use((socket, next) => void answer(socket, next));
}

async function refusalOf(
  socket: Socket,
  authentication: Authentication,
  metrics: RealtimeMetrics,
  log: Logger,
): Promise<Refused | null> {
  try {
    const result = await authentication.authenticate(socket.conn, socket.handshake.auth);
    metrics.authentications.inc({ outcome: result.outcome });
    if (result.outcome === 'refused') {
      return refuse(
        'token_invalid',
        'the token is not valid any more: get a new one, or connect without to watch only',
      );
    }
    if (result.identity !== null) (socket.data as { identity?: Identity }).identity = result.identity;
    return null;
  } catch (error) {
    countBug();
    log.error({ err: error }, 'admission.failed');
    return refuse('internal', 'something went wrong on our side; try again');
  }
}

/** Ends every connection whose identity has been revoked; its client is told, and does not come back by itself. */
export function endRevoked(namespace: Namespace, revocations: Revocations, metrics: RealtimeMetrics): void {
  for (const socket of namespace.sockets.values()) {
    const identity = identityOf(socket);
    if (identity === null || !revocations.has(identity)) continue;
    metrics.connectionsEnded.inc({ cause: 'revoked' });
    socket.disconnect(true);
  }
}
