import { Counter, createMetrics } from '@showfloor/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants } from '../../test-postgres/stock-invariants.ts';
import { type Buyer, type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { HoldDesk, type HoldRequest } from './hold-desk.ts';
import { HOLD_STATEMENT, type HoldRow } from './hold-statement.ts';
import { releaseExpired } from './release-holds.ts';

/** Buyers who want the one unit, and how often: `npm test` runs small, the full bar is 1,000 × 1,000. */
const BUYERS = 200;
const ROUNDS = 3;
const RULES = { holdSeconds: 600, activeHoldsMax: 3, unitsPerLineMax: 10 };

let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
});
afterAll(() => shop?.close());

test(`C1 one unit and ${BUYERS} buyers at once: exactly one gets it, round after round`, async () => {
  const buyers = await Promise.all(Array.from({ length: BUYERS }, () => shop.guest()));
  for (let round = 0; round < ROUNDS; round += 1) {
    const variantId = await seller.variant(1);
    const answers = await Promise.all(buyers.map((buyer) => buyer.hold(variantId)));
    const held = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(held).toHaveLength(1);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.reason}`))).toEqual(
      new Set(['409 insufficient_stock']),
    );
    expect(await stockOf(variantId)).toEqual({ on_hand: 1, available: 0, held: 1, sold: 0 });
    expect(await brokenInvariants(shop.database.kysely)).toEqual([]);
    for (const { body } of held) await releaseAll(buyers, body.lines[0]?.id ?? '');
  }
});

test('C1 several processes share one database: ten units, forty buyers, ten holds', async () => {
  const variantId = await seller.variant(10);
  const buyers = await Promise.all(Array.from({ length: 40 }, () => shop.guest()));
  const desks = Array.from({ length: 4 }, () => new HoldDesk({ database: shop.database, rules: RULES }));
  const results = await Promise.all(
    buyers.map((buyer, index) => (desks[index % desks.length] as HoldDesk).hold([wish(buyer, variantId)])),
  );
  expect(results.flat().filter(({ ok }) => ok)).toHaveLength(10);
  expect(await stockOf(variantId)).toMatchObject({ available: 0, held: 10 });
});

test('a large wish that does not fit leaves the units to the smaller ones behind it', async () => {
  const variantId = await seller.variant(3);
  const [first, second, third] = await Promise.all([shop.guest(), shop.guest(), shop.guest()]);
  const desk = new HoldDesk({ database: shop.database, rules: RULES });
  const results = await desk.hold([wish(first, variantId, 2), wish(second, variantId, 2), wish(third, variantId, 1)]);
  expect(results.map(({ ok }) => ok)).toEqual([true, false, true]);
  expect(await stockOf(variantId)).toMatchObject({ available: 0, held: 3 });
});

test('units that come back while a hold waits for its lock are held, not refused', async () => {
  const variantId = await seller.variant(8);
  const buyers = await Promise.all(Array.from({ length: 4 }, () => shop.guest()));
  const desk = new HoldDesk({ database: shop.database, rules: RULES });
  await desk.hold([wish(await shop.guest(), variantId, 2)]);
  const other = await shop.database.pool.connect();
  await other.query('begin');
  await other.query('select from stock where variant_id = $1 for no key update', [variantId]);
  const waiting = desk.hold(buyers.map((buyer, index) => wish(buyer, variantId, index < 2 ? 3 : 1)));
  await expect.poll(() => waitingForLocks()).toBeGreaterThan(0);
  await other.query('update stock set available = available + 2, held = held - 2 where variant_id = $1', [variantId]);
  await other.query('commit');
  expect((await waiting).map(({ ok }) => ok)).toEqual([true, true, true, true]);
  other.release();
  expect(await stockOf(variantId)).toEqual({ on_hand: 8, available: 0, held: 8, sold: 0 });
});

test('a buyer’s limits hold although another process fills the cart at the same moment', async () => {
  const variantId = await seller.variant(50);
  const buyer = await shop.guest();
  const other = await shop.database.pool.connect();
  await other.query('begin');
  await other.query('select from carts where user_id = $1 for no key update', [buyer.id]);
  const waiting = new HoldDesk({ database: shop.database, rules: RULES }).hold([wish(buyer, variantId, 6)]);
  await expect.poll(() => waitingForLocks()).toBeGreaterThan(0);
  const values = [[0], [buyer.id], [variantId], [6], [null], [null], 600, 3, 10];
  const { rows } = await other.query<HoldRow>({ ...HOLD_STATEMENT, values });
  await other.query('commit');
  other.release();
  expect(rows.map(({ verdict }) => verdict)).toEqual(['held']);
  expect(await waiting).toMatchObject([{ ok: false, reason: 'hold_limit' }]);
  expect((await buyer.cart()).body.lines.map(({ quantity }) => quantity)).toEqual([6]);
});

describe('C2 the same SKU twice', () => {
  test('in one request: the second wish sees what the first has taken', async () => {
    const variantId = await seller.variant(1);
    const buyer = await shop.guest();
    const desk = new HoldDesk({ database: shop.database, rules: RULES });
    const results = await desk.hold([wish(buyer, variantId), wish(buyer, variantId)]);
    expect(results.map((result) => (result.ok ? 'held' : result.reason))).toEqual(['held', 'insufficient_stock']);
    expect(await stockOf(variantId)).toMatchObject({ available: 0, held: 1 });
  });

  test('in stock: both become one line', async () => {
    const variantId = await seller.variant(5);
    const buyer = await shop.guest();
    await Promise.all([buyer.hold(variantId, 2), buyer.hold(variantId, 1)]);
    const { body } = await buyer.cart();
    expect(body.lines.map(({ quantity }) => quantity)).toEqual([3]);
    expect(await stockOf(variantId)).toMatchObject({ available: 2, held: 3 });
  });
});

describe('C3 the end of a hold', () => {
  test('adding to a line and reading the cart never extend it', async () => {
    const variantId = await seller.variant(5);
    const buyer = await shop.guest();
    const first = (await buyer.hold(variantId)).body.lines[0]?.holdExpiresAtMs;
    await sql`select pg_sleep(0.05)`.execute(shop.database.kysely);
    const second = (await buyer.hold(variantId)).body.lines[0]?.holdExpiresAtMs;
    expect(second).toBe(first);
    expect((await buyer.cart()).body.lines[0]?.holdExpiresAtMs).toBe(first);
  });

  test('is counted by the server: ten minutes from the statement', async () => {
    const buyer = await shop.guest();
    const { body } = await buyer.hold(await seller.variant(1));
    const line = body.lines[0];
    expect((line?.holdExpiresAtMs ?? 0) - body.serverNowMs).toBeGreaterThan(599_000);
    expect((line?.holdExpiresAtMs ?? 0) - body.serverNowMs).toBeLessThanOrEqual(600_000);
  });

  test('empties the cart at once, and the sweep frees the units', async () => {
    const variantId = await seller.variant(2);
    const buyer = await shop.guest();
    await buyer.hold(variantId, 2);
    await runOut(buyer.id);
    expect((await buyer.cart()).body.lines).toEqual([]);
    expect(await stockOf(variantId)).toMatchObject({ held: 2 });
    const freed = await releaseExpired(shop.database.kysely);
    expect(freed).toHaveLength(1);
    expect(freed[0]?.lagMs).toBeGreaterThan(0);
    expect(await stockOf(variantId)).toMatchObject({ available: 2, held: 0 });
  });

  test('frees units for the next buyer although nothing has swept', async () => {
    const variantId = await seller.variant(1);
    const [late, next] = await Promise.all([shop.guest(), shop.guest()]);
    await late.hold(variantId);
    await runOut(late.id);
    expect((await next.hold(variantId)).status).toBe(201);
  });

  test('whose freeing fails refuses nobody else: what was held in the same statement is answered as held', async () => {
    const [plenty, soldOut] = [await seller.variant(5), await seller.variant(1)];
    const [first, late, next] = await Promise.all([shop.guest(), shop.guest(), shop.guest()]);
    await late.hold(soldOut);
    await runOut(late.id);
    const { pool } = shop.database;
    await pool.query(`create function cut_off() returns trigger language plpgsql as $$
      begin raise exception 'shutting down' using errcode = '57P01'; end $$`);
    await pool.query(`create trigger cut_off before insert on stock_ledger for each row
      when (new.kind = 'expire') execute function cut_off()`);
    const desk = new HoldDesk({ database: shop.database, rules: RULES });
    try {
      const results = await Promise.allSettled([desk.hold([wish(first, plenty)]), desk.hold([wish(next, soldOut)])]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    } finally {
      await pool.query('drop function cut_off cascade');
    }
    expect(await stockOf(plenty)).toMatchObject({ held: 1 });
    expect(await desk.hold([wish(next, soldOut)])).toMatchObject([{ ok: true }]);
  });

  test('lets the same buyer hold again, for a full term', async () => {
    const variantId = await seller.variant(1);
    const buyer = await shop.guest();
    await buyer.hold(variantId);
    await runOut(buyer.id);
    const again = await buyer.hold(variantId);
    expect(again.status).toBe(201);
    expect((again.body.lines[0]?.holdExpiresAtMs ?? 0) - again.body.serverNowMs).toBeGreaterThan(599_000);
  });
});

describe('what one buyer may hold (S12)', () => {
  test('ten units of a variant', async () => {
    const variantId = await seller.variant(50);
    const buyer = await shop.guest();
    expect((await buyer.hold(variantId, 10)).status).toBe(201);
    expect((await buyer.hold(variantId, 1)).body.reason).toBe('hold_limit');
  });

  test('three variants, also when asked for at once', async () => {
    const { variants } = await seller.product(9, 9, 9, 9, 9);
    const buyer = await shop.guest();
    const answers = await Promise.all(variants.map(({ id }) => buyer.hold(id)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect((await buyer.cart()).body.lines).toHaveLength(3);
  });
});

test('the same key holds once; another wish under it is refused', async () => {
  const variantId = await seller.variant(9);
  const buyer = await shop.guest();
  const key = crypto.randomUUID();
  const answers = await Promise.all(Array.from({ length: 5 }, () => buyer.hold(variantId, 2, key)));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  expect((await buyer.cart()).body.lines.map(({ quantity }) => quantity)).toEqual([2]);
  const other = await buyer.hold(variantId, 3, key);
  expect([other.status, other.body.reason]).toEqual([422, 'body_mismatch']);
});

test('at the bound of its queue the desk answers overloaded and counts it', async () => {
  const variantId = await seller.variant(100);
  const buyers = await Promise.all(Array.from({ length: 12 }, () => shop.guest()));
  const refusedAtBound = new Counter({ name: 'refused', help: 'x', registers: [createMetrics('bound')] });
  const desk = new HoldDesk({ database: shop.database, rules: RULES, waitingMax: 8, refusedAtBound });
  const results = await desk.hold(buyers.map((buyer) => wish(buyer, variantId)));
  expect(results.filter(({ ok }) => ok)).toHaveLength(8);
  expect(results.filter((result) => !result.ok && result.reason === 'overloaded')).toHaveLength(4);
  expect((await refusedAtBound.get()).values[0]?.value).toBe(4);
});

test('a stranger’s line cannot be removed; one’s own goes back to stock', async () => {
  const variantId = await seller.variant(1);
  const [owner, stranger] = await Promise.all([shop.guest(), shop.guest()]);
  const lineId = (await owner.hold(variantId)).body.lines[0]?.id ?? '';
  await stranger.send('DELETE', `/api/cart/lines/${lineId}`);
  expect(await stockOf(variantId)).toMatchObject({ held: 1 });
  await owner.send('DELETE', `/api/cart/lines/${lineId}`);
  expect(await stockOf(variantId)).toMatchObject({ available: 1, held: 0 });
});

test('the ledger is append-only', async () => {
  await expect(sql`update stock_ledger set held_delta = 0`.execute(shop.database.kysely)).rejects.toThrow(
    'append-only',
  );
  await expect(sql`delete from stock_ledger`.execute(shop.database.kysely)).rejects.toThrow('append-only');
});

function wish(buyer: Buyer, variantId: string, quantity = 1): HoldRequest {
  return { buyerId: buyer.id, variantId, quantity, playbackId: null, key: null };
}

async function waitingForLocks(): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`.execute(shop.database.kysely);
  return rows[0]?.n ?? 0;
}

async function stockOf(variantId: string): Promise<unknown> {
  return shop.database.kysely
    .selectFrom('stock')
    .select(['on_hand', 'available', 'held', 'sold'])
    .where('variant_id', '=', variantId)
    .executeTakeFirst();
}

/** As if the buyer's ten minutes were over. */
async function runOut(buyerId: string): Promise<void> {
  await sql`update cart_lines set hold_expires_at = now() - interval '1 millisecond'
             where user_id = ${buyerId}::uuid`.execute(shop.database.kysely);
}

async function releaseAll(buyers: readonly Buyer[], lineId: string): Promise<void> {
  for (const buyer of buyers) {
    const { body } = await buyer.cart();
    if (body.lines.some(({ id }) => id === lineId)) await buyer.send('DELETE', `/api/cart/lines/${lineId}`);
  }
}
