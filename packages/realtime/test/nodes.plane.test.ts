import { randomUUID } from 'node:crypto';
import type { ChatJoined, ViewerJoined } from '@showfloor/protocol';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chatter, siblingFolder, startNode, startNodes } from './nodes-rig.ts';
import { ask, envelope, next, type Rig, until } from './plane-rig.ts';
import { hasRedis, type RedisUnderTest, startRedis } from './redis-server.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const show = { showId: '018f3c1e-7b1a-7c3e-8a55-3f2b1c0d9e8f', sessionId: 's1' };

describe.skipIf(!hasRedis)('several nodes over one Redis', () => {
  let redis: RedisUnderTest;
  let nodes: Rig[];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    redis.cli('FLUSHALL');
    nodes = await startNodes(redis, 3);
  });
  afterEach(async () => {
    for (const node of nodes) await node.close();
  });
  const node = (index: number): Rig => {
    const found = nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  };

  test('what is said at any node reaches every viewer of all, in one order, each message once', async () => {
    const writers = await Promise.all(range(0, 11).map((index) => Chatter.enter(node(index % 3))));
    const readers = await Promise.all(range(0, 5).map((index) => Chatter.enter(node(index % 3))));
    const answers = await Promise.all(
      writers.map(async (writer, who) => {
        const sent = [];
        for (const index of range(1, 15)) sent.push(await writer.say(`${who}/${index}`));
        return sent;
      }),
    );
    const places = answers.flat().map(({ cursor }) => cursor.seq);
    expect(places.sort((one, other) => one - other)).toEqual(range(1, 180));
    expect(new Set(answers.flat().map(({ cursor }) => cursor.epoch)).size).toBe(1);
    await until(() => readers.every(({ heard }) => heard.at(-1)?.seq === 180), 'every reader has the last');
    const [first] = readers;
    for (const reader of readers) {
      expect(reader.heard.map(({ seq }) => seq)).toEqual(range(1, 180));
      expect(reader.heard).toEqual(first?.heard);
      expect(new Set(reader.batches.map(({ epoch }) => epoch))).toEqual(new Set([answers[0]?.[0]?.cursor.epoch]));
    }
    const late = await Promise.all(nodes.map((each) => Chatter.enter(each)));
    for (const each of late) {
      expect(each.joined.messages).toEqual(first?.heard.slice(-100));
      expect(each.joined.cursor).toEqual(late[0]?.joined.cursor);
    }
  });

  test('a cursor of one node brings exactly what was missed at another, and more than the ring is a gap at each', async () => {
    const ana = await Chatter.enter(node(0));
    const ben = await Chatter.enter(node(1));
    for (const index of range(1, 5)) await ana.say(`${index}`);
    await until(() => ben.texts.length === 5, 'ben has them');
    const cursor = { epoch: ben.batches.at(-1)?.epoch ?? '', seq: 5 };
    for (const index of range(6, 9)) await ana.say(`${index}`);
    const elsewhere = await Chatter.enter(node(2));
    const rejoined = await elsewhere.join(cursor);
    expect([rejoined.gap, rejoined.messages.map(({ seq }) => seq)]).toEqual([false, [6, 7, 8, 9]]);
    const writers = await Promise.all(range(1, 6).map(() => Chatter.enter(node(0))));
    await Promise.all(
      writers.map(async (writer) => {
        for (const index of range(1, 18)) await writer.say(`more ${index}`);
      }),
    );
    for (const each of nodes) {
      const joined = await (await Chatter.enter(each)).join(cursor);
      expect([joined.gap, joined.messages.map(({ seq }) => seq)]).toEqual([true, range(18, 117)]);
    }
  });

  test('whoever joins any node after an acknowledgement finds the message; sent again there, it is not posted twice', async () => {
    const sub = randomUUID();
    const ana = await Chatter.enter(node(0), 'demo', { sub });
    const reader = await Chatter.enter(node(2));
    for (const index of range(1, 18)) {
      const clientId = `client-${index}-of-ana`;
      const sent = await ana.say(`${index}`, clientId);
      const other = await Chatter.enter(node(1 + (index % 2)), 'demo', { sub });
      expect(other.joined.messages.at(-1)).toMatchObject({ id: sent.id, seq: sent.cursor.seq });
      expect(await other.say(`${index}`, clientId)).toEqual(sent);
      other.socket.disconnect();
    }
    await until(() => reader.texts.length === 18, 'the reader has all');
    expect(reader.texts).toEqual(range(1, 18).map(String));
  });

  test('viewers of all nodes are counted together, and those of a node that ends are not', async () => {
    const join = (socket: Socket) => ask<ViewerJoined>(socket, 'stream:viewer:join', { playbackId: 'demo' });
    const watchers = nodes.map((each) => ({ socket: each.client('/streaming'), count: 0, approximate: true }));
    for (const watcher of watchers) {
      watcher.socket.on('stream:viewer:update', ({ viewerCount, approximate }) => {
        Object.assign(watcher, { count: viewerCount, approximate });
      });
    }
    for (const [index, { socket }] of watchers.entries()) {
      expect(await join(socket)).toMatchObject({ viewerCount: index + 1, approximate: false });
    }
    const crowd = range(1, 30).map((index) => node(index % 3).client('/streaming'));
    await Promise.all(crowd.map(join));
    await until(() => watchers.every(({ count }) => count === 33), 'all see 33');
    expect(
      redis.cli('ZRANGE', 'stream:demo:viewers', '0', '-1', 'WITHSCORES').filter((line) => line === '11'),
    ).toHaveLength(3);
    for (const socket of crowd.slice(0, 15)) socket.disconnect();
    await until(() => watchers.every(({ count }) => count === 18), 'all see 18');
    await node(2).close();
    await until(() => watchers.slice(0, 2).every(({ count }) => count === 12), 'the node that ended counts no more');
    expect(watchers.every(({ approximate }) => !approximate)).toBe(true);
    for (const { socket } of watchers) socket.disconnect();
    for (const socket of crowd) socket.disconnect();
    await until(() => redis.cli('EXISTS', 'stream:demo:viewers')[0] === '0', 'an empty room leaves nothing behind');
  });

  test('an event that one node takes is heard at all, once, and a node that comes later knows it', async () => {
    const shoppers = nodes.map((each) => each.client('/'));
    const viewers = nodes.map((each) => each.client('/streaming'));
    for (const socket of shoppers) await ask(socket, 'stream:join', { playbackId: 'demo' });
    for (const socket of viewers) await ask(socket, 'stream:viewer:join', { playbackId: 'demo' });
    const heard: string[][] = nodes.map(() => []);
    for (const [index, socket] of [...shoppers, ...viewers].entries()) {
      socket.onAny((event: string) => {
        if (event !== 'stream:viewer:update') heard[index % 3]?.push(event);
      });
    }
    const stock = { productId: randomUUID(), variantId: randomUUID(), availableUnits: 0, stockVersion: 7 };
    const sold = { ...envelope('stock.changed'), data: stock };
    expect(await node(0).deliver({ ...envelope('stream.started'), data: show })).toMatchObject({ result: 'accepted' });
    expect(await node(1).deliver(sold)).toMatchObject({ result: 'accepted' });
    const names = ['stream:started', 'product:stock:update', 'product:sold-out'];
    await until(() => heard.every((events) => events.length >= 3), 'all nodes heard all three');
    expect(await node(2).deliver(sold), 'delivered again to another node').toMatchObject({ result: 'duplicate' });
    // A node's own events come before those it reads from the others: versions, not arrival, decide what holds.
    expect(heard.map((events) => [...events].sort())).toEqual(Array(3).fill([...names].sort()));

    const late = await startNode(redis, { dataDir: siblingFolder(node(0).dataDir) });
    nodes.push(late);
    expect(
      await ask<ViewerJoined>(late.client('/streaming'), 'stream:viewer:join', { playbackId: 'demo' }),
    ).toMatchObject({
      state: 'live',
    });
  });

  test('a revocation ends the session at every node, and a node that comes later refuses its tokens', async () => {
    const sub = randomUUID();
    const auth = { token: await node(0).roomToken({ sub }) };
    const sockets = nodes.map((each) => each.client('/', { auth }));
    const bystander = node(1).client('/', { auth: { token: await node(0).roomToken() } });
    await Promise.all([...sockets, bystander].map((socket) => next(socket, 'connect')));
    const gone = sockets.map((socket) => next(socket, 'disconnect'));
    const event = {
      id: `evt-${randomUUID()}`,
      version: 1 as const,
      atMs: Date.now(),
      type: 'session.revoked' as const,
      data: { userId: sub },
    };
    expect(await node(2).deliver(event)).toMatchObject({ result: 'accepted' });
    await Promise.all(gone);
    expect(bystander.connected).toBe(true);
    redis.cli('DEL', 'realtime:events'); // long ago: the log has moved on
    const late = await startNode(redis, { dataDir: siblingFolder(node(0).dataDir) });
    nodes.push(late);
    const refused = late.client('/', { auth });
    expect((await next<Error & { data?: { reason: string } }>(refused, 'connect_error')).data?.reason).toBe(
      'token_invalid',
    );
    refused.disconnect();
  });

  test('what nodes keep in Redis is bounded and goes by itself', async () => {
    const writers = await Promise.all(range(0, 11).map((index) => Chatter.enter(node(index % 3))));
    await Promise.all(
      writers.map(async (writer) => {
        for (const index of range(1, 15)) await writer.say(`${index}`);
      }),
    );
    await ask(node(0).client('/streaming'), 'stream:viewer:join', { playbackId: 'demo' });
    await node(0).deliver({ ...envelope('stream.started'), data: show });
    expect(redis.cli('XLEN', 'stream:demo:chat')).toEqual(['100']);
    const keys = redis.cli('KEYS', '*').filter((key) => !key.startsWith('realtime:socket.io'));
    expect(keys).toEqual(expect.arrayContaining(['stream:demo:chat', 'stream:demo:chat:head', 'stream:demo:viewers']));
    for (const key of keys) {
      const lifeMs = Number(redis.cli('PTTL', key)[0]);
      expect(lifeMs, key).toBeGreaterThan(0);
      if (key.startsWith('stream:')) expect(lifeMs, key).toBeLessThanOrEqual(86_400_000);
    }
  });

  test('500 viewers and a full history cost Redis less than 1.2 MB', async () => {
    const crowd = range(1, 500).map((index) => node(index % 3).client('/streaming'));
    for (const socket of crowd) await ask(socket, 'stream:viewer:join', { playbackId: 'demo' });
    const writers = await Promise.all(range(0, 5).map((index) => Chatter.enter(node(index % 3))));
    for (const index of range(1, 20))
      await Promise.all(writers.map((writer) => writer.say(`${index} `.padEnd(200, '…'))));
    expect(redis.cli('XLEN', 'stream:demo:chat')).toEqual(['100']);
    const bytes = redis.cli('KEYS', '*').map((key) => Number(redis.cli('MEMORY', 'USAGE', key)[0]));
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(1_200_000);
    for (const socket of crowd) socket.disconnect();
  });

  test('a room that Redis has lost is brought back by the nodes that have it, in a new epoch', async () => {
    const [ana, ben] = [await Chatter.enter(node(0)), await Chatter.enter(node(1))];
    for (const index of range(1, 3)) await ana.say(`${index}`);
    await until(() => ben.texts.length === 3, 'ben has them');
    redis.cli('FLUSHALL');
    const sent = await ben.say('4');
    expect(sent.cursor.epoch).not.toBe(ana.batches[0]?.epoch);
    await until(() => ana.texts.length === 4, 'ana hears ben');
    const late = await Chatter.enter(node(2));
    expect([late.texts, ana.texts, ben.texts]).toEqual(Array(3).fill(['1', '2', '3', '4']));
    const stale = await late.join({ epoch: ana.batches[0]?.epoch ?? '', seq: 1 });
    expect(stale.gap).toBe(true);
  });

  test('garbage among what nodes tell each other is counted and passed over', async () => {
    const [ana, ben] = [await Chatter.enter(node(0)), await Chatter.enter(node(1))];
    await ana.say('before');
    redis.cli('XADD', 'stream:demo:chat', '9-0', 'id', 'x', 't', '1', 'm', '{"not":"a message"}');
    redis.cli('HSET', 'stream:demo:chat:head', 'seq', '9');
    redis.cli('XADD', 'realtime:events', '*', 'event', 'no event');
    redis.cli('PUBLISH', 'realtime:socket.io#/chat#', 'noise');
    await until(async () => (await node(1).metric('realtime_shared_malformed_total')) > 0, 'it is noticed');
    expect((await ana.say('after')).cursor.seq).toBe(10);
    await until(() => ben.texts.includes('after'), 'ben hears on');
    expect((await ben.join()).messages.map((entry) => entry.message)).toEqual(['before', 'after']);
  });

  test('each node says how it is joined and how fast Redis answers', async () => {
    await (await Chatter.enter(node(0))).say('hello');
    expect(await node(0).metric('realtime_redis_joined')).toBe(1);
    expect(await node(0).metric('realtime_redis_joins_total', { outcome: 'joined' })).toBe(1);
    expect(await node(0).metric('realtime_redis_command_duration_seconds', { command: 'chat_append' })).toBeGreaterThan(
      0,
    );
    expect(await node(0).metric('realtime_redis_partings_total')).toBe(0);
  });
});

test('without Redis a node says nothing of it', async () => {
  const { startRig } = await import('./plane-rig.ts');
  const alone = await startRig();
  const text = await alone.registry.metrics();
  expect(text).not.toContain('realtime_redis_joined');
  const joined = await ask<ChatJoined>(alone.client('/chat'), 'chat:join', { liveId: 'demo' });
  expect(joined).toMatchObject({ ok: true, gap: false });
  await alone.close();
});
