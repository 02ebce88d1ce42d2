import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket as NetSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ViewerJoined } from '@showfloor/protocol';
import { listen } from '@showfloor/service-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chatter, HEARTBEAT_MS, siblingFolder, startNode, startNodes, watchLoop } from './nodes-rig.ts';
import { ask, envelope, next, type Rig, rigFor, startRig, until } from './plane-rig.ts';
import { hasRedis, type RedisUnderTest, startRedis } from './redis-server.ts';

const SCRIPT = fileURLToPath(new URL('serve-alone.ts', import.meta.url));
/** What nobody may wait longer for, whatever Redis does. */
const ACK_MS_MAX = 1_000;
/** A loop that stood still this long would have been waiting for Redis; what one process does for all nodes takes less. */
const LOOP_MS_MAX = 400;
const show = { showId: '018f3c1e-7b1a-7c3e-8a55-3f2b1c0d9e8f', sessionId: 's1' };

type Count = { count: number; approximate: boolean };

describe.skipIf(!hasRedis)('several nodes whose Redis goes', () => {
  let redis: RedisUnderTest;
  let nodes: Rig[];
  const children = new Set<ChildProcess>();
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.restart();
    nodes = await startNodes(redis, 2);
  });
  afterEach(async () => {
    redis.resume();
    for (const each of nodes) await each.close();
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });
  const node = (index: number): Rig => {
    const found = nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  };
  const joined = async (isJoined: boolean): Promise<void> =>
    until(
      async () => {
        const states = await Promise.all(nodes.map((each) => each.metric('realtime_redis_joined')));
        return states.every((state) => state === (isJoined ? 1 : 0));
      },
      isJoined ? 'all nodes have joined' : 'all nodes have noticed',
      15_000,
    );

  async function watcher(at: Rig): Promise<Count> {
    const socket = at.client('/streaming');
    const seen: Count = { count: 0, approximate: true };
    const take = ({ viewerCount, approximate }: ViewerJoined): void => {
      Object.assign(seen, { count: viewerCount, approximate });
    };
    socket.on('stream:viewer:update', take);
    take(await ask<ViewerJoined>(socket, 'stream:viewer:join', { playbackId: 'demo' }));
    return seen;
  }

  const outages = [
    ['killed', { down: () => redis.kill(), up: () => redis.restart() }],
    ['stopped', { down: async () => redis.pause(), up: async () => redis.resume() }],
  ] as const;
  test.each(outages)(
    'Redis is %s in full swing: each node serves its own, counts are approximate; back again, all is shared',
    async (_, redisGoes) => {
      const chatters = await Promise.all([0, 0, 0, 1, 1, 1].map((index) => Chatter.enter(node(index))));
      const listeners = await Promise.all([Chatter.enter(node(0)), Chatter.enter(node(1))]);
      const counts = [await watcher(node(0)), await watcher(node(1))];
      await until(() => counts.every(({ count, approximate }) => count === 2 && !approximate), 'two watch');
      const loop = watchLoop();
      const acknowledged: string[] = [];
      let isOver = false;
      const talking = chatters.map(async (chatter, who) => {
        for (let index = 0; index < 19 && !isOver; index += 1) {
          const answer = await chatter.say(`${who}/${index}`);
          expect(answer.ok).toBe(true);
          acknowledged.push(`${who}/${index}`);
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
      });
      await until(() => acknowledged.length > 30, 'the chat is in full swing');
      await redisGoes.down();
      await joined(false);
      await until(() => counts.every(({ approximate }) => approximate), 'the counts are approximate');
      expect(counts.map(({ count }) => count)).toEqual([2, 2]);
      await Promise.all(talking);
      isOver = true;
      // Somebody new comes, writes and is heard at their node only.
      const fresh = [await Chatter.enter(node(0)), await Chatter.enter(node(1))];
      for (const [index, chatter] of fresh.entries())
        expect(await chatter.say(`at node ${index}`)).toMatchObject({ ok: true });
      await until(
        () => listeners.every(({ texts }, index) => texts.includes(`at node ${index}`)),
        'each hears their own',
      );
      expect(listeners.map(({ texts }, index) => texts.includes(`at node ${1 - index}`))).toEqual([false, false]);
      const third = await watcher(node(0));
      await until(() => third.count === 3 && third.approximate, 'the new viewer counts at their node');
      expect(loop.stop()).toBeLessThan(LOOP_MS_MAX);
      for (const { slowestAckMs } of [...chatters, ...fresh]) expect(slowestAckMs).toBeLessThan(ACK_MS_MAX);
      expect(await node(0).metric('realtime_chat_apart_total')).toBeGreaterThan(0);

      await redisGoes.up();
      await joined(true);
      await until(
        () => counts.every(({ count, approximate }) => count === 3 && !approximate),
        'the counts are exact again',
      );
      const everything = [...acknowledged, 'at node 0', 'at node 1'];
      await until(
        () => listeners.every(({ texts }) => texts.length >= everything.length),
        'what was said apart is heard by all',
      );
      const answer = await fresh[0]?.say('together again');
      await until(() => listeners.every(({ texts }) => texts.includes('together again')), 'both nodes hear it');
      for (const { texts } of listeners) {
        expect([...texts].sort(), 'each message once').toEqual([...everything, 'together again'].sort());
      }
      const late = [await Chatter.enter(node(0)), await Chatter.enter(node(1))];
      for (const { joined: history } of late) {
        expect(history.cursor).toEqual(answer?.cursor);
        expect(history.messages).toEqual(late[0]?.joined.messages);
        expect(new Set(history.messages.map(({ id }) => id)).size).toBe(history.messages.length);
      }
      expect(late[0]?.joined.messages.length).toBe(Math.min(100, everything.length + 1));
    },
  );

  test('a viewer who was away while Redis was is told of a gap, never the wrong messages', async () => {
    const [ana, ben] = [await Chatter.enter(node(0)), await Chatter.enter(node(1))];
    await ana.say('1');
    await until(() => ben.texts.length === 1, 'ben has it');
    const shared = { epoch: ben.batches[0]?.epoch ?? '', seq: 1 };
    redis.pause();
    await joined(false);
    await ana.say('apart');
    await until(() => ana.texts.length === 2, 'ana hears herself');
    const apart = { epoch: ana.batches.at(-1)?.epoch ?? '', seq: 2 };
    expect(apart.epoch).not.toBe(shared.epoch);
    redis.resume();
    await joined(true);
    await until(() => ben.texts.length === 2, 'ben hears what was said apart');
    for (const each of nodes) {
      const reader = await Chatter.enter(each);
      const since = await reader.join(shared);
      expect([since.gap, since.messages.map((entry) => entry.message)]).toEqual([false, ['apart']]);
      const other = await reader.join(apart);
      expect([other.gap, other.messages.map((entry) => entry.message)]).toEqual([true, ['1', 'apart']]);
    }
  });

  test('an outage in which nothing is said changes no cursor', async () => {
    const ana = await Chatter.enter(node(0));
    const sent = await ana.say('before');
    redis.pause();
    await joined(false);
    redis.resume();
    await joined(true);
    const after = await (await Chatter.enter(node(1))).say('after');
    expect(after.cursor).toEqual({ epoch: sent.cursor.epoch, seq: 2 });
    await until(() => ana.texts.includes('after'), 'ana hears it');
  });

  test('what is said apart outlives the death of its node, and is heard once Redis is back', async () => {
    const [ana, ben] = [await Chatter.enter(node(0)), await Chatter.enter(node(1))];
    await ana.say('1');
    await until(() => ben.texts.length === 1, 'ben has it');
    redis.pause();
    await joined(false);
    await ana.say('apart');
    const { dataDir } = node(0);
    await node(0).close();
    nodes[0] = await startNode(redis, { dataDir });
    redis.resume();
    await joined(true);
    await Chatter.enter(node(0)); // opens the room
    await until(() => ben.texts.length === 2, 'ben hears it');
    expect(ben.texts).toEqual(['1', 'apart']);
  });

  test('a node that starts without Redis serves, and joins when Redis comes', async () => {
    await redis.kill();
    const alone = await startNode(redis, { dataDir: siblingFolder(node(0).dataDir) });
    nodes.push(alone);
    const ana = await Chatter.enter(alone);
    expect(await ana.say('is anybody here?')).toMatchObject({ ok: true });
    expect(await watcher(alone)).toMatchObject({ count: 1, approximate: true });
    await redis.restart();
    await joined(true);
    const ben = await Chatter.enter(node(1));
    expect(ben.texts).toEqual(['is anybody here?']);
    await ben.say('yes');
    await until(() => ana.texts.includes('yes'), 'ana hears the others');
  });

  test('events and revocations taken while Redis is gone reach the other nodes once it is back', async () => {
    const sub = randomUUID();
    const session = node(1).client('/', { auth: { token: await node(0).roomToken({ sub }) } });
    const viewer = node(1).client('/streaming');
    await next(session, 'connect');
    await ask(viewer, 'stream:viewer:join', { playbackId: 'demo' });
    await redis.kill();
    await joined(false);
    expect(await node(0).deliver({ ...envelope('stream.started'), data: show })).toMatchObject({ result: 'accepted' });
    const revoked = {
      id: `evt-${randomUUID()}`,
      version: 1 as const,
      atMs: Date.now(),
      type: 'session.revoked' as const,
    };
    expect(await node(0).deliver({ ...revoked, data: { userId: sub } })).toMatchObject({ result: 'accepted' });
    expect(await node(0).metric('realtime_shared_events_waiting')).toBe(2);
    const told = [next(viewer, 'stream:started', 15_000), next(session, 'disconnect', 15_000)];
    await redis.restart();
    await Promise.all(told);
    expect(await node(0).metric('realtime_shared_events_waiting')).toBe(0);
  });

  test('a node that is killed counts no more after three heartbeats', async () => {
    const here = await watcher(node(0));
    const dataDir = siblingFolder(node(0).dataDir);
    const child = spawn(process.execPath, [SCRIPT, dataDir, '0', redis.url, String(HEARTBEAT_MS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.add(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const other = await rigFor(`http://127.0.0.1:${line.toString().trim()}`, dataDir, () => Promise.resolve());
    for (let index = 0; index < 5; index += 1)
      await ask(other.client('/streaming'), 'stream:viewer:join', { playbackId: 'demo' });
    await until(() => here.count === 6, 'six watch');
    const writer = await Chatter.enter(other);
    const reader = await Chatter.enter(node(0));
    await writer.say('last words');
    child.kill('SIGKILL');
    await until(() => here.count === 1, 'the five are gone', HEARTBEAT_MS * 10);
    expect(here.approximate).toBe(false);
    await until(() => reader.texts.includes('last words'), 'what was acknowledged is heard');
    await other.close();
  });

  test('a Redis that refuses to write counts as down, and is joined when it takes again', async () => {
    const ana = await Chatter.enter(node(0));
    redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    expect(await ana.say('one')).toMatchObject({ ok: true });
    await joined(false);
    expect(ana.slowestAckMs).toBeLessThan(ACK_MS_MAX);
    redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    await joined(true);
    expect((await Chatter.enter(node(1))).texts).toEqual(['one']);
  });

  test('closing does not wait for a Redis that does not answer', async () => {
    const ana = await Chatter.enter(node(0));
    redis.pause();
    void ana.socket.emit('chat:send', { liveId: 'demo', message: 'one', clientId: 'client-of-ana' });
    const startMs = performance.now();
    await node(0).close();
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });
});

test('a peer that takes commands and never answers holds no more than its bound, and the node starts all the same', async () => {
  const sockets = new Set<NetSocket>();
  const mute = createServer((socket) => sockets.add(socket.resume()));
  const port = await listen(mute, { host: '127.0.0.1', port: 0 });
  const startMs = performance.now();
  const alone = await startRig({ redis: { url: `redis://:hunter2@127.0.0.1:${port}` } });
  expect(performance.now() - startMs).toBeLessThan(4_000);
  const chatters = await Promise.all(Array.from({ length: 10 }, () => Chatter.enter(alone)));
  for (const chatter of chatters) expect(await chatter.say('hello')).toMatchObject({ ok: true });
  for (const { slowestAckMs } of chatters) expect(slowestAckMs).toBeLessThan(ACK_MS_MAX);
  await alone.close();
  for (const socket of sockets) socket.destroy();
  mute.close();
});
