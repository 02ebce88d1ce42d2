import { type Static, Type } from 'typebox';
import type { Role } from './accounts.ts';
import type { ProductCard } from './catalog.ts';
import { PlaybackId } from './ids.ts';
import type { Reason } from './problem.ts';

/**
 * Socket.IO messages of the realtime plane: namespaces `/` (products), `/chat` and `/streaming` (viewers, stream state)
 * on one connection. Rooms are `stream:{playbackId}` on `/` and `/streaming`, `live:{playbackId}` on `/chat`.
 * Handshake `auth`: `SocketAuth`. No token: an anonymous viewer who may watch, count and read, but not write.
 */
export const SocketAuth = Type.Object({
  /** Room token from commerce, or the resume token realtime handed out before. */
  token: Type.Optional(Type.String({ maxLength: 2048 })),
  resume: Type.Optional(Type.String({ maxLength: 2048 })),
});
export type SocketAuth = Static<typeof SocketAuth>;

/** Place in a room's chat journal. `epoch` changes when the journal was lost; `seq` grows by one per message. */
export const ChatCursor = Type.Object({ epoch: Type.String({ maxLength: 64 }), seq: Type.Integer({ minimum: 0 }) });
export type ChatCursor = Static<typeof ChatCursor>;

export const CHAT_MESSAGE_CHARS_MAX = 500;
export const CHAT_HISTORY_MAX = 100;

export const ChatJoin = Type.Object({ liveId: PlaybackId, since: Type.Optional(ChatCursor) });
export type ChatJoin = Static<typeof ChatJoin>;
/** `clientId` is the sender's own id of the message: sending it again never posts twice. */
export const ChatSend = Type.Object({
  liveId: PlaybackId,
  message: Type.String({ minLength: 1, maxLength: CHAT_MESSAGE_CHARS_MAX }),
  clientId: Type.String({ minLength: 8, maxLength: 64 }),
});
export type ChatSend = Static<typeof ChatSend>;
export const RoomJoin = Type.Object({ playbackId: PlaybackId });
export type RoomJoin = Static<typeof RoomJoin>;

export type ChatMessage = {
  readonly id: string;
  readonly seq: number;
  readonly clientId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly message: string;
  readonly timestampMs: number;
};

export type Refused = {
  readonly ok: false;
  readonly reason: Reason;
  /** A sentence for people. */
  readonly detail: string;
  readonly retryAfterMs?: number;
};
export type Ack<T> = (answer: ({ readonly ok: true } & T) | Refused) => void;

/** `gap` true: more than the ring was missed (or the epoch changed); `messages` is the ring as it is now. */
export type ChatJoined = {
  readonly cursor: ChatCursor;
  readonly messages: readonly ChatMessage[];
  readonly gap: boolean;
};
export type ChatSent = { readonly id: string; readonly cursor: ChatCursor };
export type StreamState = 'live' | 'interrupted' | 'ended' | 'unknown';
export type ViewerJoined = { readonly viewerCount: number; readonly approximate: boolean; readonly state: StreamState };

export type RootClientEvents = {
  'stream:join': (payload: RoomJoin, ack: Ack<Record<never, never>>) => void;
  'stream:leave': (payload: RoomJoin) => void;
};
export type RootServerEvents = {
  /** Resume token (12 h): present it as `auth.resume` on the next connection, so that commerce is not asked. */
  'session:resume': (payload: { readonly token: string; readonly expiresAtMs: number }) => void;
  'product:pinned': (payload: {
    readonly playbackId: string;
    readonly product: ProductCard;
    readonly pinnedAtMs: number;
  }) => void;
  'product:unpinned': (payload: {
    readonly playbackId: string;
    readonly productId: string;
    readonly atMs: number;
  }) => void;
  'product:added': (payload: { readonly playbackId: string; readonly product: ProductCard }) => void;
  'product:updated': (payload: { readonly playbackId: string; readonly product: ProductCard }) => void;
  'product:deleted': (payload: { readonly playbackId: string; readonly productId: string }) => void;
  'product:stock:update': (payload: {
    readonly playbackId: string;
    readonly productId: string;
    readonly variantId: string;
    readonly availableUnits: number;
    readonly stockVersion: number;
  }) => void;
  'product:sold-out': (payload: {
    readonly playbackId: string;
    readonly productId: string;
    readonly variantId: string;
  }) => void;
};

export type ChatClientEvents = {
  'chat:join': (payload: ChatJoin, ack: Ack<ChatJoined>) => void;
  'chat:leave': (payload: { readonly liveId: string }) => void;
  'chat:send': (payload: ChatSend, ack: Ack<ChatSent>) => void;
};
export type ChatServerEvents = {
  /**
   * One or more messages, in order of `seq`. `epoch` with the last `seq` is the cursor to rejoin with: the place of what
   * was received, while the cursor of a `chat:send` answer may be ahead of it.
   */
  'chat:messages': (payload: {
    readonly liveId: string;
    readonly epoch?: string;
    readonly messages: readonly ChatMessage[];
  }) => void;
};

export type StreamingClientEvents = {
  'stream:viewer:join': (payload: RoomJoin, ack: Ack<ViewerJoined>) => void;
  'stream:viewer:leave': (payload: RoomJoin) => void;
};
export type StreamingServerEvents = {
  'stream:viewer:update': (payload: {
    readonly playbackId: string;
    readonly viewerCount: number;
    readonly approximate: boolean;
  }) => void;
  'stream:started': (payload: { readonly playbackId: string; readonly atMs: number }) => void;
  'stream:interrupted': (payload: {
    readonly playbackId: string;
    readonly atMs: number;
    readonly graceEndsAtMs: number | null;
  }) => void;
  'stream:resumed': (payload: { readonly playbackId: string; readonly atMs: number }) => void;
  'stream:ended': (payload: { readonly playbackId: string; readonly atMs: number }) => void;
};
