import { randomUUID } from 'node:crypto';
import { CHAT_HISTORY_MAX, type ChatMessage } from '@showfloor/protocol';
import { HISTORY_LIFE_MS } from '../chat/chat-ring.ts';
import { readUnplaced } from '../chat/journal-lines.ts';
import type { ReconcileRequest, SharedChat, SharedRoomState, UnplacedMessage } from '../chat/shared-chat.ts';
import { fieldsOf } from './adapter-client.ts';
import { APPEND, chatKeys, RECONCILE, UNNAMED_ROOMS_KEY } from './chat-scripts.ts';
import { orNull, type RedisLink } from './redis-link.ts';

/** Rooms that no event has named, in Redis at once: whoever writes first makes those. Past it the oldest is deleted. */
export const UNNAMED_ROOMS_MAX = 500;

export type SharedChatOptions = {
  readonly link: RedisLink;
  readonly isNamed: (liveId: string) => boolean;
  /** Messages were placed by us: the other nodes must hear of them. */
  readonly onPlaced: (liveId: string, epoch: string, messages: readonly ChatMessage[]) => void;
  /** A room has changed in another way: the other nodes must read it. */
  readonly onChanged: (liveId: string) => void;
  /** An entry in Redis that is no message. */
  readonly onMalformed: () => void;
};

type AppendReply = readonly ['placed', number] | readonly ['elsewhere'] | readonly ['late'];
type Entry = readonly [id: string, fields: readonly string[]];
type ReconcileReply =
  | readonly ['ok', epoch: string, seq: number, added: number, entries: readonly Entry[]]
  | readonly ['absent' | 'unknown' | 'late'];

/** Chat rooms in Redis: their order, and the last messages of each. Never rejects: null where Redis did not do it in time. */
export class SharedChatInRedis implements SharedChat {
  readonly #options: SharedChatOptions;
  /** Placed in this turn of the loop: told to the other nodes together. */
  readonly #placed = new Map<string, { readonly epoch: string; readonly messages: ChatMessage[] }>();

  constructor(options: SharedChatOptions) {
    this.#options = options;
  }

  get isJoined(): boolean {
    return this.#options.link.isJoined;
  }

  async append(liveId: string, epoch: string, message: UnplacedMessage): Promise<number | 'elsewhere' | null> {
    const { link } = this.#options;
    const args = [link.deadlineMs(), epoch, CHAT_HISTORY_MAX, HISTORY_LIFE_MS, ...entryOf(message)];
    const reply = await orNull(link.run(APPEND, chatKeys(liveId), args) as Promise<AppendReply>);
    switch (reply?.[0]) {
      case undefined:
        return null;
      case 'elsewhere':
        return 'elsewhere';
      case 'late':
        link.ranLate();
        return null;
      case 'placed':
        this.#tell(liveId, epoch, { ...message, seq: reply[1] });
        return reply[1];
    }
  }

  async reconcile(liveId: string, request: ReconcileRequest): Promise<SharedRoomState | 'absent' | 'unknown' | null> {
    const { link, isNamed, onChanged } = this.#options;
    const { knownEpoch, seq, isNeeded, offered } = request;
    const args = [
      link.deadlineMs(),
      knownEpoch ?? '',
      randomUUID(),
      seq,
      CHAT_HISTORY_MAX,
      HISTORY_LIFE_MS,
      isNamed(liveId) ? '' : liveId,
      UNNAMED_ROOMS_MAX,
      isNeeded ? 1 : 0,
      offered === null ? 0 : 1,
      ...(offered ?? []).flatMap(({ message, isApart }) => [...entryOf(message), isApart ? 1 : 0]),
    ];
    const keys = [...chatKeys(liveId), UNNAMED_ROOMS_KEY];
    const reply = await orNull(link.run(RECONCILE, keys, args) as Promise<ReconcileReply>);
    if (reply === null) return null;
    if (reply[0] === 'late') {
      link.ranLate();
      return null;
    }
    if (reply[0] !== 'ok') return reply[0];
    const [, epoch, lastSeq, added, entries] = reply;
    if (added > 0) onChanged(liveId);
    return { epoch, seq: lastSeq, messages: entries.flatMap((entry) => this.#read(entry)) };
  }

  async head(liveId: string): Promise<{ readonly epoch: string; readonly seq: number } | 'absent' | null> {
    const [key] = chatKeys(liveId);
    const asked = this.#options.link.command('chat_head', ['HMGET', key, 'epoch', 'seq']);
    const reply = await orNull(asked as Promise<readonly [string | null, string | null]>);
    if (reply === null) return null;
    const [epoch, seq] = reply;
    return epoch === null ? 'absent' : { epoch, seq: Number(seq) };
  }

  #tell(liveId: string, epoch: string, message: ChatMessage): void {
    if (this.#placed.size === 0) setImmediate(() => this.#tellAll());
    const placed = this.#placed.get(liveId);
    if (placed?.epoch === epoch) placed.messages.push(message);
    else this.#placed.set(liveId, { epoch, messages: [message] });
  }

  #tellAll(): void {
    for (const [liveId, { epoch, messages }] of this.#placed) this.#options.onPlaced(liveId, epoch, messages);
    this.#placed.clear();
  }

  #read([id, flat]: Entry): ChatMessage[] {
    const message = readUnplaced(fieldsOf(flat).m ?? '');
    if (message !== null) return [{ ...message, seq: Number(id.split('-')[0]) }];
    this.#options.onMalformed();
    return [];
  }
}

function entryOf(message: UnplacedMessage & { readonly seq?: number }): [id: string, t: number, m: string] {
  const { seq: _, ...unplaced } = message;
  return [message.id, message.timestampMs, JSON.stringify(unplaced)];
}
