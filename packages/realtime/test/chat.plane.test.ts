import { randomUUID } from 'node:crypto';
import type { ChatJoined, ChatMessage, ChatSent } from '@showfloor/protocol';
import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, message, next, type Rig, startRig, until } from './plane-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

async function chatter(name = 'Ana', transports?: string[]): Promise<Socket> {
  const token = await rig.roomToken({ name });
  const socket = rig.client('/chat', { auth: { token }, ...(transports === undefined ? {} : { transports }) });
  await next(socket, 'connect');
  return socket;
}

/** Everything the socket hears from now on, in order. */
function heard(socket: Socket): ChatMessage[] {
  const messages: ChatMessage[] = [];
  socket.on('chat:messages', (batch: { messages: ChatMessage[] }) => messages.push(...batch.messages));
  return messages;
}

const texts = (messages: readonly ChatMessage[]): string[] => messages.map((entry) => entry.message);

describe('chat', () => {
  test('a message reaches everyone in the room once, with its place, and newcomers find it', async () => {
    const [ana, ben, poller] = await Promise.all([chatter('Ana'), chatter('Ben'), chatter('Cleo', ['polling'])]);
    const inboxes = [ana, ben, poller].map(heard);
    for (const socket of [ana, ben, poller]) {
      expect(await ask<ChatJoined>(socket, 'chat:join', { liveId: 'demo' })).toMatchObject({ ok: true, messages: [] });
    }
    const first = await ask<ChatSent>(ana, 'chat:send', message('demo', '  hello\n\u0007world '));
    const second = await ask<ChatSent>(ben, 'chat:send', message('demo', '<b>hi</b>'));
    expect([first.cursor.seq, second.cursor.seq]).toEqual([1, 2]);
    await until(() => inboxes.every((inbox) => inbox.length === 2), 'everyone has both');
    for (const inbox of inboxes) {
      expect(inbox.map((entry) => [entry.seq, entry.username, entry.message])).toEqual([
        [1, 'Ana', 'hello world'],
        [2, 'Ben', '<b>hi</b>'],
      ]);
    }
    const late = await chatter('Dora');
    const joined = await ask<ChatJoined>(late, 'chat:join', { liveId: 'demo' });
    expect(texts(joined.messages)).toEqual(['hello world', '<b>hi</b>']);
    expect(joined.cursor).toEqual(second.cursor);
  });

  test('rooms do not hear each other, and who left hears nothing', async () => {
    const [ana, ben, cleo] = await Promise.all([chatter(), chatter(), chatter()]);
    await ask(ana, 'chat:join', { liveId: 'demo' });
    await ask(ben, 'chat:join', { liveId: 'other' });
    await ask(cleo, 'chat:join', { liveId: 'demo' });
    const inboxes = [ben, cleo].map(heard);
    await ask(cleo, 'chat:leave', { liveId: 'demo' });
    await ask(ana, 'chat:send', message('demo', 'hello'));
    await ask(ben, 'chat:send', message('other', 'over here'));
    await until(() => inboxes[0]?.length === 1, 'ben hears his room');
    expect(inboxes.map(texts)).toEqual([['over here'], []]);
  });

  test('G-79: of 25 messages in ten seconds the 21st is refused and says when to try again', async () => {
    const sub = randomUUID();
    const auth = { token: await rig.roomToken({ sub }) };
    // Two tabs of one user share the allowance.
    const tabs = [rig.client('/chat', { auth }), rig.client('/chat', { auth })];
    for (const tab of tabs) await ask(tab, 'chat:join', { liveId: 'demo' });
    const answers = [];
    for (let index = 0; index < 25; index += 1) {
      const tab = tabs[index % 2] as Socket;
      answers.push(await ask<ChatSent>(tab, 'chat:send', message('demo', `message ${index}`)));
    }
    expect(answers.map((answer) => answer.ok)).toEqual([...Array(20).fill(true), ...Array(5).fill(false)]);
    const refused = answers[20];
    expect(refused?.reason).toBe('rate_limited');
    expect(refused?.retryAfterMs).toBeGreaterThan(5_000);
    expect(refused?.retryAfterMs).toBeLessThanOrEqual(10_000);
    const other = await chatter('Ben');
    await ask(other, 'chat:join', { liveId: 'demo' });
    expect(await ask(other, 'chat:send', message('demo', 'me too'))).toMatchObject({ ok: true });
    expect(await rig.metric('realtime_refusals_total', { reason: 'rate_limited' })).toBe(5);
  });

  test('R3: after a drop, rejoining with the cursor brings exactly what was missed, without a duplicate', async () => {
    const [ana, ben] = await Promise.all([chatter('Ana'), chatter('Ben')]);
    const seen = heard(ben);
    const joined = await ask<ChatJoined>(ben, 'chat:join', { liveId: 'demo' });
    await ask(ana, 'chat:join', { liveId: 'demo' });
    for (const text of ['one', 'two']) await ask(ana, 'chat:send', message('demo', text));
    await until(() => seen.length === 2, 'ben has two');

    const gone = next(ben, 'disconnect');
    ben.io.engine.close();
    await gone;
    for (const text of ['three', 'four', 'five']) await ask(ana, 'chat:send', message('demo', text));
    await next(ben, 'connect', 10_000);
    const cursor = { epoch: joined.cursor.epoch, seq: seen.at(-1)?.seq ?? 0 };
    const rejoined = await ask<ChatJoined>(ben, 'chat:join', { liveId: 'demo', since: cursor });
    expect(rejoined.gap).toBe(false);
    await ask(ana, 'chat:send', message('demo', 'six'));
    await until(() => seen.length === 3, 'ben is live again');
    const all = [...seen.slice(0, 2), ...rejoined.messages, ...seen.slice(2)];
    expect(texts(all)).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });

  test('joining while others write: history plus what is heard is each message once and in order', async () => {
    const writers = await Promise.all(Array.from({ length: 6 }, (_, index) => chatter(`writer ${index}`)));
    for (const writer of writers) await ask(writer, 'chat:join', { liveId: 'demo' });
    const readers = await Promise.all(Array.from({ length: 6 }, () => chatter('reader')));
    const results = readers.map(() => [] as number[]);
    const sending = writers.map(async (writer) => {
      for (let index = 0; index < 15; index += 1) await ask(writer, 'chat:send', message('demo', `${index}`));
    });
    const joining = readers.map(async (reader, index) => {
      const order: number[] = results[index] ?? [];
      let isAnswered = false;
      reader.on('chat:messages', (batch: { messages: ChatMessage[] }) => {
        expect(isAnswered, 'the history comes before what follows it').toBe(true);
        order.push(...batch.messages.map((entry) => entry.seq));
      });
      await until(async () => (await rig.metric('realtime_chat_messages_total')) > index * 10, 'some are written');
      reader.emit('chat:join', { liveId: 'demo' }, (answer: ChatJoined) => {
        isAnswered = true;
        order.push(...answer.messages.map((entry) => entry.seq));
      });
    });
    await Promise.all([...sending, ...joining]);
    const everything = Array.from({ length: 90 }, (_, index) => index + 1);
    await until(() => results.every((order) => order.at(-1) === 90), 'all have the last message');
    for (const order of results) expect(order).toEqual(everything);
  });

  test('who missed more than the ring holds is told of the gap and gets the last 100', async () => {
    const writers = await Promise.all(Array.from({ length: 7 }, () => chatter()));
    const { cursor } = await ask<ChatJoined>(writers[0] as Socket, 'chat:join', { liveId: 'demo' });
    for (const writer of writers) {
      await ask(writer, 'chat:join', { liveId: 'demo' });
      for (let index = 0; index < 18; index += 1) await ask(writer, 'chat:send', message('demo', `${index}`));
    }
    const late = await chatter();
    const missed = await ask<ChatJoined>(late, 'chat:join', { liveId: 'demo', since: cursor });
    expect([missed.gap, missed.messages.length, missed.messages[0]?.seq]).toEqual([true, 100, 27]);
    const justEnough = await ask<ChatJoined>(late, 'chat:join', { liveId: 'demo', since: { ...cursor, seq: 26 } });
    expect([justEnough.gap, justEnough.messages.length]).toEqual([false, 100]);
    const strange = await ask<ChatJoined>(late, 'chat:join', { liveId: 'demo', since: { epoch: 'another', seq: 120 } });
    expect([strange.gap, strange.messages.length]).toEqual([true, 100]);
    const ahead = await ask<ChatJoined>(late, 'chat:join', { liveId: 'demo', since: { ...cursor, seq: 500 } });
    expect(ahead.gap).toBe(true);
  });

  test('a message sent again with its client id is answered, not posted twice, also when both are in flight', async () => {
    const ana = await chatter();
    const seen = heard(ana);
    await ask(ana, 'chat:join', { liveId: 'demo' });
    const payload = message('demo', 'once');
    const [first, second] = await Promise.all([ask(ana, 'chat:send', payload), ask(ana, 'chat:send', payload)]);
    const third = await ask(ana, 'chat:send', payload);
    expect([second, third]).toEqual([first, first]);
    await ask(ana, 'chat:send', message('demo', 'after'));
    await until(() => seen.length >= 2, 'ana hears herself');
    expect(texts(seen)).toEqual(['once', 'after']);
  });

  test('an anonymous viewer reads but does not write; nobody writes into a room they have not joined', async () => {
    const guest = rig.client('/chat');
    const seen = heard(guest);
    expect(await ask(guest, 'chat:join', { liveId: 'demo' })).toMatchObject({ ok: true });
    expect(await ask(guest, 'chat:send', message('demo', 'hi'))).toMatchObject({
      ok: false,
      reason: 'unauthenticated',
    });
    const ana = await chatter();
    expect(await ask(ana, 'chat:send', message('demo', 'hi'))).toMatchObject({ ok: false, reason: 'forbidden' });
    await ask(ana, 'chat:join', { liveId: 'demo' });
    await ask(ana, 'chat:send', message('demo', 'hello'));
    await until(() => seen.length === 1, 'the guest reads');
  });

  test('a room may have a policy of its own', async () => {
    const strict = await startRig({
      chatPolicy: ({ message: text }) =>
        text.includes('spoiler') ? { ok: false, reason: 'forbidden', detail: 'no spoilers here' } : null,
    });
    const socket = strict.client('/chat', { auth: { token: await strict.roomToken() } });
    await ask(socket, 'chat:join', { liveId: 'demo' });
    expect(await ask(socket, 'chat:send', message('demo', 'a spoiler'))).toMatchObject({ reason: 'forbidden' });
    expect(await ask(socket, 'chat:send', message('demo', 'fine'))).toMatchObject({ ok: true });
    await strict.close();
  });
});
