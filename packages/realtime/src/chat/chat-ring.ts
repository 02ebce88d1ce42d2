import { CHAT_HISTORY_MAX, type ChatCursor, type ChatMessage } from '@showfloor/protocol';

/** I-62: what is said is shown to newcomers for a day. */
export const HISTORY_LIFE_MS = 24 * 60 * 60 * 1000;

/** The last messages of a room in order of `seq`: at most 100, none older than a day. */
export class ChatRing {
  #messages: ChatMessage[] = [];
  /** `seq` of the newest message that has ever been dropped for want of room. */
  #droppedSeq = 0;

  push(message: ChatMessage): void {
    this.#messages.push(message);
    if (this.#messages.length <= CHAT_HISTORY_MAX) return;
    this.#droppedSeq = this.#messages.shift()?.seq ?? this.#droppedSeq;
  }

  /** What was there before the oldest message in a journal cannot be given back. */
  restore(messages: readonly ChatMessage[]): void {
    this.#messages = messages.slice(-CHAT_HISTORY_MAX);
    this.#droppedSeq = (this.#messages[0]?.seq ?? 1) - 1;
  }

  has(id: string): boolean {
    return this.#messages.some((message) => message.id === id);
  }

  messages(nowMs: number): readonly ChatMessage[] {
    return this.#messages.filter((message) => nowMs - message.timestampMs < HISTORY_LIFE_MS);
  }

  /**
   * What a client missed since `cursor`, exactly; `gap` when it cannot be told: the epoch is another one, the cursor is
   * ahead of `lastSeq`, or more than the ring was missed. Then `messages` is the ring as it is now.
   */
  since(
    cursor: ChatCursor,
    epoch: string,
    lastSeq: number,
    nowMs: number,
  ): { readonly gap: boolean; readonly messages: readonly ChatMessage[] } {
    const messages = this.messages(nowMs);
    if (cursor.epoch !== epoch || cursor.seq > lastSeq || cursor.seq < this.#droppedSeq) return { gap: true, messages };
    return { gap: false, messages: messages.filter((message) => message.seq > cursor.seq) };
  }
}
