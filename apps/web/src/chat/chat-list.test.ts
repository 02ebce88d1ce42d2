import type { ChatMessage } from '@showfloor/protocol';
import { CHAT_MESSAGE_CHARS_MAX } from '@showfloor/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHAT_ENTRIES_MAX, type ChatEvent, type ChatList, chatAfter, EMPTY_CHAT } from './chat-list.ts';
import { MESSAGE_CHARS_MAX } from './message-length.ts';

function message(seq: number, clientId = `client-${seq}`): ChatMessage {
  return {
    id: `id-${seq}`,
    seq,
    clientId,
    userId: 'u',
    username: 'Ana',
    role: 'guest',
    message: `text ${seq}`,
    timestampMs: seq * 1_000,
  };
}

function joined(seqs: readonly number[], gap = false, epoch = 'e1'): ChatEvent {
  const seq = seqs.at(-1) ?? 0;
  return { type: 'joined', answer: { cursor: { epoch, seq }, messages: seqs.map((each) => message(each)), gap } };
}

function received(...seqs: readonly number[]): ChatEvent {
  return { type: 'received', messages: seqs.map((seq) => message(seq)) };
}

function after(...events: readonly ChatEvent[]): ChatList {
  return events.reduce(chatAfter, EMPTY_CHAT);
}

/** Entries as text: numbers are messages, `|` is a gap. */
function shape(list: ChatList): string {
  return list.entries.map((entry) => (entry.kind === 'gap' ? '|' : entry.message.seq)).join(' ');
}

describe('chat list', () => {
  test('history, then live messages, in order', () => {
    const list = after(joined([1, 2]), received(3), received(4, 5));
    expect(shape(list)).toBe('1 2 3 4 5');
    expect(list.cursor).toEqual({ epoch: 'e1', seq: 5 });
    expect(list.receivedTotal).toBe(3);
  });

  test('nothing appears twice, however often it arrives', () => {
    expect(shape(after(joined([1, 2]), received(2, 3, 3), received(3), joined([2, 3, 4])))).toBe('1 2 3 4');
  });

  test('a reconnect within the ring has no gap mark, a longer absence has one', () => {
    expect(shape(after(joined([1, 2]), joined([3, 4])))).toBe('1 2 3 4');
    expect(shape(after(joined([1, 2]), joined([40, 41], true)))).toBe('1 2 | 40 41');
  });

  test('a first join is never a gap', () => {
    expect(shape(after(joined([40, 41], true)))).toBe('40 41');
  });

  test('a lost journal starts a new epoch and its cursor', () => {
    const list = after(joined([8, 9]), {
      type: 'joined',
      answer: { cursor: { epoch: 'e2', seq: 1 }, messages: [{ ...message(1), id: 'other-1' }], gap: true },
    });
    expect(shape(list)).toBe('8 9 | 1');
    expect(list.cursor).toEqual({ epoch: 'e2', seq: 1 });
  });

  test('a batch of a new epoch moves the cursor there, also to a lower place; a batch of the same one never moves it back', () => {
    const inEpoch = (epoch: string, ...seqs: readonly number[]): ChatEvent => ({
      type: 'received',
      epoch,
      messages: seqs.map((seq) => ({ ...message(seq), id: `${epoch}-${seq}` })),
    });
    const same = after(joined([1, 2]), inEpoch('e1', 5), inEpoch('e1', 4));
    expect(same.cursor).toEqual({ epoch: 'e1', seq: 5 });
    expect(chatAfter(same, inEpoch('e2', 6)).cursor).toEqual({ epoch: 'e2', seq: 6 });
    expect(chatAfter(same, inEpoch('e2', 1, 2)).cursor).toEqual({ epoch: 'e2', seq: 2 });
  });

  test('an own message waits below the room and gives way to its copy', () => {
    const sending: ChatEvent = { type: 'sending', clientId: 'mine-1234', text: 'hello' };
    const pending = after(joined([1]), sending);
    expect(pending.outgoing).toEqual([{ clientId: 'mine-1234', text: 'hello', state: 'pending', problem: null }]);
    const done = chatAfter(pending, { type: 'received', messages: [message(2, 'mine-1234')] });
    expect(done.outgoing).toEqual([]);
    expect(shape(done)).toBe('1 2');
  });

  test('a failed message stays, says why, and can be sent again under the same id', () => {
    const failed = after(
      { type: 'sending', clientId: 'mine-1234', text: 'hello' },
      { type: 'failed', clientId: 'mine-1234', problem: 'rate_limited' },
    );
    expect(failed.outgoing[0]).toMatchObject({ state: 'failed', problem: 'rate_limited' });
    const again = chatAfter(failed, { type: 'sending', clientId: 'mine-1234', text: 'hello' });
    expect(again.outgoing).toHaveLength(1);
    expect(again.outgoing[0]).toMatchObject({ state: 'pending', problem: null });
  });

  test('the document never holds more than the bound, and counts what it dropped', () => {
    const list = after(joined([]), received(...Array.from({ length: CHAT_ENTRIES_MAX + 7 }, (_, index) => index + 1)));
    expect(list.entries).toHaveLength(CHAT_ENTRIES_MAX);
    expect(list.droppedTotal).toBe(7);
    expect(shape(list).startsWith('8 9')).toBe(true);
  });

  test('any order of joins and deliveries keeps ids unique and the bound', () => {
    const seqs = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 60 });
    const event = fc.oneof(
      seqs.map((list) => received(...list)),
      fc.tuple(seqs, fc.boolean()).map(([list, gap]) => joined(list, gap)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const list = after(...events);
        const ids = list.entries.filter(({ kind }) => kind === 'message').map(({ key }) => key);
        expect(new Set(ids).size).toBe(ids.length);
        expect(list.entries.length + list.outgoing.length).toBeLessThanOrEqual(CHAT_ENTRIES_MAX);
      }),
    );
  });
});

test('the composer counts to the limit of the protocol', () => {
  expect(MESSAGE_CHARS_MAX).toBe(CHAT_MESSAGE_CHARS_MAX);
});
