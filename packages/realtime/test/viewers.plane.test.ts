import type { ViewerJoined } from '@showfloor/protocol';
import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask, envelope, next, type Rig, startRig, until } from './plane-rig.ts';

type Update = { playbackId: string; viewerCount: number; approximate: boolean };
let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

const join = (socket: Socket, playbackId = 'demo') => ask<ViewerJoined>(socket, 'stream:viewer:join', { playbackId });
const viewers = () => rig.metric('realtime_viewers');

test('R4, G-78: a hundred viewers join, a hundred go in different ways, and the count is true throughout', async () => {
  const watcher = rig.client('/streaming');
  const updates: number[] = [];
  watcher.on('stream:viewer:update', (update: Update) => updates.push(update.viewerCount));
  await join(watcher);
  const crowd = Array.from({ length: 100 }, () => rig.client('/streaming'));
  await Promise.all(crowd.map((socket) => join(socket)));
  expect(await viewers()).toBe(101);
  await until(() => updates.at(-1) === 101, 'the watcher sees 101');

  for (const [index, socket] of crowd.entries()) {
    if (index % 3 === 0) socket.emit('stream:viewer:leave', { playbackId: 'demo' });
    else if (index % 3 === 1) socket.disconnect();
    else socket.io.engine.close();
    if (index % 3 === 2) socket.io.reconnection(false);
  }
  await until(async () => (await viewers()) === 1, 'all have left');
  await until(() => updates.at(-1) === 1, 'the watcher is alone');
  expect(Math.min(...updates)).toBeGreaterThanOrEqual(1);
  expect(updates.length, 'coalesced').toBeLessThan(20);
  watcher.disconnect();
  await until(async () => (await viewers()) === 0, 'nobody is left');
  const moved = [await rig.metric('realtime_viewer_joins_total'), await rig.metric('realtime_viewer_leaves_total')];
  expect([...moved, await rig.metric('realtime_room_viewers_peak')]).toEqual([101, 101, 101]);
});

test('joining twice counts once, leaving twice takes nothing from the others, rooms count apart', async () => {
  const [ana, ben] = [rig.client('/streaming'), rig.client('/streaming')];
  expect(await join(ana)).toMatchObject({ ok: true, viewerCount: 1, approximate: false, state: 'unknown' });
  expect((await join(ana)).viewerCount).toBe(1);
  expect((await join(ben)).viewerCount).toBe(2);
  expect((await join(ben, 'other')).viewerCount).toBe(1);
  for (let times = 0; times < 3; times += 1) await ask(ben, 'stream:viewer:leave', { playbackId: 'demo' });
  expect((await join(ana)).viewerCount).toBe(1);
  const ninth = await Promise.all(Array.from({ length: 9 }, (_, index) => join(ana, `show-${index}`)));
  expect(ninth.filter((answer) => !answer.ok).map((answer) => answer.reason)).toEqual(['overloaded', 'overloaded']);
});

test('viewers hear the stream begin, break, resume and end; who joins late is told its state', async () => {
  const socket = rig.client('/streaming');
  await join(socket);
  const data = { showId: '018f3c1e-7b1a-7c3e-8a55-3f2b1c0d9e8f', sessionId: 's1' };
  const startMs = Date.now();
  const steps = [
    ['stream.started', 'stream:started', 'live', {}],
    ['stream.interrupted', 'stream:interrupted', 'interrupted', { graceEndsAtMs: startMs + 120_000 }],
    ['stream.resumed', 'stream:resumed', 'live', {}],
    ['stream.ended', 'stream:ended', 'ended', {}],
  ] as const;
  for (const [index, [type, event, state, extra]] of steps.entries()) {
    const told = next(socket, event);
    const atMs = startMs + index;
    expect(await rig.deliver({ ...envelope(type, 'demo', atMs), data: { ...data, ...extra } })).toEqual({
      status: 200,
      result: 'accepted',
    });
    expect(await told).toEqual({ playbackId: 'demo', atMs, ...extra });
    expect((await join(rig.client('/streaming'))).state).toBe(state);
  }
  const stale = await rig.deliver({ ...envelope('stream.started', 'demo', startMs + 1), data });
  expect(stale.result).toBe('stale');
  expect((await join(rig.client('/streaming'))).state).toBe('ended');
});

test('one connection carries all three namespaces', async () => {
  const auth = { token: await rig.roomToken() };
  const root = rig.client('/', { auth });
  const chat = root.io.socket('/chat', { auth });
  const streaming = root.io.socket('/streaming', { auth });
  await Promise.all([
    ask(root, 'stream:join', { playbackId: 'demo' }),
    ask(chat, 'chat:join', { liveId: 'demo' }),
    join(streaming),
  ]);
  expect(await rig.metric('realtime_connections')).toBe(1);
  expect(await rig.metric('realtime_namespace_connections')).toBe(3);
  expect(await rig.metric('realtime_authentications_total', { outcome: 'room_token' })).toBe(3);
  chat.disconnect();
  streaming.disconnect();
});
