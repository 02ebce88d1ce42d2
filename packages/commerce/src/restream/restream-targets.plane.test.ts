import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaHookAnswer, RestreamTargetList, RestreamTargetView, ShowSummary } from '@showfloor/protocol';
import { createLogger, createSealer } from '@showfloor/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Answer, type Refusal, type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { requestHash } from '../orders/idempotency.ts';
import { carryOutRestreamWishes } from './restream-wishes.ts';

const KEY = 'live_canary_77d2e1_9f27c1d4';
const TARGET = { name: 'Elsewhere', url: 'rtmps://live.example:443/app', key: KEY };
const NOBODY = '00000000-0000-4000-8000-000000000000';

/** Stands where the media plane's admin listener is; e2e has the real one. */
let admin: Server;
let plans: { path: string; body: { revision: number; targets: { id: string; url: string }[] } }[] = [];
let adminStatus = 200;
/** Runs once, before a plan is answered. */
let meanwhile: (() => Promise<unknown>) | null = null;
let shop: TestShop;
let seller: Seller;
let show: ShowSummary;
const resolved: string[] = [];

beforeAll(async () => {
  shop = await startShop({
    outbound: {
      resolve: (hostname) => {
        resolved.push(hostname);
        return Promise.resolve(hostname === 'inside.example' ? ['10.0.0.7'] : ['93.184.216.34']);
      },
    },
  });
  seller = await shop.seller();
  admin = createServer((request, response) => {
    let text = '';
    request.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    request.on('end', () => {
      plans.push({
        path: `${request.method} ${request.url}`,
        body: JSON.parse(text) as (typeof plans)[number]['body'],
      });
      const first = meanwhile;
      meanwhile = null;
      void Promise.resolve(first?.()).then(() => response.writeHead(adminStatus).end('{}'));
    });
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  admin?.close();
  await shop?.close();
});
beforeEach(async () => {
  show = await seller.show();
  await shop.database.kysely.deleteFrom('restream_wishes').execute();
  plans = [];
  adminStatus = 200;
});

const path = (targetId = ''): string => `/api/shows/${show.id}/restream-targets${targetId && `/${targetId}`}`;

async function add(more: Record<string, unknown> = {}): Promise<RestreamTargetView> {
  const { status, body, text } = await seller.send<RestreamTargetView>('POST', path(), { ...TARGET, ...more });
  if (status !== 201) throw new Error(text);
  return body;
}

async function list(): Promise<RestreamTargetView[]> {
  return (await seller.send<RestreamTargetList>('GET', path())).body.targets;
}

/** The publish hook's answer to the show's own key. */
async function publish(): Promise<MediaHookAnswer> {
  const key = (await seller.send<{ streamKey: string }>('POST', `/api/shows/${show.id}/stream-key`)).body.streamKey;
  const hook = { action: 'on_publish', client_id: 'c', ip: '127.0.0.1', app: 'live', stream: show.playbackId };
  const param = key.slice(key.indexOf('?'));
  return (await shop.callSigned<MediaHookAnswer>('/api/streaming/hooks/on_publish', { ...hook, param })).body;
}

function event(type: string, atMs: number, data: Record<string, unknown>): Promise<Answer<{ outcome: string }>> {
  const id = `evt_${crypto.randomUUID()}`;
  const body = { id, version: 1, type, playbackId: show.playbackId, atMs, data: { showId: show.id, ...data } };
  return shop.callSigned('/internal/events', body);
}

const wishOptions = () => ({
  db: shop.database.kysely,
  sealer: createSealer(shop.secrets.storageSecret),
  mediaAdminUrl: `http://127.0.0.1:${(admin.address() as AddressInfo).port}`,
  log: silentLog,
});

describe('restream targets of a show', () => {
  test('are created, read, changed and deleted by its seller; the key never comes out', async () => {
    const target = await add({ url: 'RTMPS://live.example:443/app' });
    expect(target).toEqual({
      id: expect.any(String),
      name: 'Elsewhere',
      url: 'rtmps://live.example:443/app',
      maskedKey: '••••c1d4',
      isEnabled: true,
      state: 'idle',
      reason: null,
      message: null,
      stateAtMs: null,
    });
    expect(await list()).toEqual([target]);
    expect((await seller.send('GET', path(target.id))).body).toEqual(target);
    const renamed = await seller.send<RestreamTargetView>('PATCH', path(target.id), {
      name: 'There',
      isEnabled: false,
    });
    expect(renamed.body).toEqual({ ...target, name: 'There', isEnabled: false });
    const moved = { url: 'rtmp://other.example/live', key: 'another-key-5678' };
    expect((await seller.send('PATCH', path(target.id), moved)).body).toMatchObject({
      url: moved.url,
      maskedKey: '••••5678',
    });
    expect((await seller.send('DELETE', path(target.id))).status).toBe(204);
    expect([await list(), (await seller.send('GET', path(target.id))).status]).toEqual([[], 404]);
    expect((await seller.send('DELETE', path(target.id))).status).toBe(404);
  });

  test('belong to the seller alone', async () => {
    const { id } = await add();
    const other = await shop.seller();
    const buyer = await shop.guest();
    for (const [method, at, body] of [
      ['GET', path(), undefined],
      ['GET', path(id), undefined],
      ['POST', path(), TARGET],
      ['PATCH', path(id), { name: 'Mine' }],
      ['DELETE', path(id), undefined],
    ] as const) {
      expect((await other.send(method, at, body)).status).toBe(404);
      expect((await buyer.send(method, at, body)).status).toBe(403);
      expect((await shop.call(method, at, body === undefined ? {} : { body })).status).toBe(401);
    }
    const elsewhere = (await seller.show()).id;
    const crossed = `/api/shows/${elsewhere}/restream-targets/${id}`;
    expect((await seller.send('PATCH', crossed, { name: 'x' })).status).toBe(404);
    expect((await seller.send('DELETE', crossed)).status).toBe(404);
    expect((await list()).map(({ name }) => name)).toEqual(['Elsewhere']);
  });

  test('are five at most, also when ten are added at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => seller.send<RestreamTargetView & Refusal>('POST', path(), TARGET)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array(5).fill(201),
      ...Array(5).fill(409),
    ]);
    expect(answers.find(({ status }) => status === 409)?.body.reason).toBe('restream_limit');
    expect(await list()).toHaveLength(5);
  });

  test('one Idempotency-Key makes one target', async () => {
    const once = () => seller.send<RestreamTargetView>('POST', path(), TARGET, 'restream-key-1');
    expect((await once()).body.id).toBe((await once()).body.id);
    expect(await list()).toHaveLength(1);
  });

  test('S1 what is kept for an Idempotency-Key says nothing of the key: who has the database cannot try guesses', async () => {
    await seller.send('POST', path(), TARGET, 'restream-key-2');
    const guess = requestHash({ route: `restream:${show.id}`, body: TARGET });
    const { rows } = await sql`select 1 from idempotency_keys where request_hash = ${guess}`.execute(
      shop.database.kysely,
    );
    expect(rows).toEqual([]);
    expect((await seller.send('POST', path(), { ...TARGET, key: 'another' }, 'restream-key-2')).status).toBe(422);
  });

  test('a new address needs the key again: it must not be sent where nobody typed it for', async () => {
    const { id } = await add();
    const refused = await seller.send('PATCH', path(id), { url: 'rtmps://thief.example/app' });
    expect([refused.status, refused.body.reason]).toEqual([400, 'bad_request']);
    expect((await list())[0]?.url).toBe(TARGET.url);
  });

  test.each([
    ['a web address', { url: 'https://live.example/app' }, /rtmp/],
    ['a private address', { url: 'rtmp://10.0.0.7/app' }, /public server/],
    ['a name that leads inside', { url: 'rtmps://inside.example/app' }, /public server/],
    ['this machine', { url: 'rtmp://127.0.0.1/live' }, /own ingest/],
    ['the metadata service', { url: 'rtmp://169.254.169.254/latest' }, /public server/],
    ['another port', { url: 'rtmp://live.example:5432/app' }, /5432/],
    ['a user name', { url: 'rtmp://me:pw@live.example/app' }, /user name/],
    ['no application', { url: 'rtmp://live.example/' }, /application/],
    ['a key in the address', { url: 'rtmp://live.example/app?key=1' }, /belongs to the stream key/],
    ['a path in the key', { key: 'app/key' }, /last/],
    ['a space in the key', { key: 'my key' }, /spaces/],
  ])('S8 %s is refused when it is written', async (_name, more, detail) => {
    const { status, body } = await seller.send('POST', path(), { ...TARGET, ...more });
    expect([status, body.reason]).toEqual([422, 'target_refused']);
    expect(body.detail).toMatch(detail);
    const { id } = await add();
    const patch = 'url' in more ? { url: more.url, key: KEY } : more;
    expect((await seller.send('PATCH', path(id), patch)).status).toBe(422);
  });

  test('names are looked up 120 times a minute for one seller, no more', async () => {
    const busy = await shop.seller();
    const before = resolved.length;
    const at = `/api/shows/${(await busy.show()).id}/restream-targets`;
    const statuses = new Map<number, number>();
    for (let index = 0; index < 125; index += 1) {
      const { status } = await busy.send('POST', at, { ...TARGET, url: 'rtmps://inside.example/app' });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [422, 120],
      [429, 5],
    ]);
    expect(resolved.length - before).toBe(120);
  });

  test('of a show that is over nothing changes, but its keys can be taken away', async () => {
    const { id } = await add();
    await shop.database.kysely.updateTable('shows').set({ status: 'ended' }).where('id', '=', show.id).execute();
    expect((await seller.send('POST', path(), TARGET)).body.reason).toBe('illegal_transition');
    expect((await seller.send('PATCH', path(id), { name: 'x' })).status).toBe(409);
    expect((await seller.send('DELETE', path(id))).status).toBe(204); // a key can be taken away from us at any time
    expect(await list()).toEqual([]);
  });

  test('S1 the key stands in clear in no table, log or answer but the one to the media plane', async () => {
    const lines: string[] = [];
    const log = createLogger('test', 'trace');
    const spied = await startShop({
      database: shop.database,
      log: Object.assign(Object.create(log) as typeof log, {
        info: (...args: unknown[]) => lines.push(JSON.stringify(args)),
        warn: (...args: unknown[]) => lines.push(JSON.stringify(args)),
        error: (...args: unknown[]) => lines.push(JSON.stringify(args)),
      }),
      outbound: { resolve: () => Promise.resolve(['93.184.216.34']) },
    });
    const owner = await spied.seller();
    const own = await owner.show();
    const at = `/api/shows/${own.id}/restream-targets`;
    const answers = [await owner.send('POST', at, TARGET, 'canary-key-1'), await owner.send('GET', at)];
    answers.push(await owner.send('POST', at, { ...TARGET, key: `${KEY} ` }));
    answers.push(await owner.send('POST', at, { ...TARGET, url: `rtmp://10.0.0.1/${KEY}` }));
    answers.push(await owner.send('POST', at, { ...TARGET, key: KEY.repeat(50) }));
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 422, 422, 400]);
    for (const { text } of answers) expect(text).not.toContain(KEY);
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.join('\n')).not.toContain(KEY);
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public'`.execute(
      shop.database.kysely,
    );
    for (const { name } of rows) {
      const found = await sql<{ n: number }>`
        select count(*)::int as n from ${sql.table(name)} t
         where t::text like ${`%${KEY}%`} or t::text like ${`%${Buffer.from(KEY).toString('hex')}%`}`.execute(
        shop.database.kysely,
      );
      expect([name, found.rows[0]?.n]).toEqual([name, 0]);
    }
    await spied.close();
  });
});

describe('the media plane', () => {
  test('gets the enabled targets with the publish hook, and each change of a show while it is on air', async () => {
    const first = await add();
    await add({ name: 'Off', isEnabled: false });
    const admitted = await publish();
    const url = `rtmps://live.example:443/app/${KEY}`;
    expect(admitted.data).toMatchObject({ restreamTargets: [{ id: first.id, url }] });
    const revision = admitted.data?.restreamRevision ?? 0;
    await carryOutRestreamWishes(wishOptions());
    plans = [];
    await event('stream.started', Date.now(), { sessionId: 's' });
    await carryOutRestreamWishes(wishOptions());
    const second = await add({ name: 'Second', key: 'second-key' });
    await seller.send('PATCH', path(first.id), { isEnabled: false });
    await carryOutRestreamWishes(wishOptions());
    await carryOutRestreamWishes(wishOptions());
    const put = `PUT /api/v1/streams/${show.playbackId}/restream`;
    expect(plans).toEqual([
      { path: put, body: { revision, targets: [{ id: first.id, url }] } },
      {
        path: put,
        body: {
          revision: expect.any(Number),
          targets: [{ id: second.id, url: 'rtmps://live.example:443/app/second-key' }],
        },
      },
    ]);
  });

  test('takes a change that follows the return of an older database, whose count would begin where it once was', async () => {
    const { id } = await add();
    const before = (await publish()).data?.restreamRevision ?? 0;
    await seller.send('PATCH', path(id), { name: 'a change that is lost' });
    const lost = (await publish()).data?.restreamRevision ?? 0;
    expect(lost).toBeGreaterThan(before);
    await sql`update shows set restream_revision = ${before} where id = ${show.id}::uuid`.execute(shop.database.kysely);
    await sleep(2); // nobody restores a database within the millisecond
    await seller.send('PATCH', path(id), { name: 'a change after that' });
    expect((await publish()).data?.restreamRevision).toBeGreaterThan(lost);
  });

  test('is asked again until it takes a plan; one that is not on air there is done', async () => {
    await add();
    adminStatus = 500;
    await expect(carryOutRestreamWishes(wishOptions())).rejects.toThrow('1 restream plans');
    await expect(carryOutRestreamWishes({ ...wishOptions(), mediaAdminUrl: 'http://127.0.0.1:1' })).rejects.toThrow();
    adminStatus = 404;
    await carryOutRestreamWishes(wishOptions());
    await carryOutRestreamWishes(wishOptions());
    expect(plans).toHaveLength(2);
  });

  test('a plan it keeps refusing is given up in the end', async () => {
    await add();
    await sql`update restream_wishes set requested_at = requested_at - interval '10 minutes'`.execute(
      shop.database.kysely,
    );
    adminStatus = 400;
    await carryOutRestreamWishes(wishOptions());
    expect(await shop.database.kysely.selectFrom('restream_wishes').selectAll().execute()).toEqual([]);
  });

  test('a change that comes while the plan is on its way is told of as well', async () => {
    const { id } = await add();
    meanwhile = () => seller.send('PATCH', path(id), { key: 'new-key' });
    await carryOutRestreamWishes(wishOptions());
    await carryOutRestreamWishes(wishOptions());
    expect(plans.map(({ body }) => body.targets[0]?.url.slice(-7))).toEqual([KEY.slice(-7), 'new-key']);
  });

  test('a key goes to the address it was entered for: one that was put in its place in the database gets nothing', async () => {
    const { id } = await add();
    await seller.send('PATCH', path(id), { key: 'a-newer-key' });
    expect((await publish()).data?.restreamTargets).toMatchObject([{ url: `${TARGET.url}/a-newer-key` }]);
    await sql`update restream_targets set url = 'rtmps://thief.example/app' where id = ${id}::uuid`.execute(
      shop.database.kysely,
    );
    expect((await publish()).data?.restreamTargets).toEqual([]);
    expect((await list())[0]).toMatchObject({ reason: 'key_unreadable' });
  });

  test('a key that can no longer be read is left out, and its seller asked for it', async () => {
    const { id } = await add();
    await sql`update restream_targets set sealed_key = decode('01', 'hex') where id = ${id}::uuid`.execute(
      shop.database.kysely,
    );
    expect((await publish()).data?.restreamTargets).toEqual([]);
    expect((await list())[0]).toMatchObject({ reason: 'key_unreadable', message: expect.stringContaining('again') });
    await seller.send('PATCH', path(id), { key: KEY });
    expect((await publish()).data?.restreamTargets).toHaveLength(1);
  });
});

describe('what the media plane tells of a target', () => {
  test('is read back while the show is on air, the latest instant wins, and ends with the show', async () => {
    const { id } = await add();
    const at = Date.now();
    const tell = (state: string, atMs: number, more = {}) =>
      event('restream.state_changed', atMs, { targetId: id, state, ...more });
    await event('stream.started', at, { sessionId: 's' });
    const waiting = { reason: 'denied', message: 'The target refused the stream key.' };
    expect((await tell('waiting', at + 20, waiting)).body.outcome).toBe('applied');
    expect((await tell('connecting', at + 10)).body.outcome).toBe('stale');
    expect((await list())[0]).toMatchObject({ state: 'waiting', stateAtMs: at + 20, ...waiting });
    await tell('active', at + 30);
    expect((await list())[0]).toMatchObject({ state: 'active', reason: null, message: null });
    await event('stream.interrupted', at + 40, { sessionId: 's', reason: 'closed' });
    expect((await list())[0]).toMatchObject({ state: 'waiting', reason: 'publisher_away' });
    await event('stream.resumed', at + 50, { sessionId: 's' });
    expect((await list())[0]).toMatchObject({ state: 'active' });
    await event('stream.ended', at + 60, { sessionId: 's' });
    expect((await list())[0]).toMatchObject({ state: 'idle', stateAtMs: null });
  });

  test('of no target, and in no known state, changes nothing', async () => {
    await add();
    const unknown = await event('restream.state_changed', Date.now(), { targetId: NOBODY, state: 'active' });
    expect([unknown.status, unknown.body.outcome]).toEqual([200, 'stale']);
    expect((await event('restream.state_changed', 1, { targetId: NOBODY, state: 'exploded' })).status).toBe(400);
    const target = await add({ name: 'of this show' });
    const another = await seller.show();
    await event('restream.state_changed', Date.now(), { showId: another.id, targetId: target.id, state: 'active' });
    await event('stream.started', Date.now() - 1_000, { sessionId: 's' });
    expect((await list()).map(({ state }) => state)).toEqual(['idle', 'idle']);
  });
});
