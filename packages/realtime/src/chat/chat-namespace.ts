import {
  CHAT_MESSAGE_CHARS_MAX,
  ChatJoin,
  ChatSend,
  type ChatSent,
  PlaybackId,
  type Refused,
} from '@showfloor/protocol';
import type { Namespace, Socket } from 'socket.io';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { identityOf } from '../identity/admission.ts';
import type { Identity } from '../identity/identity.ts';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import { refuse, type SocketEdge } from '../transport/socket-edge.ts';
import { ROOMS_PER_CONNECTION_MAX } from '../viewers/viewer-rooms.ts';
import type { ChatRooms } from './chat-rooms.ts';
import { cleanText } from './message-text.ts';
import { SendLimits } from './send-limits.ts';

/** One room never takes more than this, however many users write: what 250 ms batches still carry readably. */
export const ROOM_LIMIT = { messagesMax: 500, windowMs: 1_000 } as const;

const chatJoin = Compile(ChatJoin);
const chatLeave = Compile(Type.Object({ liveId: PlaybackId }));
const chatSend = Compile(ChatSend);
/** A message that is only too long gets its own reason. The frame limit bounds what arrives here. */
const longSend = Compile(Type.Object({ ...ChatSend.properties, message: Type.String({ minLength: 1 }) }));

/** What a room allows beyond the limits of everyone: a refusal, or null. */
export type ChatPolicy = (question: {
  readonly identity: Identity;
  readonly liveId: string;
  readonly message: string;
}) => Refused | null;

export type ChatOptions = {
  readonly namespace: Namespace;
  readonly edge: SocketEdge;
  readonly rooms: ChatRooms;
  readonly metrics: RealtimeMetrics;
  readonly policy: ChatPolicy;
};

type SendAnswer = Refused | ({ readonly ok: true } & ChatSent);

/** Room of a show on `/chat`. */
export function chatRoomName(liveId: string): string {
  return `live:${liveId}`;
}

/** `/chat`: everyone may join and read, those with a token may write. */
export function serveChat(options: ChatOptions): void {
  const { namespace, edge } = options;
  const userLimits = new SendLimits();
  const roomLimits = new SendLimits(ROOM_LIMIT);
  namespace.on('connection', (socket: Socket) => {
    edge.on(socket, 'chat:join', chatJoin, (payload) => join(options, socket, payload));
    edge.on(socket, 'chat:leave', chatLeave, ({ liveId }) => {
      void socket.leave(chatRoomName(liveId));
      return undefined;
    });
    edge.on(socket, 'chat:send', longSend, (payload) => send(options, socket, payload, userLimits, roomLimits));
  });
}

async function join({ rooms }: ChatOptions, socket: Socket, { liveId, since }: ChatJoin) {
  const room = isFull(socket, liveId) ? null : await rooms.open(liveId);
  await room?.catchUp(); // what another node acknowledged before this join is in the answer
  // History and membership meet in one turn of the loop, with the answer first: no message falls between, none comes twice.
  return () => {
    if (isFull(socket, liveId)) {
      return refuse('overloaded', `at most ${ROOMS_PER_CONNECTION_MAX} chats at once: leave one first`);
    }
    if (room === null || rooms.find(liveId) !== room) {
      return refuse('overloaded', 'too many chats are open; try again shortly', 5_000);
    }
    if (socket.connected) void socket.join(chatRoomName(liveId));
    return { ok: true as const, ...room.history(since) };
  };
}

/** Its own id is a room too. */
function isFull(socket: Socket, liveId: string): boolean {
  return !socket.rooms.has(chatRoomName(liveId)) && socket.rooms.size > ROOMS_PER_CONNECTION_MAX;
}

async function send(
  { rooms, metrics, policy }: ChatOptions,
  socket: Socket,
  payload: ChatSend,
  userLimits: SendLimits,
  roomLimits: SendLimits,
): Promise<SendAnswer> {
  const identity = identityOf(socket);
  if (identity === null) return refuse('unauthenticated', 'sign in, or continue as a guest, to write');
  const { liveId, clientId } = payload;
  if (!chatSend.Check(payload)) {
    return refuse('message_too_long', `a message has at most ${CHAT_MESSAGE_CHARS_MAX} characters`);
  }
  const room = rooms.find(liveId);
  if (room === undefined || !socket.rooms.has(chatRoomName(liveId))) return refuse('forbidden', 'join the chat first');
  const message = cleanText(payload.message);
  if (message === '') return refuse('bad_request', 'the message is empty');
  const earlier = room.earlierSend(identity.userId, clientId);
  if (earlier !== undefined) {
    metrics.chatDuplicates.inc();
    return { ok: true, ...(await earlier) };
  }
  const refused = policy({ identity, liveId, message }) ?? limit(identity.userId, liveId, userLimits, roomLimits);
  if (refused !== null) return refused;
  metrics.chatMessages.inc();
  return { ok: true, ...(await room.send(identity, clientId, message)) };
}

function limit(userId: string, liveId: string, userLimits: SendLimits, roomLimits: SendLimits): Refused | null {
  const nowMs = performance.now();
  const userWaitMs = userLimits.take(userId, nowMs);
  if (userWaitMs > 0) return refuse('rate_limited', 'you are writing very fast; wait a moment', userWaitMs);
  const roomWaitMs = roomLimits.take(liveId, nowMs);
  return roomWaitMs > 0 ? refuse('overloaded', 'this chat is very busy; try again', roomWaitMs) : null;
}
