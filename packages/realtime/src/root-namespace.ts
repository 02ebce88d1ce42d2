import { RoomJoin } from '@showfloor/protocol';
import type { Namespace, Socket } from 'socket.io';
import { Compile } from 'typebox/compile';
import { identityOf } from './identity/admission.ts';
import type { ResumeTokens } from './identity/resume-tokens.ts';
import { refuse, type SocketEdge } from './transport/socket-edge.ts';
import { ROOMS_PER_CONNECTION_MAX } from './viewers/viewer-rooms.ts';

const roomJoin = Compile(RoomJoin);

/** Room of a show on `/` and `/streaming`. */
export function streamRoom(playbackId: string): string {
  return `stream:${playbackId}`;
}

/** `/`: rooms for product events, and the resume token of those who are somebody. */
export function serveRoot(namespace: Namespace, edge: SocketEdge, resumeTokens: ResumeTokens): void {
  namespace.on('connection', (socket: Socket) => {
    const identity = identityOf(socket);
    if (identity !== null) socket.emit('session:resume', resumeTokens.issue(identity));
    edge.on(socket, 'stream:join', roomJoin, ({ playbackId }) => {
      const room = streamRoom(playbackId);
      // Its own id is a room too.
      if (!socket.rooms.has(room) && socket.rooms.size > ROOMS_PER_CONNECTION_MAX) {
        return refuse('overloaded', `at most ${ROOMS_PER_CONNECTION_MAX} shows at once: leave one first`);
      }
      void socket.join(room); // in memory: done when it returns
      return undefined;
    });
    edge.on(socket, 'stream:leave', roomJoin, ({ playbackId }) => {
      void socket.leave(streamRoom(playbackId));
      return undefined;
    });
  });
}
