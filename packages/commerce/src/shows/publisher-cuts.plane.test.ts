import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ShowSummary } from '@showfloor/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { carryOutCuts } from './publisher-cuts.ts';

/** Stands where the media plane's admin listener is; e2e has the real one. */
let admin: Server;
let asked: string[] = [];
let publishers: { id: string; name: string; publish: boolean; alive: number }[] = [];
let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
  admin = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify({ code: 0, clients: publishers }));
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  admin?.close();
  await shop?.close();
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
  expect(asked).toEqual(['GET /api/v1/clients', 'DELETE /api/v1/clients/p1']);
});

function options() {
  const { port } = admin.address() as AddressInfo;
  return { db: shop.database.kysely, mediaAdminUrl: `http://127.0.0.1:${port}`, log: silentLog };
}

async function liveShow(): Promise<ShowSummary> {
  const show = await seller.show();
  await shop.database.kysely.updateTable('shows').set({ status: 'live' }).where('id', '=', show.id).execute();
  return show;
}
