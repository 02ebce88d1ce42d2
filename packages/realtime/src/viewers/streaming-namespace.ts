import { RoomJoin, type ViewerJoined } from '@showfloor/protocol';
import type { Namespace, Socket } from 'socket.io';
import { Compile } from 'typebox/compile';
import type { StreamStates } from '../live-events/stream-states.ts';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import { streamRoom } from '../root-namespace.ts';
import type { Broadcaster } from '../transport/broadcast.ts';
import { refuse, type SocketEdge } from '../transport/socket-edge.ts';
import { Paced } from './paced.ts';
import { ROOMS_PER_CONNECTION_MAX, type ViewerRooms } from './viewer-rooms.ts';

const roomJoin = Compile(RoomJoin);

export type StreamingOptions = {
  readonly namespace: Namespace;
  readonly edge: SocketEdge;
  readonly broadcaster: Broadcaster;
  readonly rooms: ViewerRooms;
  readonly states: StreamStates;
  readonly metrics: RealtimeMetrics;
};

/** `/streaming`: who watches. Returns what stops its timers. */
export function serveStreaming(options: StreamingOptions): { readonly close: () => void } {
  const { namespace, edge, broadcaster, rooms, states, metrics } = options;
  const updates = new Paced(
    (playbackId) => {
      const update = { playbackId, viewerCount: rooms.count(playbackId), approximate: false };
      broadcaster.send(namespace, streamRoom(playbackId), 'stream:viewer:update', update);
    },
    (playbackId) => rooms.count(playbackId),
  );
  const left = (playbackId: string): void => {
    metrics.viewerLeaves.inc();
    updates.changed(playbackId);
  };
  namespace.on('connection', (socket: Socket) => {
    edge.on(socket, 'stream:viewer:join', roomJoin, ({ playbackId }) => {
      const joined = rooms.join(playbackId, socket.id);
      if (joined === 'full') {
        return refuse('overloaded', `at most ${ROOMS_PER_CONNECTION_MAX} shows at once: leave one first`);
      }
      void socket.join(streamRoom(playbackId));
      if (joined === 'joined') {
        metrics.viewerJoins.inc();
        updates.changed(playbackId);
      }
      const answer: ViewerJoined = {
        viewerCount: rooms.count(playbackId),
        approximate: false,
        state: states.get(playbackId),
      };
      return { ok: true, ...answer };
    });
    edge.on(socket, 'stream:viewer:leave', roomJoin, ({ playbackId }) => {
      void socket.leave(streamRoom(playbackId));
      if (rooms.leave(playbackId, socket.id)) left(playbackId);
      return undefined;
    });
    socket.on('disconnect', () => {
      for (const playbackId of rooms.drop(socket.id)) left(playbackId);
    });
  });
  return { close: () => updates.close() };
}
