/** Somebody in the room who only notes what the platform says about the show: interrupted, resumed, ended. */
import { monotonicMs } from '../clock.ts';
import type { RoomDialect, ShowChange, TargetDescription } from '../target/target.ts';
import { pause } from './actor.ts';
import { SocketIoConnection } from './socket-io-connection.ts';

const RECONNECT_MS = 500;
/** Outside the addresses of virtual users, which count up from 10.0.0.1. */
const FORWARDED_FOR = '10.255.255.254';

/** Stays in the room until the signal aborts; a connection that is lost is opened again. `atMs` is monotonic. */
export async function watchShow(
  { room }: TargetDescription,
  dialect: RoomDialect,
  signal: AbortSignal,
  onChange: (change: ShowChange, atMs: number) => void,
): Promise<void> {
  if (room === null || dialect.readShow === undefined) return;
  while (!signal.aborted) {
    const lost = Promise.withResolvers<void>();
    const waiting = new Set(dialect.namespaces);
    const connection = new SocketIoConnection(
      {
        url: room.webSocketUrl,
        namespaces: dialect.namespaces,
        auth: dialect.auth(null),
        headers: { 'X-Forwarded-For': FORWARDED_FOR },
      },
      {
        onNamespace: (namespace) => {
          if (!waiting.delete(namespace) || waiting.size > 0) return;
          for (const join of dialect.joins(room.name)) void connection.emit(join.namespace, join.event, join.payload);
        },
        onEvent: (_namespace, event, payload) => {
          const change = dialect.readShow?.(event, payload) ?? null;
          if (change !== null) onChange(change, monotonicMs());
        },
        onClosed: () => lost.resolve(),
      },
    );
    const leave = (): void => lost.resolve();
    signal.addEventListener('abort', leave, { once: true });
    await lost.promise;
    signal.removeEventListener('abort', leave);
    connection.close();
    await pause(RECONNECT_MS, signal);
  }
}
