import { randomUUID } from 'node:crypto';
import { createLogger, createMetrics } from '@showfloor/service-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CHAT_SCRIPTS, UNNAMED_ROOMS_KEY } from '../src/nodes/chat-scripts.ts';
import { RedisLink, type RedisLinkOptions } from '../src/nodes/redis-link.ts';
import { SharedChatInRedis, UNNAMED_ROOMS_MAX } from '../src/nodes/shared-chat-in-redis.ts';
import { EVENT_SCRIPTS, SharedEvents, WAITING_EVENTS_MAX } from '../src/nodes/shared-events.ts';
import { SharedRegister } from '../src/nodes/shared-register.ts';
import { createRealtimeMetrics, type RealtimeMetrics } from '../src/realtime-metrics.ts';
import { envelope, until } from './plane-rig.ts';
import { hasRedis, type RedisUnderTest, startRedis } from './redis-server.ts';

const draft = (text: string) => ({
  id: randomUUID(),
  clientId: 'client-1',
  userId: 'ana',
  username: 'Ana',
  role: 'buyer' as const,
  message: text,
  timestampMs: Date.now(),
});
const needed = { knownEpoch: null, seq: 0, isNeeded: true, offered: [] };
const ignore = (): void => undefined;

/** The bounds of what nodes keep in Redis, and of what they keep for it. */
describe.skipIf(!hasRedis)('state in Redis', () => {
  let redis: RedisUnderTest;
  let metrics: RealtimeMetrics;
  const links: RedisLink[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.restart();
    metrics = createRealtimeMetrics(createMetrics('realtime'));
  });
  afterEach(() => {
    redis.resume();
    for (const link of links.splice(0)) link.close();
  });

  function linkTo(url: string, options: Partial<RedisLinkOptions> = {}): RedisLink {
    const log = createLogger('realtime', 'silent');
    const scripts = [...CHAT_SCRIPTS, ...EVENT_SCRIPTS];
    const link = new RedisLink({ url, metrics, log, scripts, probe: ['SET', 'probe', '1', 'PX', '1000'], ...options });
    links.push(link);
    return link;
  }
  const chatOver = (link: RedisLink): SharedChatInRedis => {
    const isNamed = (liveId: string): boolean => liveId.startsWith('show-');
    return new SharedChatInRedis({ link, isNamed, onPlaced: ignore, onChanged: ignore, onMalformed: ignore });
  };
  const partings = async (cause: string): Promise<number> => {
    const { values } = await metrics.redisPartings.get();
    return values.find(({ labels }) => labels.cause === cause)?.value ?? 0;
  };

  test('made-up rooms take the place of made-up rooms, never of a show', async () => {
    const link = linkTo(redis.url);
    await link.start();
    const chat = chatOver(link);
    const liveIds = ['show-1', ...Array.from({ length: UNNAMED_ROOMS_MAX + 10 }, (_, index) => `made-up-${index}`)];
    for (const liveId of liveIds) {
      const room = await chat.reconcile(liveId, needed);
      if (room === null || typeof room === 'string') throw new Error(`${liveId} was not made`);
      expect(await chat.append(liveId, room.epoch, draft('hello'))).toBe(1);
    }
    expect(redis.cli('ZCARD', UNNAMED_ROOMS_KEY)).toEqual([String(UNNAMED_ROOMS_MAX)]);
    const exist = (liveId: string) => redis.cli('EXISTS', `stream:${liveId}:chat`, `stream:${liveId}:chat:head`)[0];
    expect(['made-up-0', 'made-up-9', 'made-up-10', 'show-1'].map(exist)).toEqual(['0', '0', '2', '2']);
  });

  test('a room is not made by looking at it', async () => {
    const link = linkTo(redis.url);
    await link.start();
    expect(await chatOver(link).reconcile('made-up', { ...needed, isNeeded: false })).toBe('absent');
    expect(redis.cli('KEYS', 'stream:*')).toEqual([]);
  });

  test('a message that stood in a stopped Redis gets no place there once its sender has given up', async () => {
    const link = linkTo(redis.url, { patienceMs: 200 });
    await link.start();
    const chat = chatOver(link);
    const room = await chat.reconcile('show-1', needed);
    if (room === null || typeof room === 'string') throw new Error('the room was not made');
    expect(await chat.append('show-1', room.epoch, draft('before'))).toBe(1);
    redis.pause();
    const startMs = performance.now();
    expect(await chat.append('show-1', room.epoch, draft('too late'))).toBeNull();
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect(link.isJoined).toBe(false);
    redis.resume();
    await until(() => link.isJoined, 'joined again', 10_000);
    expect(await chat.append('show-1', room.epoch, draft('after'))).toBe(2);
    expect(redis.cli('XLEN', 'stream:show-1:chat')).toEqual(['2']);
    expect(await partings('timeout')).toBe(1);
  });

  test('commands that Redis does not keep up with are bounded: past the bound it counts as down', async () => {
    const link = linkTo(redis.url, { patienceMs: 5_000, waitingMax: 50 });
    await link.start();
    redis.pause();
    const startMs = performance.now();
    const asked = Array.from({ length: 60 }, () => link.command('test', ['PING']));
    const outcomes = await Promise.allSettled(asked);
    expect(performance.now() - startMs, 'at once, not after the patience').toBeLessThan(1_000);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect([link.isJoined, await partings('queue_full')]).toEqual([false, 1]);
    await expect(link.command('test', ['PING']), 'nothing queues while apart').rejects.toThrow('apart');
  });

  test('events that wait for Redis are bounded, the oldest go, and the rest are heard in order', async () => {
    const link = linkTo(redis.url);
    let dropped = 0;
    const events = new SharedEvents({ link, onEvent: ignore, onAdded: ignore, onDropped: () => (dropped += 1) });
    for (let index = 0; index < WAITING_EVENTS_MAX + 5; index += 1) {
      const data = { productId: randomUUID() };
      await events.share({ ...envelope('product.deleted', 'demo', index), data });
    }
    expect([events.waiting, dropped]).toEqual([WAITING_EVENTS_MAX, 5]);
    await link.start();
    await events.rejoin();
    expect(events.waiting).toBe(0);
    const heard: number[] = [];
    const other = new SharedEvents({
      link,
      onEvent: (event) => heard.push((event as { atMs: number }).atMs),
      onAdded: ignore,
      onDropped: ignore,
    });
    await other.read();
    expect(heard.at(-1)).toBe(WAITING_EVENTS_MAX + 4);
    expect(heard).toEqual([...heard].sort((one, another) => one - another));
    expect(Number(redis.cli('XLEN', 'realtime:events')[0])).toBeLessThanOrEqual(WAITING_EVENTS_MAX + 100);
  });

  test('a register keeps the newest up to its bound, and nothing that has outlived its use', async () => {
    const link = linkTo(redis.url);
    await link.start();
    const nowMs = Date.now();
    const mine = Array.from({ length: 1_200 }, (_, index) => [`user-${index}`, nowMs - index] as const);
    const given: string[] = [];
    const options = { link, key: 'test:register', entriesMax: 1_000, lifeMs: 60_000 };
    const register = new SharedRegister({
      ...options,
      own: () => [...mine, ['long-ago', nowMs - 120_000]],
      onEntries: (entries) => given.push(...entries.map(([name]) => name)),
    });
    await register.exchange();
    expect(new Set(given)).toEqual(new Set(mine.slice(0, 1_000).map(([name]) => name)));
    await register.add('user-0', nowMs - 50_000);
    expect(Number(redis.cli('ZSCORE', 'test:register', 'user-0')[0]), 'the greatest mark stays').toBe(nowMs);
  });
});
