import type { ChatCursor, ChatMessage } from '@showfloor/protocol';
import type { ReconcileRequest, SharedChat, SharedRoomState, UnplacedMessage } from './shared-chat.ts';

/** Messages of other nodes overtake each other by a round trip at most; who waits longer has missed one. */
const GAP_PATIENCE_MS = 150;
/** Messages that wait for an earlier one; past it the room is read instead. */
export const AHEAD_MAX = 1_000;
/** Times a message is offered to the shared room before it is placed here: its epoch may change under us. */
const PLACE_TRIES_MAX = 3;

/** A message on its way to the room. `takenAtMs` null: another node took it. */
export type Arrival = { readonly message: ChatMessage; readonly takenAtMs: number | null };

/** What the sharing asks of its room. */
export type SharingHost = {
  readonly liveId: string;
  readonly epoch: () => string;
  /** Place of the last message that the room has taken in. */
  readonly seq: () => number;
  /** Messages placed by this node alone so far. */
  readonly placedAlone: () => number;
  /** Resolves when the messages placed alone are in the ring. */
  readonly settled: () => Promise<void>;
  /** The ring. */
  readonly messages: () => readonly ChatMessage[];
  /** Takes in the message with the next place, or a later one if those between are lost. */
  readonly takeIn: (arrival: Arrival) => void;
  /** Becomes what all nodes know, telling members what they have not heard. */
  readonly adopt: (state: SharedRoomState) => void;
  /** Begins an epoch of this node's own. */
  readonly fork: () => void;
};

/**
 * One room's part in what several nodes hold together. Shared: Redis gives each message its place, and messages of all nodes are
 * taken in by it, in order. Apart: the room goes on alone, in an epoch of its own from the first message said so, until
 * `reunite` brings both together.
 */
export class RoomSharing {
  readonly #shared: SharedChat;
  readonly #host: SharingHost;
  /** The room is where the shared one is, or was when we last heard. */
  #isShared = false;
  /** The last epoch that was shared. */
  #sharedEpoch: string | null = null;
  /** Messages after this place were said apart; null: none was. */
  #apartSinceSeq: number | null = null;
  readonly #ahead = new Map<number, Arrival>();
  #gapTimer: NodeJS.Timeout | null = null;
  #reuniting: Promise<boolean> | null = null;
  #looking: Promise<void> | null = null;
  #lookingNext: Promise<void> | null = null;

  constructor(shared: SharedChat, host: SharingHost) {
    this.#shared = shared;
    this.#host = host;
  }

  /** What the journal remembers of before. */
  restore(sharedEpoch: string | null, apartSinceSeq: number | null): void {
    this.#sharedEpoch = sharedEpoch;
    this.#apartSinceSeq = apartSinceSeq;
  }

  /** Gives a message its place among those of all nodes; null: this node must place it. */
  async place(message: UnplacedMessage): Promise<ChatCursor | null> {
    for (let tries = 0; tries < PLACE_TRIES_MAX; tries += 1) {
      if (!this.#isShared && !(await this.reunite(true))) return null;
      const epoch = this.#host.epoch();
      const seq = await this.#shared.append(this.#host.liveId, epoch, message);
      if (seq === null) return null;
      if (seq !== 'elsewhere') return { epoch, seq };
      if (this.#host.epoch() === epoch) this.#isShared = false;
    }
    return null;
  }

  /** A message that has its place: of our own members, or of another node's (`epoch` may be one we do not know). */
  arrived(epoch: string, arrivals: readonly Arrival[]): void {
    if (epoch !== this.#host.epoch()) {
      if (this.#isShared) this.#lost();
      return; // while apart: `reunite` brings it
    }
    for (const arrival of arrivals) {
      if (arrival.message.seq > this.#host.seq()) this.#ahead.set(arrival.message.seq, arrival);
    }
    this.#takeInNext();
    if (this.#ahead.size === 0) return;
    if (!this.#shared.isJoined) this.leave();
    else if (this.#ahead.size > AHEAD_MAX) this.#lost();
    else this.#gapTimer ??= setTimeout(() => this.#lost(), GAP_PATIENCE_MS);
  }

  /** Redis is gone: what waits for an earlier message is shown without it. */
  part(): void {
    this.#isShared = false;
    if (this.#ahead.size > 0) this.leave();
  }

  /** Call before a message is placed by this node: from the first one on, the epoch is its own. */
  leave(): void {
    if (this.#apartSinceSeq !== null) return;
    this.#isShared = false;
    this.#apartSinceSeq = this.#host.seq();
    this.#host.fork();
    // In the shared epoch these would claim that those before them were heard.
    const ahead = [...this.#ahead.values()].sort((one, other) => one.message.seq - other.message.seq);
    this.#ahead.clear();
    this.close();
    for (const { message, takenAtMs } of ahead) {
      this.#host.takeIn({ message: { ...message, seq: this.#host.seq() + 1 }, takenAtMs });
    }
  }

  /** Looks whether the shared room has gone on without us, and catches up. Answers for the time of the call. */
  look(): Promise<void> {
    if (this.#looking === null) {
      this.#looking = this.#lookNow().finally(() => {
        this.#looking = null;
      });
      return this.#looking;
    }
    this.#lookingNext ??= this.#looking.then(() => {
      this.#lookingNext = null;
      return this.look();
    });
    return this.#lookingNext;
  }

  /** Brings the room and the shared one together. False: it cannot be done now. */
  reunite(isNeeded: boolean): Promise<boolean> {
    this.#reuniting ??= this.#reuniteNow(isNeeded).finally(() => {
      this.#reuniting = null;
    });
    return this.#reuniting;
  }

  close(): void {
    if (this.#gapTimer !== null) clearTimeout(this.#gapTimer);
    this.#gapTimer = null;
  }

  /** We have missed something: read the room. */
  #lost(): void {
    this.close();
    this.#isShared = false;
    void this.reunite(false).then((isReunited) => {
      if (!isReunited) this.part();
    });
  }

  async #lookNow(): Promise<void> {
    if (!this.#shared.isJoined) return;
    if (this.#isShared) {
      const head = await this.#shared.head(this.#host.liveId);
      if (head === null) return;
      const { seq, epoch } = this.#host;
      if (head === 'absent' ? this.#host.messages().length === 0 : head.epoch === epoch() && head.seq <= seq()) return;
      this.#isShared = false;
    }
    await this.reunite(false);
  }

  async #reuniteNow(isNeeded: boolean): Promise<boolean> {
    if (!this.#shared.isJoined) return false;
    await this.#host.settled();
    const placedAlone = this.#host.placedAlone();
    const state = await this.#reconcile(isNeeded);
    // Whoever was placed here meanwhile was placed because Redis was gone: not yet, then.
    if (state === null || placedAlone !== this.#host.placedAlone()) return false;
    this.#isShared = true;
    if (state === 'absent') return true;
    this.#apartSinceSeq = null;
    this.#sharedEpoch = state.epoch;
    if (state.epoch !== this.#host.epoch()) this.#ahead.clear();
    if (state.epoch !== this.#host.epoch() || state.seq > this.#host.seq()) this.#host.adopt(state);
    for (const seq of this.#ahead.keys()) if (seq <= this.#host.seq()) this.#ahead.delete(seq);
    this.#takeInNext();
    if (this.#ahead.size > 0) this.#gapTimer ??= setTimeout(() => this.#lost(), GAP_PATIENCE_MS);
    return true;
  }

  async #reconcile(isNeeded: boolean): Promise<SharedRoomState | 'absent' | null> {
    const { liveId } = this.#host;
    const request = { knownEpoch: this.#sharedEpoch, seq: this.#host.seq(), isNeeded };
    if (this.#apartSinceSeq === null && this.#sharedEpoch !== null) {
      const state = await this.#shared.reconcile(liveId, { ...request, offered: null });
      if (state !== 'unknown') return state;
    }
    this.part(); // the room that was known is gone: what is missing of it will not come
    const state = await this.#shared.reconcile(liveId, { ...request, seq: this.#host.seq(), offered: this.#offer() });
    return state === 'unknown' ? null : state;
  }

  #offer(): NonNullable<ReconcileRequest['offered']> {
    const apartSinceSeq = this.#apartSinceSeq;
    return this.#host
      .messages()
      .map((message) => ({ message, isApart: apartSinceSeq !== null && message.seq > apartSinceSeq }));
  }

  #takeInNext(): void {
    for (;;) {
      const next = this.#ahead.get(this.#host.seq() + 1);
      if (next === undefined) break;
      this.#ahead.delete(next.message.seq);
      this.#host.takeIn(next);
    }
    if (this.#ahead.size === 0) this.close();
  }
}
