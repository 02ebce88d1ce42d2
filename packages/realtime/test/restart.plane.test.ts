import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChatJoined, ChatMessage, ChatSent } from '@showfloor/protocol';
import type { Socket } from 'socket.io-client';
import { afterEach, expect, test } from 'vitest';
import { ask, message, next, rigFor, startRig, temporaryFolder, until } from './plane-rig.ts';

const SCRIPT = fileURLToPath(new URL('serve-alone.ts', import.meta.url));

/** Ended after each test, also one that failed: a process left over would hold the terminal. */
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

async function serve(dataDir: string, port = 0): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [SCRIPT, dataDir, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('V6, R3: kill -9 in the middle of a chat loses no acknowledged message, repeats none, and keeps the place', async () => {
  const dataDir = temporaryFolder();
  const first = await serve(dataDir);
  let running = first.child;
  const rig = await rigFor(`http://127.0.0.1:${first.port}`, dataDir, () => kill(running));
  const token = await rig.roomToken({ name: 'Ana' });
  const options = { auth: { token }, reconnectionDelay: 50, reconnectionDelayMax: 200 };
  const writers: Socket[] = [];
  for (let index = 0; index < 10; index += 1) {
    const writer = rig.client('/chat', { ...options, auth: { token: await rig.roomToken() } });
    await ask(writer, 'chat:join', { liveId: 'demo' });
    writers.push(writer);
  }
  const reader = rig.client('/chat', options);
  const seen: ChatMessage[] = [];
  reader.on('chat:messages', (batch: { messages: ChatMessage[] }) => seen.push(...batch.messages));
  const { cursor } = await ask<ChatJoined>(reader, 'chat:join', { liveId: 'demo' });

  const acknowledged: string[] = [];
  const sending = writers.map(async (writer, who) => {
    for (let index = 0; index < 18; index += 1) {
      const text = `${who}/${index}`;
      const answer = await ask<ChatSent>(writer, 'chat:send', message('demo', text)).catch(() => null);
      if (answer === null) return;
      if (answer.ok) acknowledged.push(text);
    }
  });
  await until(() => acknowledged.length >= 50, 'the chat is in full swing');
  for (const socket of [...writers, reader]) socket.sendBuffer = [];
  const lost = next(reader, 'disconnect');
  await kill(running);
  await lost;
  for (const writer of writers) writer.disconnect();
  await Promise.all(sending);

  running = (await serve(dataDir, first.port)).child;
  await next(reader, 'connect', 10_000);
  const since = { epoch: cursor.epoch, seq: seen.at(-1)?.seq ?? 0 };
  const back = await ask<ChatJoined>(reader, 'chat:join', { liveId: 'demo', since });
  expect([back.gap, back.cursor.epoch]).toEqual([false, cursor.epoch]);
  const all = [...seen, ...back.messages];
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
  expect(all.map((entry) => entry.message)).toEqual(expect.arrayContaining(acknowledged));

  // The last message again, as a client that never saw its answer would: answered with the place it has.
  const last = all.at(-1);
  const newcomer = rig.client('/chat', options);
  const history = await ask<ChatJoined>(newcomer, 'chat:join', { liveId: 'demo' });
  expect(history.messages).toEqual(all.slice(-100));
  const next1 = await ask<ChatSent>(newcomer, 'chat:send', message('demo', 'after the restart'));
  expect(next1.cursor).toEqual({ epoch: cursor.epoch, seq: (last?.seq ?? 0) + 1 });
  await rig.close();
});

test('a message sent again after a restart is not posted twice', async () => {
  const dataDir = temporaryFolder();
  const payload = message('demo', 'once');
  const sub = '018f3c1e-7b1a-7c3e-8a55-3f2b1c0d9e8f';
  const answers = [];
  for (let times = 0; times < 2; times += 1) {
    const rig = await startRig({ dataDir });
    const socket = rig.client('/chat', { auth: { token: await rig.roomToken({ sub }) } });
    const joined = await ask<ChatJoined>(socket, 'chat:join', { liveId: 'demo' });
    expect(joined.messages.length).toBe(times);
    answers.push(await ask<ChatSent>(socket, 'chat:send', payload));
    await rig.close();
  }
  expect(answers[1]).toEqual(answers[0]);
});

test('a disk that refuses costs history, never the chat: the epoch changes, so no cursor lies', async () => {
  const rig = await startRig();
  const inTheWay = join(rig.dataDir, 'chat', 'demo.jsonl');
  mkdirSync(inTheWay, { recursive: true });
  const socket = rig.client('/chat', { auth: { token: await rig.roomToken() } });
  const batches: { epoch: string; messages: ChatMessage[] }[] = [];
  socket.on('chat:messages', (batch) => batches.push(batch));
  const joined = await ask<ChatJoined>(socket, 'chat:join', { liveId: 'demo' });
  const unjournaled = await ask<ChatSent>(socket, 'chat:send', message('demo', 'one'));
  expect(unjournaled).toMatchObject({ ok: true, cursor: { seq: 1 } });
  expect(unjournaled.cursor.epoch).not.toBe(joined.cursor.epoch);
  rmdirSync(inTheWay);
  const journaled = await ask<ChatSent>(socket, 'chat:send', message('demo', 'two'));
  expect(journaled.cursor).toEqual({ epoch: unjournaled.cursor.epoch, seq: 2 });
  await until(() => batches.length === 2, 'both are heard');
  expect(batches.map(({ epoch }) => epoch)).toEqual([unjournaled.cursor.epoch, unjournaled.cursor.epoch]);
  expect(await rig.metric('realtime_chat_journal_errors_total', { code: 'EISDIR' })).toBe(2);
  await rig.close();

  const again = await startRig({ dataDir: rig.dataDir });
  const late = again.client('/chat');
  const history = await ask<ChatJoined>(late, 'chat:join', { liveId: 'demo', since: journaled.cursor });
  expect(history).toMatchObject({ gap: false, messages: [], cursor: journaled.cursor });
  const other = again.client('/chat');
  const gap = await ask<ChatJoined>(other, 'chat:join', { liveId: 'demo', since: { ...joined.cursor, seq: 1 } });
  expect([gap.gap, gap.messages.map((entry) => entry.message)]).toEqual([true, ['two']]);
  await again.close();
});
