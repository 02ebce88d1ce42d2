import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ShowSummary } from '@showfloor/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { carryOutCuts } from './publisher-cuts.ts';

/** Stands where the media plane's admin listener is; e2e has the real one. */
let admin: Server;
let asked: string[] = [];
let listDelayMs = 0;
/** Status by URL part. */
let refusals: Record<string, number> = {};
let publishers: { id: string; name: string; publish: boolean; alive: number }[] = [];
let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
  admin = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const refusal = Object.entries(refusals).find(([part]) => request.url?.includes(part));
    const answer = () => response.writeHead(refusal?.[1] ?? 200).end(JSON.stringify({ code: 0, clients: publishers }));
    if (request.url?.includes('/clients?') === true) setTimeout(answer, listDelayMs);
    else answer();
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  admin?.close();
  await shop?.close();
});

beforeEach(async () => {
  await shop.database.kysely.deleteFrom('publisher_cuts').execute();
  refusals = {};
  listDelayMs = 0;
  publishers = [];
  asked = [];
});

test('a stopped show ends its stream, and the wish waits while the media plane is away', async () => {
  const show = await liveShow();
  await seller.send('POST', `/api/shows/${show.id}/stop`);
  await expect(carryOutCuts({ ...options(), mediaAdminUrl: 'http://127.0.0.1:1' })).rejects.toThrow();
  asked = [];
  await carryOutCuts(options());
  await carryOutCuts(options());
  expect(asked).toEqual([`DELETE /api/v1/streams/${show.playbackId}`]);
});

test('S1 a new key drops who published with the old one, and nobody else', async () => {
  const show = await seller.show();
  publishers = [
    { id: 'p1', name: show.playbackId, publish: true, alive: 60 },
    { id: 'p1-with-the-new-key', name: show.playbackId, publish: true, alive: 0 },
    { id: 'v1', name: show.playbackId, publish: false, alive: 60 },
    { id: 'p2', name: 'another', publish: true, alive: 60 },
  ];
  asked = [];
  await seller.send('POST', `/api/shows/${show.id}/stream-key`);
  await carryOutCuts(options());
  expect(asked).toEqual([
    `DELETE /api/v1/streams/${show.playbackId}/key`,
    expect.stringMatching(/^GET \/api\/v1\/clients\?/),
    'DELETE /api/v1/clients/p1',
  ]);
});

test('a publisher that came after the new key stays, however slowly the media plane answers', async () => {
  const show = await seller.show();
  await seller.send('POST', `/api/shows/${show.id}/stream-key`);
  listDelayMs = 500;
  publishers = [{ id: 'quick', name: show.playbackId, publish: true, alive: 0.3 }];
  await carryOutCuts(options());
  expect(asked).not.toContain('DELETE /api/v1/clients/quick');
});

test('S1 a publisher that was still being admitted with the old key is dropped once it appears', async () => {
  const show = await seller.show();
  await seller.send('POST', `/api/shows/${show.id}/stream-key`);
  await carryOutCuts(options());
  publishers = [{ id: 'late', name: show.playbackId, publish: true, alive: 8 }];
  await carryOutCuts(options());
  expect(asked).toContain('DELETE /api/v1/clients/late');
  await age('5 seconds');
  await carryOutCuts(options());
  expect(await waiting()).toEqual([]);
});

test('a wish outlives any absence of the worker', async () => {
  const show = await liveShow();
  await seller.send('POST', `/api/shows/${show.id}/stop`);
  await age('3 hours');
  await carryOutCuts(options());
  expect(asked).toEqual([`DELETE /api/v1/streams/${show.playbackId}`]);
});

test('a wish the media plane refuses holds no other back, and is given up in the end', async () => {
  const [refused, other] = [await liveShow(), await liveShow()];
  refusals = { [refused.playbackId]: 500 };
  await seller.send('POST', `/api/shows/${refused.id}/stop`);
  await seller.send('POST', `/api/shows/${other.id}/stop`);
  await expect(carryOutCuts(options())).rejects.toThrow('1 publisher cuts');
  expect(asked).toContain(`DELETE /api/v1/streams/${other.playbackId}`);
  expect(await waiting()).toEqual([refused.playbackId]);
  await age('10 minutes');
  await carryOutCuts(options());
  expect(await waiting()).toEqual([]);
});

function options() {
  const { port } = admin.address() as AddressInfo;
  return { db: shop.database.kysely, mediaAdminUrl: `http://127.0.0.1:${port}`, log: silentLog };
}

/** As if every wish had been waiting for so much longer. */
async function age(by: string): Promise<void> {
  await sql`update publisher_cuts set created_at = created_at - ${by}::interval`.execute(shop.database.kysely);
}

async function waiting(): Promise<string[]> {
  const rows = await shop.database.kysely.selectFrom('publisher_cuts').select('playback_id').execute();
  return rows.map(({ playback_id }) => playback_id);
}

async function liveShow(): Promise<ShowSummary> {
  const show = await seller.show();
  await shop.database.kysely.updateTable('shows').set({ status: 'live' }).where('id', '=', show.id).execute();
  return show;
}
