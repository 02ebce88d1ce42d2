import { PlaybackId } from '@showfloor/protocol';
import type { Namespace } from 'socket.io';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { StoredMessage } from '../chat/journal-lines.ts';

/**
 * What nodes tell each other, through Socket.IO's `serverSideEmit`. All of it only hints at what Redis holds: a message that is
 * lost, late or repeated costs a read, never a place in a room.
 */
const SCHEMAS = {
  /** Messages have been given their places. */
  'chat:placed': Type.Object({ liveId: PlaybackId, epoch: Type.String(), messages: Type.Array(StoredMessage) }),
  /** A room has changed in another way. */
  'chat:changed': Type.Object({ liveId: PlaybackId }),
  /** How many viewers a node has in a room. */
  'viewers:changed': Type.Object({
    nodeId: Type.String(),
    playbackId: PlaybackId,
    count: Type.Integer({ minimum: 0 }),
  }),
  /** The log of live events has grown. */
  'events:added': Type.Object({}),
} as const;

export type NodeMessages = { readonly [N in keyof typeof SCHEMAS]: Static<(typeof SCHEMAS)[N]> };

/** Tells the other nodes, if they can be reached. */
export function tellNodes<N extends keyof NodeMessages>(namespace: Namespace, name: N, message: NodeMessages[N]): void {
  namespace.serverSideEmit(name as string, message);
}

/** Calls `handle` for each `name` of another node on this namespace. */
export function hearNodes<N extends keyof NodeMessages>(
  namespace: Namespace,
  name: N,
  handle: (message: NodeMessages[N]) => void,
  onMalformed: () => void,
): void {
  const check = Compile(SCHEMAS[name]);
  namespace.on(name as string, (message: unknown) => {
    if (check.Check(message)) handle(message as NodeMessages[N]);
    else onMalformed();
  });
}
