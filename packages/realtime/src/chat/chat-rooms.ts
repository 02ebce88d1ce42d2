import type { ChatMessage } from '@showfloor/protocol';
import { ChatJournal } from './chat-journal.ts';
import { ChatRoom } from './chat-room.ts';
import type { JournalFolder } from './journal-folder.ts';
import type { SharedChat } from './shared-chat.ts';

/** Rooms of shows in memory at once. Past it an idle room is closed (its journal brings it back), else newcomers are refused. */
export const CHAT_ROOMS_MAX = 2_000;
/** The same for rooms that no event has named: anybody can ask for those, so they have a bound of their own. */
export const UNNAMED_CHAT_ROOMS_MAX = 200;
const IDLE_MS = 10 * 60 * 1000;
const SWEEP_MS = 60 * 1000;
/** Rooms that catch up with the other nodes at once: each may read 100 messages. */
const CATCHING_UP_MAX = 8;

export type ChatRoomsOptions = {
  readonly folder: JournalFolder;
  /** Several nodes hold the rooms together; absent: this one alone. */
  readonly shared?: SharedChat | undefined;
  /** True for a show that a signed event has named. It may become true while the room is open. */
  readonly isNamed: (liveId: string) => boolean;
  readonly publish: (batch: { liveId: string; epoch: string; messages: readonly ChatMessage[] }) => void;
  readonly membersOf: (liveId: string) => number;
  readonly delayMs: (members: number) => number;
  readonly onDelivered: (elapsedMs: number) => void;
  readonly onJournalError: (liveId: string, code: string) => void;
  /** A message was placed by this node alone although others hold the room too. */
  readonly onApart?: (() => void) | undefined;
  readonly roomsMax?: number;
  readonly unnamedRoomsMax?: number;
};

/** The rooms of this process, opened on first use and closed when nobody has used them for ten minutes. */
export class ChatRooms {
  readonly #options: ChatRoomsOptions;
  readonly #roomsMax: number;
  readonly #unnamedRoomsMax: number;
  readonly #rooms = new Map<string, Promise<ChatRoom>>();
  readonly #open = new Map<string, ChatRoom>();
  /** A room that is opened again waits until its former self has closed the journal. */
  readonly #closing = new Map<string, Promise<void>>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: ChatRoomsOptions) {
    this.#options = options;
    this.#roomsMax = options.roomsMax ?? CHAT_ROOMS_MAX;
    this.#unnamedRoomsMax = options.unnamedRoomsMax ?? UNNAMED_CHAT_ROOMS_MAX;
    this.#sweep = setInterval(() => this.#closeIdle(Date.now() - IDLE_MS), SWEEP_MS);
    this.#sweep.unref();
  }

  get size(): number {
    return this.#rooms.size;
  }

  /** The room if it is open: a member's room always is. */
  find(liveId: string): ChatRoom | undefined {
    return this.#open.get(liveId);
  }

  /** True while the room's journal may be written to or read. */
  isOpen(liveId: string): boolean {
    return this.#rooms.has(liveId) || this.#closing.has(liveId);
  }

  /** Opens the room, reading its journal the first time. Null when no more rooms fit. */
  async open(liveId: string): Promise<ChatRoom | null> {
    const known = this.#rooms.get(liveId);
    if (known !== undefined) return known;
    if (!this.#fits(liveId)) return null;
    const opening = this.#openNow(liveId);
    this.#rooms.set(liveId, opening);
    return opening;
  }

  /** Messages that another node took. A room that nobody here has open hears of them when it is opened. */
  hear(liveId: string, epoch: string, messages: readonly ChatMessage[]): void {
    const room = this.#open.get(liveId);
    if (room !== undefined) room.hear(epoch, messages);
    else void this.#rooms.get(liveId)?.then((opened) => opened.hear(epoch, messages));
  }

  /** Redis is gone: every room goes on alone. */
  part(): void {
    for (const room of this.#open.values()) room.part();
  }

  /** Brings the rooms up to what all nodes know, a few at once; `of` leaves rooms out. */
  async catchUp(of: (room: ChatRoom) => boolean = () => true): Promise<void> {
    const rooms = [...this.#open.values()].filter(of);
    const worker = async (): Promise<void> => {
      for (let room = rooms.pop(); room !== undefined; room = rooms.pop()) await room.catchUp();
    };
    await Promise.all(Array.from({ length: CATCHING_UP_MAX }, worker));
  }

  /** Rooms in which somebody sits. */
  hasMembers(room: ChatRoom): boolean {
    return this.#options.membersOf(room.liveId) > 0;
  }

  /** Publishes and writes down what waits, and closes every journal. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    const rooms = await Promise.all(this.#rooms.values());
    this.#rooms.clear();
    this.#open.clear();
    await Promise.all([...rooms.map((room) => room.close()), ...this.#closing.values()]);
  }

  /** Makes place at the bound of its kind, if it can. Rooms nobody has named never take the place of a show's. */
  #fits(liveId: string): boolean {
    const { isNamed } = this.#options;
    const isShow = isNamed(liveId);
    const roomsMax = isShow ? this.#roomsMax : this.#unnamedRoomsMax;
    if (this.#rooms.size < roomsMax) return true;
    let ofItsKind = 0;
    for (const other of this.#rooms.keys()) if (isNamed(other) === isShow) ofItsKind += 1;
    return ofItsKind < roomsMax || this.#closeOne(isShow);
  }

  async #openNow(liveId: string): Promise<ChatRoom> {
    await this.#closing.get(liveId);
    const { folder, shared, publish, membersOf, delayMs, onDelivered, onApart, onJournalError } = this.#options;
    const room = await ChatRoom.open({
      liveId,
      shared,
      journal: new ChatJournal({ folder, liveId, onError: (code) => onJournalError(liveId, code) }),
      publish,
      delayMs: () => delayMs(membersOf(liveId)),
      onDelivered,
      onApart,
      onJournalSlow: () => onJournalError(liveId, 'ESLOW'),
    });
    this.#open.set(liveId, room);
    return room;
  }

  #closeIdle(unusedSinceMs: number): void {
    for (const room of this.#open.values()) {
      if (room.usedAtMs < unusedSinceMs && this.#isIdle(room)) this.#closeRoom(room);
    }
  }

  /** Makes place for one room by closing the one of its kind that is unused for longest, if any is idle. */
  #closeOne(isShow: boolean): boolean {
    let oldest: ChatRoom | null = null;
    for (const room of this.#open.values()) {
      if (this.#options.isNamed(room.liveId) !== isShow || !this.#isIdle(room)) continue;
      if (oldest === null || room.usedAtMs < oldest.usedAtMs) oldest = room;
    }
    if (oldest === null) return false;
    this.#closeRoom(oldest);
    return true;
  }

  #isIdle(room: ChatRoom): boolean {
    return room.isSettled && this.#options.membersOf(room.liveId) === 0;
  }

  #closeRoom(room: ChatRoom): void {
    this.#rooms.delete(room.liveId);
    this.#open.delete(room.liveId);
    const closing = room.close().finally(() => {
      if (this.#closing.get(room.liveId) === closing) this.#closing.delete(room.liveId);
    });
    this.#closing.set(room.liveId, closing);
  }
}
