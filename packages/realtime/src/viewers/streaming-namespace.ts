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

/** The viewers of all nodes. */
export type AllViewers = {
  readonly count: (playbackId: string) => { readonly count: number; readonly isApproximate: boolean };
  /** The viewers of this node have changed: tells the others, and learns theirs. Resolves soon, whatever Redis does. */
  readonly changedHere: (playbackId: string) => Promise<void>;
  /** Learns how many the others have in a room that is new to this node. */
  readonly learn: (playbackId: string) => Promise<void>;
};

export type StreamingOptions = {
  readonly namespace: Namespace;
  readonly edge: SocketEdge;
  readonly broadcaster: Broadcaster;
  readonly rooms: ViewerRooms;
  /** Absent: this node has them all. */
  readonly all?: AllViewers | undefined;
  readonly states: StreamStates;
  readonly metrics: RealtimeMetrics;
};

export type StreamingService = {
  /** What other nodes have in a room has changed: its viewers are told. */
  readonly changedElsewhere: (playbackId: string) => void;
  /** Stops the timers. */
  readonly close: () => void;
};

/** `/streaming`: who watches. */
export function serveStreaming(options: StreamingOptions): StreamingService {
  const { namespace, edge, broadcaster, rooms, all, states, metrics } = options;
  const counted = (playbackId: string): { viewerCount: number; approximate: boolean } => {
    const { count, isApproximate } = all?.count(playbackId) ?? { count: rooms.count(playbackId), isApproximate: false };
    return { viewerCount: count, approximate: isApproximate };
  };
  const tell = (playbackId: string): void =>
    broadcaster.send(namespace, streamRoom(playbackId), 'stream:viewer:update', { playbackId, ...counted(playbackId) });
  /** Rooms whose change the other nodes have not heard of. */
  const untold = new Set<string>();
  const updates = new Paced(
    (playbackId) => {
      if (all === undefined || !untold.delete(playbackId)) tell(playbackId);
      else void all.changedHere(playbackId).then(() => tell(playbackId));
    },
    (playbackId) => rooms.count(playbackId),
  );
  const changed = (playbackId: string): void => {
    if (all !== undefined) untold.add(playbackId);
    updates.changed(playbackId);
  };
  const left = (playbackId: string): void => {
    metrics.viewerLeaves.inc();
    changed(playbackId);
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
        changed(playbackId);
      }
      const answer = (): { readonly ok: true } & ViewerJoined => ({
        ok: true,
        ...counted(playbackId),
        state: states.get(playbackId),
      });
      return all === undefined ? answer() : all.learn(playbackId).then(() => answer);
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
  return { changedElsewhere: (playbackId) => updates.changed(playbackId), close: () => updates.close() };
}
