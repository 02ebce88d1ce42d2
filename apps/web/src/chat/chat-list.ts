import type { ChatCursor, ChatJoined, ChatMessage } from '@showfloor/protocol';

/** The reader's list: messages in the room's order, own unsent ones below them. Pure: events in, list out. */
export type ChatList = {
  readonly entries: readonly ChatEntry[];
  readonly outgoing: readonly Outgoing[];
  /** Where to go on after a lost connection; null before the first join. */
  readonly cursor: ChatCursor | null;
  /** Messages that arrived since the first join, history not counted: feeds the announcements. */
  readonly receivedTotal: number;
  /** Entries dropped at the bound. */
  readonly droppedTotal: number;
};

export type ChatEntry =
  | { readonly kind: 'message'; readonly key: string; readonly message: ChatMessage }
  | { readonly kind: 'gap'; readonly key: string };

/** A message of one's own on its way. `accepted`: the server has it, its copy in the room is awaited. */
export type Outgoing = {
  readonly clientId: string;
  readonly text: string;
  readonly state: 'pending' | 'accepted' | 'failed';
  readonly problem: SendProblem | null;
};

export type SendProblem = 'offline' | 'rate_limited' | 'message_too_long' | 'unauthenticated' | 'refused';

export type ChatEvent =
  | { readonly type: 'joined'; readonly answer: ChatJoined }
  /** One batch, in the room's order. `epoch` undefined: the one of the cursor. */
  | { readonly type: 'received'; readonly epoch?: string | undefined; readonly messages: readonly ChatMessage[] }
  | { readonly type: 'sending'; readonly clientId: string; readonly text: string }
  | { readonly type: 'accepted'; readonly clientId: string }
  | { readonly type: 'failed'; readonly clientId: string; readonly problem: SendProblem }
  | { readonly type: 'discarded'; readonly clientId: string };

/** What the document holds at most, gap marks and unsent messages included. */
export const CHAT_ENTRIES_MAX = 200;
/** More unsent messages than this are refused by the composer. */
export const CHAT_OUTGOING_MAX = 10;

export const EMPTY_CHAT: ChatList = { entries: [], outgoing: [], cursor: null, receivedTotal: 0, droppedTotal: 0 };

/** The list after one event. */
export function chatAfter(list: ChatList, event: ChatEvent): ChatList {
  switch (event.type) {
    case 'joined':
      return joined(list, event.answer);
    case 'received':
      return received(list, event.messages, event.epoch);
    case 'sending':
      return sending(list, event.clientId, event.text);
    case 'accepted':
      return changeOutgoing(list, event.clientId, { state: 'accepted', problem: null });
    case 'failed':
      return changeOutgoing(list, event.clientId, { state: 'failed', problem: event.problem });
    case 'discarded':
      return { ...list, outgoing: list.outgoing.filter(({ clientId }) => clientId !== event.clientId) };
  }
}

function joined(list: ChatList, { cursor, messages, gap }: ChatJoined): ChatList {
  const isRejoin = list.cursor !== null;
  const marked: ChatList =
    gap && isRejoin && list.entries.length > 0
      ? { ...list, entries: [...list.entries, { kind: 'gap', key: `gap:${cursor.epoch}:${cursor.seq}` }] }
      : list;
  const known = { ...marked, cursor: isRejoin && list.cursor?.epoch === cursor.epoch ? list.cursor : null };
  const filled = received(known, messages);
  return { ...filled, cursor, receivedTotal: isRejoin ? filled.receivedTotal : 0 };
}

function received(list: ChatList, messages: readonly ChatMessage[], epoch?: string): ChatList {
  const fresh = unseen(list, messages);
  const newest = fresh.at(-1);
  if (newest === undefined) return list;
  const arrived = new Set(fresh.map(({ clientId }) => clientId));
  const entries = [
    ...list.entries,
    ...fresh.map((message) => ({ kind: 'message', key: message.id, message }) as const),
  ];
  return bounded({
    ...list,
    entries,
    outgoing: list.outgoing.filter(({ clientId }) => !arrived.has(clientId)),
    cursor: list.cursor === null ? null : cursorAfter(list.cursor, newest.seq, epoch ?? list.cursor.epoch),
    receivedTotal: list.receivedTotal + fresh.length,
  });
}

/** Places are compared within an epoch only: another one begins where its messages say. */
function cursorAfter(cursor: ChatCursor, seq: number, epoch: string): ChatCursor {
  return { epoch, seq: epoch === cursor.epoch ? Math.max(cursor.seq, seq) : seq };
}

/** A reconnect may bring what is already there: ids decide, within one answer too. */
function unseen(list: ChatList, messages: readonly ChatMessage[]): ChatMessage[] {
  const seen = new Set(list.entries.map(({ key }) => key));
  return messages.filter(({ id }) => {
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

function sending(list: ChatList, clientId: string, text: string): ChatList {
  const others = list.outgoing.filter((message) => message.clientId !== clientId);
  return bounded({ ...list, outgoing: [...others, { clientId, text, state: 'pending', problem: null }] });
}

function changeOutgoing(list: ChatList, clientId: string, change: Pick<Outgoing, 'state' | 'problem'>): ChatList {
  return {
    ...list,
    outgoing: list.outgoing.map((message) => (message.clientId === clientId ? { ...message, ...change } : message)),
  };
}

function bounded(list: ChatList): ChatList {
  const surplus = list.entries.length + list.outgoing.length - CHAT_ENTRIES_MAX;
  if (surplus <= 0) return list;
  return { ...list, entries: list.entries.slice(surplus), droppedTotal: list.droppedTotal + surplus };
}
