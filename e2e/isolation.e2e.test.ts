import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Floor, startFloor } from './floor.ts';
import { keepDown } from './outage.ts';
import { hasRedis, isJoined, type RealtimeNode, type Redis, startRealtimeNode, startRedis } from './redis.ts';
import { demoProducts, Shopper } from './shopper.ts';
import { FlvViewer, RoomMember } from './viewer.ts';
import { waitFor } from './wait-for.ts';

if (process.env.CI === 'true' && !hasRedis) throw new Error('redis-server is missing: apt-get install redis-server');

/** The table "down | video | chat and live events | shop" of the design, row by row, on real processes. */
let floor: Floor;

beforeAll(async () => {
  floor = await startFloor();
  await waitFor(
    'the demo show to be on air',
    () => FlvViewer.open(floor.videoUrl).then((viewer) => viewer.close() ?? true),
    20_000,
  );
});
afterAll(() => floor?.stop());

describe('media down', () => {
  test('chat and shop work; video comes back at the same URL', async () => {
    const shopper = await Shopper.guest(floor.webUrl);
    const member = await RoomMember.enter(floor.realtimeUrl, await roomToken(shopper));
    await member.joinChat();
    const outage = keepDown(floor, 'media-server');
    await expect(FlvViewer.open(floor.videoUrl)).rejects.toThrow();
    expect(await member.say('still talking')).toMatchObject({ ok: true });
    expect((await buyOne(shopper)).status).toBe(201);
    await outage.end();
    await plays();
    member.leave();
  });
});

describe('realtime down', () => {
  test('video and shop work; chat reconnects and reads what it missed by cursor', async () => {
    const shopper = await Shopper.guest(floor.webUrl);
    const member = await RoomMember.enter(floor.realtimeUrl, await roomToken(shopper));
    const joined = await member.joinChat();
    expect(await member.say('before the outage')).toMatchObject({ ok: true });
    const viewer = await FlvViewer.open(floor.videoUrl);
    const outage = keepDown(floor, 'realtime-server');
    await grows(viewer);
    expect((await buyOne(shopper)).status).toBe(201);
    await outage.end();
    await waitFor('the chat socket to be back', () => member.chat.connected);
    const again = await member.joinChat(joined.cursor);
    expect(again).toMatchObject({ ok: true, gap: false });
    expect(again.messages?.map(({ message }) => message)).toContain('before the outage');
    viewer.close();
    member.leave();
  });
});

describe('commerce down', () => {
  test('video and chat work for those who are in; the shop is back by itself', async () => {
    const shopper = await Shopper.guest(floor.webUrl);
    const member = await RoomMember.enter(floor.realtimeUrl, await roomToken(shopper));
    await member.joinChat();
    const viewer = await FlvViewer.open(floor.videoUrl);
    const outage = keepDown(floor, 'commerce-server');
    await grows(viewer);
    expect(await member.say('the shop is closed, the chat is not')).toMatchObject({ ok: true });
    await expect(fetch(`${floor.webUrl}/api/streaming/active`)).rejects.toThrow();
    await outage.end();
    expect((await buyOne(shopper)).status).toBe(201);
    viewer.close();
    member.leave();
  });

  test('a publisher who was admitted before may come back', async () => {
    const viewer = await FlvViewer.open(floor.videoUrl);
    const outage = keepDown(floor, 'commerce-server');
    floor.kill('demo-publisher');
    const before = viewer.bytes;
    await waitFor('media to flow again to the same viewer', () => viewer.bytes > before + 500_000, 20_000);
    expect(viewer.isClosed).toBe(false);
    await outage.end();
    viewer.close();
  });
});

describe('PostgreSQL down', () => {
  test('video and chat work; the shop answers a clear 503 with Retry-After and leaves nothing half-done', async () => {
    const shopper = await Shopper.guest(floor.webUrl);
    const member = await RoomMember.enter(floor.realtimeUrl, await roomToken(shopper));
    await member.joinChat();
    const viewer = await FlvViewer.open(floor.videoUrl);
    const variantId = await anyVariant();
    const key = `e2e-${Date.now()}-outage`;
    const outage = keepDown(floor, 'postgres');
    await grows(viewer);
    expect(await member.say('no database, no problem')).toMatchObject({ ok: true });
    const refused = await shopper.hold(variantId, key);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.problem).toMatchObject({ status: 503, reason: 'unavailable' });
    await outage.end();
    const held = await waitFor('the shop to hold again', async () => {
      const answer = await shopper.hold(variantId, key);
      return answer.status === 201 ? answer : false;
    });
    expect(held.body.lines).toHaveLength(1);
    expect(held.body.lines[0]?.quantity).toBe(1);
    viewer.close();
    member.leave();
  });
});

describe.skipIf(!hasRedis)('Redis down', () => {
  let redis: Redis;
  let shared: Floor;
  let second: RealtimeNode;
  beforeAll(async () => {
    redis = await startRedis();
    shared = await startFloor({ env: { REDIS_URL: redis.url } });
    second = await startRealtimeNode(shared, redis, 'second');
  });
  afterAll(async () => {
    await second?.stop();
    await shared?.stop();
    await redis?.kill();
  });

  test('video, chat and shop work, each realtime node serves its own; back again, both are one', async () => {
    const admins = [shared.admin.realtime, second.adminUrl];
    const shopper = await Shopper.guest(shared.webUrl);
    const token = await roomToken(shopper);
    const [here, there] = [
      await RoomMember.enter(shared.realtimeUrl, token),
      await RoomMember.enter(second.url, token),
    ];
    for (const member of [here, there]) await member.joinChat();
    await here.watch();
    expect(await there.watch()).toMatchObject({ viewerCount: 2, approximate: false });
    expect(await here.say('can you hear me?')).toMatchObject({ ok: true });
    await waitFor('the other node to hear it', () => heard(there, 'can you hear me?'));

    const viewer = await waitFor('video', () => FlvViewer.open(shared.videoUrl), 20_000);
    await redis.kill();
    const startMs = Date.now();
    expect(await here.say('Redis is gone')).toMatchObject({ ok: true });
    expect(Date.now() - startMs).toBeLessThan(1_000);
    await waitFor('its own node to hear it', () => heard(here, 'Redis is gone'));
    for (const admin of admins) await isJoined(admin, false);
    expect(await there.say('nobody there?')).toMatchObject({ ok: true });
    await waitFor('its own node to hear it', () => heard(there, 'nobody there?'));
    expect([heard(there, 'Redis is gone'), heard(here, 'nobody there?')]).toEqual([false, false]);
    expect(await here.watch()).toMatchObject({ ok: true, approximate: true });
    await grows(viewer);
    expect((await buyOne(shopper, shared)).status).toBe(201);

    await redis.restart();
    for (const admin of admins) await isJoined(admin, true);
    await waitFor(
      'each to hear what the other said apart',
      () => heard(there, 'Redis is gone') && heard(here, 'nobody there?'),
    );
    expect(await there.say('together again')).toMatchObject({ ok: true });
    await waitFor('the first node to hear it', () => heard(here, 'together again'));
    await waitFor('an exact count', async () => {
      const { viewerCount, approximate } = await here.watch();
      return viewerCount === 2 && approximate === false;
    });
    viewer.close();
    for (const member of [here, there]) member.leave();
  });
});

function heard(member: RoomMember, text: string): boolean {
  return member.received.some(({ message }) => message === text);
}

async function roomToken(shopper: Shopper): Promise<string> {
  const answer = await shopper.send<{ token: string }>('POST', '/api/auth/room-token');
  expect(answer.status).toBe(200);
  return answer.body.token;
}

async function anyVariant(of = floor): Promise<string> {
  const products = await demoProducts(of.webUrl);
  const variant = products.flatMap(({ variants }) => variants).find(({ availableUnits }) => availableUnits > 0);
  if (variant === undefined) throw new Error('the demo shop is sold out');
  return variant.id;
}

async function buyOne(shopper: Shopper, of = floor): Promise<{ status: number }> {
  const held = await shopper.hold(await anyVariant(of));
  expect(held.status).toBe(201);
  return shopper.checkout();
}

async function grows(viewer: FlvViewer): Promise<void> {
  const before = viewer.bytes;
  await waitFor('video bytes to keep coming', () => viewer.bytes > before + 300_000);
}

async function plays(): Promise<void> {
  const viewer = await waitFor('video to be back', () => FlvViewer.open(floor.videoUrl), 20_000);
  await grows(viewer);
  viewer.close();
}
