import type { ChatMessage } from '@showfloor/protocol';

/** A message that has no place in its room yet. */
export type UnplacedMessage = Omit<ChatMessage, 'seq'>;

/** A room as all nodes know it. */
export type SharedRoomState = {
  readonly epoch: string;
  readonly seq: number;
  /** The last messages, in order. */
  readonly messages: readonly ChatMessage[];
};

export type ReconcileRequest = {
  /** The shared epoch this node knew; null: none. */
  readonly knownEpoch: string | null;
  readonly seq: number;
  /** Somebody wants to write: make the room when it is not there. */
  readonly isNeeded: boolean;
  /** Null: only look, while the shared room is the one that is known. */
  readonly offered: readonly { readonly message: ChatMessage; readonly isApart: boolean }[] | null;
};

/**
 * Rooms that several nodes hold together. Null answers: it could not be done in time, the node is on its own.
 * `ChatRoom` and `RoomSharing` know nothing of Redis beyond this.
 */
export type SharedChat = {
  readonly isJoined: boolean;
  /** Gives the message its place. `elsewhere`: the shared room is not in this epoch (any more), or not there. */
  readonly append: (liveId: string, epoch: string, message: UnplacedMessage) => Promise<number | 'elsewhere' | null>;
  /** `unknown`: the shared room is another one than was known, offer everything. */
  readonly reconcile: (
    liveId: string,
    request: ReconcileRequest,
  ) => Promise<SharedRoomState | 'absent' | 'unknown' | null>;
  /** Where the shared room is now. */
  readonly head: (liveId: string) => Promise<{ readonly epoch: string; readonly seq: number } | 'absent' | null>;
};
