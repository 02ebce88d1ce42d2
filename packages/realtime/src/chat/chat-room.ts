import { randomUUID } from 'node:crypto';
import type { ChatCursor, ChatJoined, ChatMessage, ChatSent } from '@showfloor/protocol';
import { assert } from '@showfloor/service-kit';
import type { Identity } from '../identity/identity.ts';
import type { ChatJournal } from './chat-journal.ts';
import { ChatRing } from './chat-ring.ts';
import { RecentSends } from './recent-sends.ts';

/** A disk that does not answer in this time is treated as failing: chat does not wait for it. */
const JOURNAL_PATIENCE_MS = 500;
/** Of the time a batch takes to write to everyone, this much more must pass before the next: joins and products come between. */
const WRITING_SHARE = 1.5;

export type ChatRoomOptions = {
  readonly liveId: string;
  readonly journal: ChatJournal;
  /** Sends one batch to everyone in the room, in order. */
  readonly publish: (batch: { liveId: string; epoch: string; messages: readonly ChatMessage[] }) => void;
  /** Least time between two batches, in ms; 0 sends at once. */
  readonly delayMs: () => number;
  /** The disk took longer than chat waits for it. */
  readonly onJournalSlow: () => void;
  /** Time from taking a message to writing it to the room, in ms. */
  readonly onDelivered: (elapsedMs: number) => void;
};

type Pending = { readonly message: ChatMessage; readonly takenAtMs: number };

/**
 * One room's chat: gives each message its place, journals it, then publishes it in order. Members are published to only
 * what is in the ring, so that the answer to a join plus the batches after it are each message exactly once.
 */
export class ChatRoom {
  readonly liveId: string;
  readonly #options: ChatRoomOptions;
  readonly #ring = new ChatRing();
  readonly #recent = new RecentSends<Promise<ChatSent>>();
  #epoch: string = randomUUID();
  /** False from the first message the journal could not take until it takes one again. */
  #isJournaled = true;
  #seq = 0;
  #publishedSeq = 0;
  #pending: Pending[] = [];
  #timer: NodeJS.Timeout | null = null;
  #flushedAtMs = 0;
  #writingMs = 0;
  /** Messages leave in the order they came, also when the journal's answers do not. */
  #lastTaken: Promise<void> = Promise.resolve();
  #unsettled = 0;
  usedAtMs = Date.now();

  private constructor(options: ChatRoomOptions) {
    this.liveId = options.liveId;
    this.#options = options;
  }

  /** Opens a room with what its journal still holds: history, place and epoch survive the death of the process. */
  static async open(options: ChatRoomOptions): Promise<ChatRoom> {
    const room = new ChatRoom(options);
    const tail = await options.journal.load();
    room.#epoch = tail.epoch ?? randomUUID();
    options.journal.setEpoch(room.#epoch, tail.epoch !== null);
    room.#seq = tail.seq;
    room.#publishedSeq = tail.seq;
    room.#ring.restore(tail.messages);
    for (const message of tail.messages) {
      const sent: ChatSent = { id: message.id, cursor: { epoch: room.#epoch, seq: message.seq } };
      room.#recent.remember(message.userId, message.clientId, Promise.resolve(sent));
    }
    return room;
  }

  get cursor(): ChatCursor {
    return { epoch: this.#epoch, seq: this.#publishedSeq };
  }

  /** Nothing waits for the journal or for its batch. */
  get isSettled(): boolean {
    return this.#unsettled === 0 && this.#pending.length === 0;
  }

  /** The answer to a join. Becoming a member must follow in the same turn of the loop. */
  history(since: ChatCursor | undefined): ChatJoined {
    const nowMs = Date.now();
    this.usedAtMs = nowMs;
    if (since === undefined) return { cursor: this.cursor, gap: false, messages: this.#ring.messages(nowMs) };
    return { cursor: this.cursor, ...this.#ring.since(since, this.#epoch, this.#publishedSeq, nowMs) };
  }

  /** The result of an earlier send with the same id by the same user, if it is remembered. */
  earlierSend(userId: string, clientId: string): Promise<ChatSent> | undefined {
    return this.#recent.find(userId, clientId);
  }

  /**
   * Takes a message. Resolves when it has its lasting place: journaled, or, while the disk fails, in a new epoch that
   * the journal never saw, so that after a restart no cursor points at the wrong message.
   */
  send(identity: Identity, clientId: string, text: string): Promise<ChatSent> {
    const takenAtMs = performance.now();
    this.usedAtMs = Date.now();
    this.#seq += 1;
    this.#unsettled += 1;
    const message: ChatMessage = {
      id: randomUUID(),
      seq: this.#seq,
      clientId,
      userId: identity.userId,
      username: identity.name,
      role: identity.role,
      message: text,
      timestampMs: this.usedAtMs,
    };
    const journaled = this.#journal(message);
    const settled = Promise.all([journaled, this.#lastTaken]).then(([isWritten]) => {
      this.#settle({ message, takenAtMs }, isWritten);
    });
    this.#lastTaken = settled;
    const sent = settled.then(() => ({ id: message.id, cursor: { epoch: this.#epoch, seq: message.seq } }));
    this.#recent.remember(identity.userId, clientId, sent);
    return sent;
  }

  /** Publishes what waits and closes the journal. */
  async close(): Promise<void> {
    await this.#lastTaken;
    this.#flush();
    await this.#options.journal.close();
  }

  #journal(message: ChatMessage): Promise<boolean> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#options.onJournalSlow();
        resolve(false);
      };
      let late: NodeJS.Immediate | undefined;
      // After a stall of our own loop the timer is first: the answer that waits behind it still counts.
      const timer = setTimeout(() => {
        late = setImmediate(giveUp);
      }, JOURNAL_PATIENCE_MS);
      void this.#options.journal.append(message).then((isWritten) => {
        clearTimeout(timer);
        clearImmediate(late);
        resolve(isWritten);
      });
    });
  }

  #settle(entry: Pending, isWritten: boolean): void {
    if (!isWritten && this.#isJournaled) {
      this.#flush(); // these belong to the epoch before
      this.#epoch = randomUUID();
      this.#options.journal.setEpoch(this.#epoch, false);
    }
    this.#isJournaled = isWritten;
    this.#unsettled -= 1;
    this.#pending.push(entry);
    const intervalMs = this.#options.delayMs();
    if (intervalMs > 0) {
      // From the start of the last batch, so that the time it takes to write is not added to the wait.
      const dueAtMs = this.#flushedAtMs + Math.max(intervalMs, this.#writingMs * WRITING_SHARE);
      this.#timer ??= setTimeout(() => this.#flush(), Math.max(0, dueAtMs - performance.now()));
    } else if (this.#pending.length === 1) {
      // At once, but together with the others that the same write settled: they arrive in this turn of the loop.
      queueMicrotask(() => this.#flush());
    }
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#pending;
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#pending = [];
    this.#flushedAtMs = performance.now();
    for (const { message } of batch) {
      assert(message.seq > this.#publishedSeq, 'a chat message was published out of order');
      this.#publishedSeq = message.seq;
      this.#ring.push(message);
    }
    this.#options.publish({ liveId: this.liveId, epoch: this.#epoch, messages: batch.map((entry) => entry.message) });
    const nowMs = performance.now();
    this.#writingMs = nowMs - this.#flushedAtMs;
    for (const { takenAtMs } of batch) this.#options.onDelivered(nowMs - takenAtMs);
  }
}
