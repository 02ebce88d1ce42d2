import { createMetrics } from '@showfloor/service-kit';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../test-postgres/start-postgres.ts';
import { brokenInvariants } from '../../test-postgres/stock-invariants.ts';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Buyer, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { startCommerceJobs } from '../jobs/commerce-jobs.ts';
import { openDatabase } from './database.ts';
import { isSchemaCurrent, migrate } from './migrate.ts';

/** A PostgreSQL that only this file uses: it is killed. */
let postgres: TestPostgres;
let shop: TestShop;
let jobs: { close: () => Promise<void> };
let closeDatabase: () => Promise<void>;

beforeAll(async () => {
  postgres = await startPostgres();
  const url = postgres.urlOf('postgres');
  await Promise.all([migrate(url, silentLog), migrate(url, silentLog)]); // two processes at once
  const database = openDatabase({ url, poolMax: 10, applicationName: 'outage', log: silentLog });
  closeDatabase = database.close;
  shop = await startShop({ database: { ...database, url } });
  jobs = startCommerceJobs({
    database,
    databaseUrl: url,
    provider: shop.provider,
    realtimeUrl: 'http://127.0.0.1:9',
    mediaAdminUrl: 'http://127.0.0.1:1',
    webhookSecret: shop.secrets.webhookSecret,
    storageSecret: shop.secrets.storageSecret,
    registry: createMetrics('worker'),
    log: silentLog,
  });
});
afterAll(async () => {
  await jobs?.close();
  await shop?.close();
  await closeDatabase?.();
  await postgres?.stop();
});

test('PostgreSQL dies and comes back: a clear 503, nothing half-done, and no restart of ours', async () => {
  const seller = await shop.seller();
  const variantId = await seller.variant(5);
  const buyers = await Promise.all(Array.from({ length: 5 }, () => shop.guest()));
  const [first, second] = buyers as [Buyer, Buyer];
  await first.hold(variantId);
  const keys = buyers.map(() => crypto.randomUUID());

  const during = buyers.map((buyer, index) => buyer.hold(variantId, 1, keys[index]));
  await postgres.kill();
  await Promise.all(during);

  const refused = await second.hold(variantId);
  expect([refused.status, refused.body.reason]).toEqual([503, 'unavailable']);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect((await second.pay()).status).toBe(503);
  expect((await shop.call('GET', '/api/streaming/active')).status).toBe(503);
  expect((await shop.call('GET', '/api/health/ready')).status).toBe(503);
  expect((await shop.call('GET', '/health')).status).toBe(200);
  expect((await shop.call('GET', '/api/client-config')).status).toBe(200);

  await postgres.restart();
  await expect.poll(async () => (await shop.call('GET', '/api/health/ready')).status).toBe(200);
  // Each buyer asks again with the same key: whatever had happened, it counts once.
  const again = await Promise.all(buyers.map((buyer, index) => buyer.hold(variantId, 1, keys[index])));
  // Five units, one of them held before: of five wishes four come true.
  const statuses = again.map(({ status }) => status).toSorted((a, b) => a - b);
  expect(statuses).toEqual([201, 201, 201, 201, 409]);
  expect((await first.pay()).body.status).toBe('paid');
  expect(await brokenInvariants(shop.database.kysely)).toEqual([]);
  expect(await isSchemaCurrent(shop.database)).toBe(true);
});

test('no free connection within two seconds: 503 with Retry-After, and it passes', async () => {
  const buyer = await shop.guest();
  const clients = await Promise.all(Array.from({ length: 10 }, () => shop.database.pool.connect().catch(() => null)));
  const startedMs = Date.now();
  const refused = await buyer.cart();
  expect(refused.status).toBe(503);
  expect(Date.now() - startedMs).toBeLessThan(4_000);
  for (const client of clients) client?.release();
  await expect.poll(async () => (await buyer.cart()).status).toBe(200);
});

test('a statement that is stuck is cut off after five seconds and answered 503', async () => {
  const seller = await shop.seller();
  const variantId = await seller.variant(1);
  const blocker = new pg.Client({ connectionString: postgres.urlOf('postgres') });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('select from stock where variant_id = $1 for update', [variantId]);
  const buyer = await shop.guest();
  const refused = await buyer.hold(variantId);
  expect([refused.status, refused.body.reason]).toEqual([503, 'unavailable']);
  await blocker.query('rollback');
  await blocker.end();
  expect((await buyer.hold(variantId)).status).toBe(201);
});
