import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { LiveEvent, ShowSummary } from '@showfloor/protocol';
import { createMetrics, verifyWebhook } from '@showfloor/service-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { startCommerceJobs } from '../jobs/commerce-jobs.ts';

/** Stands where the realtime plane is: a real HTTP receiver that can be away, refuse, or answer badly. */
type Received = { readonly event: LiveEvent; readonly atMs: number };
let received: Received[] = [];
let answer: (event: LiveEvent) => number = () => 204;
let badSignatures = 0;
let receiver: Server;
let port = 0;
let shop: TestShop;
let seller: Seller;
let jobs: { close: () => Promise<void> };
let metrics: () => Promise<string>;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
  receiver = newReceiver();
  await open(0);
  const registry = createMetrics('worker');
  metrics = () => registry.metrics();
  jobs = startCommerceJobs({
    database: shop.database,
    databaseUrl: shop.database.url,
    provider: shop.provider,
    realtimeUrl: `http://127.0.0.1:${port}`,
    mediaAdminUrl: 'http://127.0.0.1:1',
    webhookSecret: shop.secrets.webhookSecret,
    storageSecret: shop.secrets.storageSecret,
    registry,
    log: silentLog,
  });
});
afterAll(async () => {
  await jobs?.close();
  receiver?.closeAllConnections();
  receiver?.close();
  await shop?.close();
});
beforeEach(() => {
  received = [];
  answer = () => 204;
});

test('a pin arrives signed, complete, within 50 ms of its commit in the usual case', async () => {
  const { show, productId } = await liveShow();
  const delays: number[] = [];
  for (let pin = 0; pin < 11; pin += 1) {
    received = [];
    await seller.send('PUT', `/api/shows/${show.id}/featured`, { productId });
    const answeredMs = Date.now();
    await expect.poll(() => typesOf(show), { interval: 2 }).toContain('product.pinned');
    delays.push((received[0]?.atMs ?? 0) - answeredMs);
  }
  delays.sort((a, b) => a - b);
  expect(delays[5]).toBeLessThan(50);
  expect(badSignatures).toBe(0);
  expect(received[0]?.event).toMatchObject({
    version: 1,
    type: 'product.pinned',
    playbackId: show.playbackId,
    data: { product: { id: productId } },
  });
});

test('events of a show arrive in the order of its changes', async () => {
  const { show, productId } = await liveShow();
  for (let turn = 0; turn < 5; turn += 1) {
    await seller.send('PUT', `/api/shows/${show.id}/featured`, { productId });
    await seller.send('DELETE', `/api/shows/${show.id}/featured`);
  }
  await expect.poll(() => typesOf(show).length).toBe(10);
  expect(typesOf(show)).toEqual(Array.from({ length: 5 }, () => ['product.pinned', 'product.unpinned']).flat());
});

test('a hold is announced with the units that are left, versions growing', async () => {
  const { show, variantId } = await liveShow(10);
  for (let count = 0; count < 3; count += 1) await (await shop.guest()).hold(variantId, 2);
  await expect.poll(() => lastStock(show)?.availableUnits).toBe(4);
  const versions = stockOf(show).map(({ stockVersion }) => stockVersion);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
});

test('the receiver is away: nothing that matters is lost, stock comes as one latest level, in order', async () => {
  const { show, productId, variantId } = await liveShow(30);
  await close();
  await seller.send('PUT', `/api/shows/${show.id}/featured`, { productId });
  for (let count = 0; count < 6; count += 1) await (await shop.guest()).hold(variantId, 3);
  await seller.send('DELETE', `/api/shows/${show.id}/featured`);
  await expect.poll(async () => failures(await metrics())).toBeGreaterThan(0);
  expect(received).toEqual([]);
  await open(port);
  await expect.poll(() => lastStock(show)?.availableUnits, { timeout: 10_000 }).toBe(12);
  await expect
    .poll(() => typesOf(show).filter((type) => type !== 'stock.changed'))
    .toEqual(['product.pinned', 'product.unpinned']);
  expect(stockOf(show).length).toBeLessThanOrEqual(2);
});

test('an event the receiver keeps refusing is buried, counted, and holds nothing up', async () => {
  const { show, productId } = await liveShow();
  answer = (event) => (event.type === 'product.pinned' ? 422 : 204);
  await seller.send('PUT', `/api/shows/${show.id}/featured`, { productId });
  await seller.send('DELETE', `/api/shows/${show.id}/featured`);
  await expect.poll(() => typesOf(show).at(-1), { timeout: 15_000 }).toBe('product.unpinned');
  expect(await metrics()).toMatch(/outbox_dead_letters_total\{[^}]*\} 1\n/);
  const rows = await shop.database.kysely.selectFrom('outbox').selectAll().where('dead_at', 'is not', null).execute();
  expect(rows.map(({ last_error }) => last_error)).toEqual(['answered 422']);
});

test('the jobs free holds within five seconds of their end and say how late they were (C3)', async () => {
  const { variantId } = await liveShow(1);
  const buyer = await shop.guest();
  await buyer.hold(variantId);
  await shop.database.kysely
    .updateTable('cart_lines')
    .set({ hold_expires_at: new Date() })
    .where('user_id', '=', buyer.id)
    .execute();
  const since = Date.now();
  const available = () =>
    shop.database.kysely.selectFrom('stock').select('available').where('variant_id', '=', variantId).executeTakeFirst();
  await expect.poll(available, { timeout: 6_000 }).toEqual({ available: 1 });
  expect(Date.now() - since).toBeLessThan(5_000);
  expect(await metrics()).toMatch(/commerce_hold_expiry_lag_seconds_count\{[^}]*\} 1\n/);
});

test('the listening connection is lost: the relay comes back by itself', async () => {
  await shop.database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'showfloor-outbox-lock'`,
  );
  const { show, productId } = await liveShow();
  await seller.send('PUT', `/api/shows/${show.id}/featured`, { productId });
  await expect.poll(() => typesOf(show), { timeout: 10_000 }).toContain('product.pinned');
});

/** A show with one listed product; what that announced has arrived and is forgotten. */
async function liveShow(units = 5): Promise<{ show: ShowSummary; productId: string; variantId: string }> {
  const show = await seller.show();
  const product = await seller.product(units);
  await seller.send('POST', `/api/shows/${show.id}/products`, { productId: product.id });
  await expect.poll(() => typesOf(show), { timeout: 15_000 }).toContain('product.added');
  received = [];
  return { show, productId: product.id, variantId: product.variants[0]?.id ?? '' };
}

function newReceiver(): Server {
  return createServer((request, response) => {
    text(request).then(
      (body) => response.writeHead(take(request.headers, body)).end(),
      () => response.destroy(),
    );
  });
}

/** The status to answer with. */
function take(headers: IncomingHttpHeaders, body: string): number {
  const event = JSON.parse(body) as LiveEvent;
  const isOurs = verifyWebhook(shop.secrets.webhookSecret, headers, Date.now(), body);
  if (!isOurs || event.id !== headers['webhook-id']) badSignatures += 1;
  const status = answer(event);
  if (status === 204) received.push({ event, atMs: Date.now() });
  return status;
}

function open(at: number): Promise<void> {
  return new Promise((resolve) => {
    receiver.listen(at, '127.0.0.1', () => {
      port = (receiver.address() as AddressInfo).port;
      resolve();
    });
  });
}

function close(): Promise<void> {
  return new Promise((resolve) => {
    receiver.close(() => resolve());
    receiver.closeAllConnections();
  });
}

function eventsOf(show: ShowSummary): LiveEvent[] {
  return received.map(({ event }) => event).filter(({ playbackId }) => playbackId === show.playbackId);
}

function typesOf(show: ShowSummary): string[] {
  return eventsOf(show).map(({ type }) => type);
}

function stockOf(show: ShowSummary): { availableUnits: number; stockVersion: number }[] {
  return eventsOf(show).flatMap((event) => (event.type === 'stock.changed' ? [event.data] : []));
}

function lastStock(show: ShowSummary): { availableUnits: number } | undefined {
  return stockOf(show).at(-1);
}

function failures(exposition: string): number {
  return Number(/outbox_failed_deliveries_total\{[^}]*\} (\d+)/.exec(exposition)?.[1] ?? 0);
}
