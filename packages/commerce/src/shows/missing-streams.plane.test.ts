import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ShowSummary } from '@showfloor/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { endAbandonedShows } from './end-abandoned.ts';
import { MissingStreams } from './missing-streams.ts';

/** Stands where the media plane's admin listener is. */
let admin: Server;
let listed: string[] = [];
let status = 200;
let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
  admin = createServer((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ code: 0, streams: listed.map((name) => ({ name })) }));
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  admin?.close();
  await shop?.close();
});
beforeEach(async () => {
  await shop.database.kysely.updateTable('shows').set({ status: 'ended' }).execute();
  status = 200;
  listed = [];
});

test('a live show the media plane does not know in two checks is interrupted, and then ended with its stream', async () => {
  const [gone, onAir, recent] = [
    await liveShow('31 seconds'),
    await liveShow('31 seconds'),
    await liveShow('1 second'),
  ];
  listed = [onAir.playbackId];
  const missing = newMissingStreams();
  const nowMs = Date.now();
  expect(await missing.check(nowMs)).toEqual([]);
  expect(await missing.check(nowMs + 4_000)).toEqual([]);
  expect(await missing.check(nowMs + 5_000)).toEqual([gone.playbackId]);
  expect(await Promise.all([gone, onAir, recent].map(statusOf))).toEqual(['interrupted', 'live', 'live']);
  const endsMs = nowMs + 5_000 + 120_000 + 30_000;
  expect(await endAbandonedShows(shop.database.kysely, endsMs + 1)).toEqual([gone.playbackId]);
  const { rows } = await sql<{ status: string }>`
    select payload->'data'->>'status' as status from outbox where topic = ${gone.playbackId} order by id`.execute(
    shop.database.kysely,
  );
  expect(rows.map((row) => row.status)).toEqual(['scheduled', 'interrupted', 'ended']);
  const cuts = await shop.database.kysely.selectFrom('publisher_cuts').select(['playback_id', 'kind']).execute();
  expect(cuts).toEqual([{ playback_id: gone.playbackId, kind: 'end_stream' }]);
});

test('a media plane that is away, answers badly, or knows the show again in between proves nothing', async () => {
  const show = await liveShow('1 hour');
  const missing = newMissingStreams();
  const nowMs = Date.now();
  await missing.check(nowMs);
  status = 500;
  await missing.check(nowMs + 5_000);
  status = 200;
  expect(await missing.check(nowMs + 10_000)).toEqual([]);
  listed = [show.playbackId];
  expect(await missing.check(nowMs + 15_000)).toEqual([]);
  listed = [];
  expect(await missing.check(nowMs + 20_000)).toEqual([]);
  const away = new MissingStreams({ db: shop.database.kysely, mediaAdminUrl: 'http://127.0.0.1:1' });
  for (let second = 0; second < 30; second += 10) expect(await away.check(nowMs + second * 1_000)).toEqual([]);
  expect(await statusOf(show)).toBe('live');
});

function newMissingStreams(): MissingStreams {
  const { port } = admin.address() as AddressInfo;
  return new MissingStreams({ db: shop.database.kysely, mediaAdminUrl: `http://127.0.0.1:${port}` });
}

async function liveShow(untouchedFor: string): Promise<ShowSummary> {
  const show = await seller.show();
  await sql`update shows set status = 'live', updated_at = now() - ${untouchedFor}::interval
             where id = ${show.id}::uuid`.execute(shop.database.kysely);
  return show;
}

async function statusOf({ id }: ShowSummary): Promise<string | undefined> {
  const row = await shop.database.kysely.selectFrom('shows').select('status').where('id', '=', id).executeTakeFirst();
  return row?.status;
}
