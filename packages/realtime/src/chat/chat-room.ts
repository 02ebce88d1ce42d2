import { randomUUID } from 'node:crypto';
import type { ChatCursor, ChatJoined, ChatMessage, ChatSent } from '@showfloor/protocol';
import { assert } from '@showfloor/service-kit';
import type { Identity } from '../identity/identity.ts';
import type { ChatJournal } from './chat-journal.ts';
import { ChatRing } from './chat-ring.ts';
import type { JournalTail } from './journal-lines.ts';
import { RecentSends } from './recent-sends.ts';
import { RoomBatches } from './room-batches.ts';
import { type Arrival, RoomSharing } from './room-sharing.ts';
import type { SharedChat, SharedRoomState, UnplacedMessage } from './shared-chat.ts';

/** A disk that does not answer in this time is treated as failing: chat does not wait for it. */
const JOURNAL_PATIENCE_MS = 500;

export type ChatRoomOptions = {
  readonly liveId: string;
  readonly journal: ChatJournal;
  /** Several nodes hold the room together; absent: this one alone. */
  readonly shared?: SharedChat | undefined;
  /** Sends one batch to everyone in the room, in order. */
  readonly publish: (batch: { liveId: string; epoch: string; messages: readonly ChatMessage[] }) => void;
  /** Least time between two batches, in ms; 0 sends at once. */
  readonly delayMs: () => number;
  /** A message was placed by this node alone although others hold the room too. */
  readonly onApart?: (() => void) | undefined;
  /** The disk took longer than chat waits for it. */
  readonly onJournalSlow: () => void;
  /** Time from taking a message to writing it to the room, in ms. */
  readonly onDelivered: (elapsedMs: number) => void;
};

/**
 * One room's chat: gives each message its place (or has it given by Redis, when several nodes hold the room), journals it, then
 * publishes it in order. Members are published to only what is in the ring, so that the answer to a join plus the batches
 * after it are each message exactly once.
 */
export class ChatRoom {
  readonly liveId: string;
  readonly #options: ChatRoomOptions;
  readonly #ring = new ChatRing();
  readonly #recent = new RecentSends<Promise<ChatSent>>();
  readonly #batches: RoomBatches<Arrival>;
  readonly #sharing: RoomSharing | null;
  #epoch: string = randomUUID();
  /** False from the first message the journal could not take until it takes one again. */
  #isJournaled = true;
  #isApart = false;
  /** The last place that is given away; `#publishedSeq` follows it. */
  #seq = 0;
  #publishedSeq = 0;
  #placedAlone = 0;
  /** Messages leave in the order they came, also when the journal's answers do not. */
  #lastTaken: Promise<void> = Promise.resolve();
  /** Sends that are not acknowledged yet. */
  readonly #sending = new Set<Promise<ChatSent>>();
  usedAtMs = Date.now();

  private constructor(options: ChatRoomOptions) {
    this.liveId = options.liveId;
    this.#options = options;
    this.#batches = new RoomBatches({ delayMs: options.delayMs, write: (batch) => this.#write(batch) });
    this.#sharing = options.shared === undefined ? null : this.#share(options.shared);
  }

  /** Opens a room with what its journal still holds: history, place and epoch survive the death of the process. */
  static async open(options: ChatRoomOptions): Promise<ChatRoom> {
    const room = new ChatRoom(options);
    room.#restore(await options.journal.load());
    await room.#sharing?.reunite(false);
    return room;
  }

  get cursor(): ChatCursor {
    return { epoch: this.#epoch, seq: this.#publishedSeq };
  }

  /** Nothing waits for the journal, for Redis or for its batch. */
  get isSettled(): boolean {
    return this.#sending.size === 0 && this.#batches.isEmpty;
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
   * Takes a message. Resolves when it has its lasting place: in Redis, where several nodes hold the room; else journaled; or, while
   * the disk or Redis fails, in a new epoch that the other never saw, so that no cursor ever points at the wrong message.
   */
  send(identity: Identity, clientId: string, text: string): Promise<ChatSent> {
    this.usedAtMs = Date.now();
    const message: UnplacedMessage = {
      id: randomUUID(),
      clientId,
      userId: identity.userId,
      username: identity.name,
      role: identity.role,
      message: text,
      timestampMs: this.usedAtMs,
    };
    const sent = this.#place(message, performance.now()).finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
    this.#recent.remember(identity.userId, clientId, sent);
    return sent;
  }

  /** Messages that another node took. */
  hear(epoch: string, messages: readonly ChatMessage[]): void {
    const arrivals = messages.map((message) => ({ message, takenAtMs: null }));
    this.#sharing?.arrived(epoch, arrivals);
  }

  /** Redis is gone: the room goes on alone. */
  part(): void {
    this.#sharing?.part();
  }

  /** Redis is there, or the shared room may have gone on without us: catches up. Resolves within the patience for Redis. */
  async catchUp(): Promise<void> {
    await this.#sharing?.look();
  }

  /** Publishes what waits and closes the journal. */
  async close(): Promise<void> {
    await Promise.all(this.#sending);
    this.#sharing?.close();
    this.#batches.flush();
    await this.#options.journal.close();
  }

  #share(shared: SharedChat): RoomSharing {
    return new RoomSharing(shared, {
      liveId: this.liveId,
      epoch: () => this.#epoch,
      seq: () => this.#seq,
      placedAlone: () => this.#placedAlone,
      settled: () => this.#settled(),
      messages: () => {
        this.#batches.flush();
        return this.#ring.messages(Date.now());
      },
      takeIn: (arrival) => this.#takeIn(arrival),
      adopt: (state) => this.#adopt(state),
      fork: () => {
        this.#isApart = true;
        this.#beginEpoch(randomUUID());
      },
    });
  }

  #restore(tail: JournalTail): void {
    this.#epoch = tail.epoch ?? randomUUID();
    this.#isApart = tail.apartSinceSeq !== null;
    this.#options.journal.setEpoch(this.#epoch, tail.epoch !== null, this.#isApart);
    this.#seq = tail.seq;
    this.#publishedSeq = tail.seq;
    this.#ring.restore(tail.messages);
    this.#sharing?.restore(tail.sharedEpoch, tail.apartSinceSeq);
    this.#remember(tail.messages);
  }

  /** So that a message sent again after a restart, or to another node, is answered with the place it has. */
  #remember(messages: readonly ChatMessage[]): void {
    for (const { id, seq, userId, clientId } of messages) {
      this.#recent.remember(userId, clientId, Promise.resolve({ id, cursor: { epoch: this.#epoch, seq } }));
    }
  }

  async #place(message: UnplacedMessage, takenAtMs: number): Promise<ChatSent> {
    if (this.#sharing !== null) {
      const place = await this.#sharing.place(message);
      if (place !== null) {
        this.#sharing.arrived(place.epoch, [{ message: { ...message, seq: place.seq }, takenAtMs }]);
        return { id: message.id, cursor: place };
      }
      this.#sharing.leave();
      this.#options.onApart?.();
    }
    return this.#placeAlone(message, takenAtMs);
  }

  #placeAlone(unplaced: UnplacedMessage, takenAtMs: number): Promise<ChatSent> {
    this.#placedAlone += 1;
    this.#seq += 1;
    const message: ChatMessage = { ...unplaced, seq: this.#seq };
    const journaled = this.#journal(message);
    const settled = Promise.all([journaled, this.#lastTaken]).then(([isWritten]) => {
      if (!isWritten && this.#isJournaled) this.#beginEpoch(randomUUID());
      this.#isJournaled = isWritten;
      this.#batches.push({ message, takenAtMs });
    });
    this.#lastTaken = settled;
    return settled.then(() => ({ id: message.id, cursor: { epoch: this.#epoch, seq: message.seq } }));
  }

  /** Resolves when every message placed alone is on its way to the members. */
  async #settled(): Promise<void> {
    for (let last: Promise<void> | null = null; last !== this.#lastTaken; ) {
      last = this.#lastTaken;
      await last;
    }
  }

  /** What was placed before belongs to the epoch before. */
  #beginEpoch(epoch: string): void {
    this.#batches.flush();
    this.#epoch = epoch;
    this.#options.journal.setEpoch(epoch, false, this.#isApart);
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

  /** A message with a place that all nodes know. Redis has it; the journal gets it too, for the day when Redis is gone. */
  #takeIn(arrival: Arrival): void {
    const { message, takenAtMs } = arrival;
    this.#seq = message.seq;
    if (takenAtMs === null) this.#remember([message]);
    void this.#options.journal.append(message);
    this.#batches.push(arrival);
  }

  #adopt({ epoch, seq, messages }: SharedRoomState): void {
    this.#batches.flush();
    const isSameEpoch = epoch === this.#epoch;
    const unheard = messages.filter(
      (message) => !(isSameEpoch && message.seq <= this.#publishedSeq) && !this.#ring.has(message.id),
    );
    this.#isApart = false;
    if (!isSameEpoch) this.#beginEpoch(epoch);
    this.#ring.restore(messages);
    this.#seq = seq;
    this.#publishedSeq = seq;
    this.#remember(unheard);
    for (const message of unheard) void this.#options.journal.append(message);
    if (unheard.length > 0) this.#options.publish({ liveId: this.liveId, epoch, messages: unheard });
  }

  #write(batch: readonly Arrival[]): void {
    for (const { message } of batch) {
      assert(message.seq > this.#publishedSeq, 'a chat message was published out of order');
      this.#publishedSeq = message.seq;
      this.#ring.push(message);
    }
    this.#options.publish({ liveId: this.liveId, epoch: this.#epoch, messages: batch.map(({ message }) => message) });
    const nowMs = performance.now();
    for (const { takenAtMs } of batch) if (takenAtMs !== null) this.#options.onDelivered(nowMs - takenAtMs);
  }
}
