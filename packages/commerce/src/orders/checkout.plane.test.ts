import type { Order } from '@showfloor/protocol';
import { Counter, createMetrics } from '@showfloor/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants, lostPayments } from '../../test-postgres/stock-invariants.ts';
import { silentLog } from '../../test-postgres/test-database.ts';
import {
  type Buyer,
  DECLINED_CARD,
  PAYING_CARD,
  type Seller,
  startShop,
  type TestShop,
} from '../../test-postgres/test-shop.ts';
import { releaseExpired } from '../carts/release-holds.ts';
import { createPool, createTestProvider, type PaymentProvider } from '../index.ts';
import { guardProvider, ProviderUnavailable } from '../payments/guarded-provider.ts';
import { reconcilePayments, settleAs } from '../payments/reconcile-payments.ts';
import { checkOut } from './checkout.ts';
import { requestHash, takeKey } from './idempotency.ts';
import { placeOrder } from './place-order.ts';

const REPETITIONS = 100;

let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
});
afterAll(() => shop?.close());

test('holding and paying makes a paid order at the server’s prices, and sells the units', async () => {
  const product = await seller.product(5);
  const variantId = product.variants[0]?.id ?? '';
  const buyer = await shop.guest();
  await buyer.hold(variantId, 2);
  const { status, body } = await buyer.pay();
  expect(status).toBe(201);
  expect(body).toMatchObject({ status: 'paid', totalMinor: 2000, currency: 'EUR' });
  expect(body.number).toMatch(/^SF-\d{6}$/);
  expect((await buyer.cart()).body.lines).toEqual([]);
  expect(await stockOf(variantId)).toEqual({ on_hand: 5, available: 3, held: 0, sold: 2 });
  expect((await buyer.send<Order>('GET', `/api/orders/${body.id}`)).body).toEqual(body);
  expect((await (await shop.guest()).send('GET', `/api/orders/${body.id}`)).status).toBe(404);
});

test('a declined card leaves cart and hold as they were; another card pays', async () => {
  const variantId = await seller.variant(1);
  const buyer = await shop.guest();
  await buyer.hold(variantId);
  const declined = await buyer.pay(DECLINED_CARD);
  expect([declined.status, declined.body.reason]).toEqual([402, 'payment_declined']);
  expect((await buyer.cart()).body.lines).toHaveLength(1);
  expect((await buyer.pay()).body.status).toBe('paid');
});

test('an empty cart and a hold that ran out are told apart', async () => {
  const buyer = await shop.guest();
  expect((await buyer.pay()).body.reason).toBe('cart_empty');
  await buyer.hold(await seller.variant(1));
  await runOut(buyer.id);
  expect((await buyer.pay()).body.reason).toBe('hold_expired');
  await releaseExpired(shop.database.kysely);
  expect((await buyer.pay()).body.reason).toBe('hold_expired');
});

describe('the buyer pays what the button showed, or nothing', () => {
  test('a price that changed meanwhile is refused, uncharged; the new total, confirmed, pays', async () => {
    const product = await seller.product(5);
    const variantId = product.variants[0]?.id ?? '';
    const buyer = await shop.guest();
    await buyer.hold(variantId);
    const agreed = await totalOf(buyer);
    await shop.database.kysely
      .updateTable('product_variants')
      .set({ price_minor: 2500 })
      .where('id', '=', variantId)
      .execute();
    const refused = await buyer.pay(PAYING_CARD, crypto.randomUUID(), agreed);
    expect([refused.status, refused.body.reason]).toEqual([409, 'cart_changed']);
    expect(refused.body.detail).toContain('Nothing was charged');
    expect(await chargesOf(buyer)).toEqual([]);
    expect((await buyer.send<{ orders: Order[] }>('GET', '/api/orders')).body.orders).toEqual([]);
    const paid = await buyer.pay(PAYING_CARD, crypto.randomUUID(), await totalOf(buyer));
    expect([paid.status, paid.body.totalMinor]).toEqual([201, 2500]);
  });

  test('a line more than was agreed to, and another currency, are refused', async () => {
    const buyer = await shop.guest();
    await buyer.hold(await seller.variant(5));
    const agreed = await totalOf(buyer);
    expect((await buyer.pay(PAYING_CARD, crypto.randomUUID(), { ...agreed, currency: 'USD' })).body.reason).toBe(
      'cart_changed',
    );
    await buyer.hold(await seller.variant(5));
    expect((await buyer.pay(PAYING_CARD, crypto.randomUUID(), agreed)).body.reason).toBe('cart_changed');
  });

  test('a repeated request gets its paid order although prices have changed since', async () => {
    const variantId = await seller.variant(5);
    const buyer = await shop.guest();
    await buyer.hold(variantId);
    const [key, agreed] = [crypto.randomUUID(), await totalOf(buyer)];
    const first = await buyer.pay(PAYING_CARD, key, agreed);
    await shop.database.kysely
      .updateTable('product_variants')
      .set({ price_minor: 1 })
      .where('id', '=', variantId)
      .execute();
    expect(await buyer.pay(PAYING_CARD, key, agreed)).toMatchObject({ status: 201, body: first.body });
  });
});

test('a hold that ran out stops a checkout once, also while nothing sweeps; the rest of the cart can be bought', async () => {
  const buyer = await shop.guest();
  const [over, left] = [await seller.variant(1), await seller.variant(1)];
  await buyer.hold(over);
  await runOut(buyer.id);
  await buyer.hold(left);
  expect((await buyer.pay()).body.reason).toBe('hold_expired');
  expect(await stockOf(over)).toMatchObject({ available: 1, held: 0 });
  const agreed = await totalOf(buyer);
  const paid = await buyer.pay(PAYING_CARD, crypto.randomUUID(), agreed);
  expect([paid.status, paid.body.lines?.map(({ variantId }) => variantId)]).toEqual([201, [left]]);
});

test('C3 paying extends a hold once, to two minutes from then, and paying again does not', async () => {
  const buyer = await shop.guest();
  await buyer.hold(await seller.variant(1));
  await sql`update cart_lines set hold_expires_at = now() + interval '5 seconds'
             where user_id = ${buyer.id}::uuid`.execute(shop.database.kysely);
  await buyer.pay(DECLINED_CARD);
  const first = (await buyer.cart()).body;
  const remaining = (first.lines[0]?.holdExpiresAtMs ?? 0) - first.serverNowMs;
  expect(remaining).toBeGreaterThan(110_000);
  expect(remaining).toBeLessThanOrEqual(120_000);
  await buyer.pay(DECLINED_CARD);
  expect((await buyer.cart()).body.lines[0]?.holdExpiresAtMs).toBe(first.lines[0]?.holdExpiresAtMs);
});

describe('C5 Idempotency-Key', () => {
  test(`the same key × ${REPETITIONS} in parallel is one order, one charge and one answer`, async () => {
    const variantId = await seller.variant(5);
    const buyer = await shop.guest();
    await buyer.hold(variantId);
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: REPETITIONS }, () => buyer.pay(PAYING_CARD, key)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect((await buyer.send<{ orders: Order[] }>('GET', '/api/orders')).body.orders).toHaveLength(1);
    expect(await stockOf(variantId)).toMatchObject({ sold: 1, held: 0 });
    expect(await chargesOf(buyer)).toEqual(['succeeded']);
  });

  test('another body under the key is refused with 422 body_mismatch', async () => {
    const buyer = await shop.guest();
    await buyer.hold(await seller.variant(1));
    const key = crypto.randomUUID();
    await buyer.pay(DECLINED_CARD, key);
    const other = await buyer.pay(PAYING_CARD, key);
    expect([other.status, other.body.reason]).toEqual([422, 'body_mismatch']);
  });

  test('a declined answer is repeated too, not charged again', async () => {
    const buyer = await shop.guest();
    await buyer.hold(await seller.variant(1));
    const key = crypto.randomUUID();
    const answers = [await buyer.pay(DECLINED_CARD, key), await buyer.pay(DECLINED_CARD, key)];
    expect(answers.map(({ status }) => status)).toEqual([402, 402]);
    expect(await chargesOf(buyer)).toEqual(['declined']);
  });

  test('a checkout without a key is refused', async () => {
    const buyer = await shop.guest();
    const { status, body } = await buyer.send('POST', '/api/checkout', {
      payment: { provider: 'test', card: PAYING_CARD },
    });
    expect([status, body.reason]).toEqual([400, 'idempotency_key_required']);
  });

  test('two keys at once buy the cart once', async () => {
    const buyer = await shop.guest();
    const variantId = await seller.variant(5);
    await buyer.hold(variantId);
    const answers = await Promise.all([buyer.pay(), buyer.pay()]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await stockOf(variantId)).toMatchObject({ sold: 1 });
  });

  test('creating a show twice with one key makes one show', async () => {
    const key = crypto.randomUUID();
    const create = () => seller.send<{ id: string }>('POST', '/api/shows', { title: 'Once' }, key);
    const answers = await Promise.all([create(), create(), create()]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await seller.send('POST', '/api/shows', { title: 'Other' }, key)).status).toBe(422);
  });
});

/** Where the process that works on a purchase may die. */
const CRASH_POINTS = [
  'after taking the key',
  'after placing the order',
  'after the charge',
  'after the settlement',
] as const;

describe('C4 C6 the process dies in the middle of a purchase', () => {
  test.each(CRASH_POINTS)('%s: repeating the request ends in one paid order', async (point) => {
    const { buyer, variantId, key } = await crashAt(point);
    await letLeaseRunOut(key);
    const answer = await buyer.pay(PAYING_CARD, key);
    expect([answer.status, answer.body.status]).toEqual([201, 'paid']);
    expect(await chargesOf(buyer)).toEqual(['succeeded']);
    expect(await stockOf(variantId)).toMatchObject({ held: 0, sold: 1 });
    await expectAllWell();
  });

  test.each(CRASH_POINTS)('%s: the worker alone leaves nothing open', async (point) => {
    const { buyer, variantId } = await crashAt(point);
    await reconcile({ giveUpAfterMs: 0 });
    await expectAllWell();
    const charges = await chargesOf(buyer);
    expect(await stockOf(variantId)).toMatchObject(
      charges.includes('succeeded') ? { sold: 1, held: 0 } : { sold: 0, held: 1 },
    );
  });

  test('after the worker has given up, a late charge is impossible', async () => {
    const { paymentId } = await crashAt('after placing the order');
    await reconcile({ giveUpAfterMs: 0 });
    const state = await shop.provider.charge(
      { paymentId: paymentId ?? '', amountMinor: 1, currency: 'EUR', method: PAYING_CARD },
      AbortSignal.timeout(1_000),
    );
    expect(state).toBe('cancelled');
    await expectAllWell();
  });

  test('a payment that was just begun is left alone', async () => {
    const { paymentId } = await crashAt('after placing the order');
    await reconcilePayments({ db: shop.database.kysely, provider: shop.provider, log: silentLog });
    expect(await paymentStatus(paymentId)).toBe('processing');
    await reconcile({ giveUpAfterMs: 0 });
  });
});

describe('C4 the charge succeeds after the hold has run out', () => {
  test('the units are still there: they are taken again', async () => {
    const { buyer, variantId } = await crashAt('after the charge');
    await runOut(buyer.id);
    await releaseExpired(shop.database.kysely);
    expect(await stockOf(variantId)).toMatchObject({ available: 1, held: 0 });
    await reconcile();
    expect(await stockOf(variantId)).toMatchObject({ available: 0, sold: 1 });
    await expectAllWell();
  });

  test('the units are gone: the buyer is refunded in full', async () => {
    const { buyer, variantId, key, paymentId } = await crashAt('after the charge');
    await runOut(buyer.id);
    const next = await shop.guest();
    expect((await next.hold(variantId)).status).toBe(201);
    await reconcile();
    expect(await paymentStatus(paymentId)).toBe('refunded');
    expect(await chargesOf(buyer)).toEqual(['refunded']);
    const { orders } = (await buyer.send<{ orders: Order[] }>('GET', '/api/orders')).body;
    expect(orders.map(({ status }) => status)).toEqual(['refunded']);
    await letLeaseRunOut(key);
    for (let round = 0; round < 2; round += 1) {
      const answer = await buyer.pay(PAYING_CARD, key);
      expect([answer.status, answer.body.reason]).toEqual([409, 'insufficient_stock']);
      expect(answer.body.detail).toContain('money was returned');
    }
    await expectAllWell();
  });

  test('the refund fails at first: it stays due and is made later', async () => {
    const { buyer, variantId, paymentId } = await crashAt('after the charge');
    await runOut(buyer.id);
    await (await shop.guest()).hold(variantId);
    const silent: PaymentProvider = { ...shop.provider, refund: () => Promise.reject(new Error('down')) };
    const refundsStillDue = new Counter({ name: 'due', help: 'due', registers: [createMetrics('test')] });
    await reconcile({ provider: silent, refundsStillDue });
    await reconcile({ provider: silent, refundsStillDue });
    expect(await paymentStatus(paymentId)).toBe('refund_due');
    expect((await refundsStillDue.get()).values[0]?.value).toBe(2);
    await reconcile();
    expect(await paymentStatus(paymentId)).toBe('refunded');
    await expectAllWell();
  });
});

test('payments that never finish do not keep the others waiting', async () => {
  const db = shop.database.kysely;
  const stuck = await shop.guest();
  const { rows } = await sql<{ id: string }>`
    with placed as (
      insert into orders (user_id, total_minor, currency)
      select ${stuck.id}::uuid, 1, 'EUR' from generate_series(1, 100) returning id
    )
    insert into payments (order_id, provider, amount_minor, currency, attempted_at)
    select id, 'test', 1, 'EUR', now() - interval '1 hour' from placed returning id`.execute(db);
  const ids = new Set(rows.map(({ id }) => id));
  const { paymentId } = await crashAt('after the charge');
  const picky: PaymentProvider = {
    ...shop.provider,
    lookUp: (id, signal) => (ids.has(id) ? Promise.reject(new Error('down')) : shop.provider.lookUp(id, signal)),
  };
  const pass = () => reconcilePayments({ db, provider: picky, log: silentLog, lookUpAfterMs: -1_000 });
  await pass();
  await pass();
  expect(await paymentStatus(paymentId)).toBe('succeeded');
  await reconcile({ giveUpAfterMs: 0 });
  await expectAllWell();
});

test('a provider that never answers: the order waits, the breaker opens, the worker brings it to an end', async () => {
  const pool = createPool({ url: shop.database.url, poolMax: 1, applicationName: 'dead', log: silentLog });
  let calls = 0;
  const dead = guardProvider(
    {
      ...createTestProvider(pool),
      charge: () => {
        calls += 1;
        return Promise.reject(new Error('connection refused'));
      },
    },
    {},
  );
  const buyer = await shop.guest();
  await buyer.hold(await seller.variant(1));
  const request = {
    userId: buyer.id,
    email: null,
    key: crypto.randomUUID(),
    body: { payment: { provider: 'test' as const, card: PAYING_CARD } },
  };
  const result = await checkOut({ db: shop.database.kysely, provider: dead }, request);
  expect(result).toMatchObject({ ok: true, order: { status: 'pending_payment' } });
  expect(calls).toBe(3);
  // The provider is back: the same request, repeated, pays.
  const again = await checkOut({ db: shop.database.kysely, provider: shop.provider }, request);
  expect(again).toMatchObject({ ok: true, order: { status: 'paid' } });
  await dead.close();
  await expectAllWell();
});

test('while the outcome is not known the answer is 202; once the worker has settled the same request is answered 201', async () => {
  // The charge works, its answer never arrives.
  const silent = await startShop({
    provider: (real) => ({
      ...real,
      charge: async (...request) => {
        await real.charge(...request);
        throw new ProviderUnavailable(real.name, 'no answer');
      },
    }),
  });
  const buyer = await silent.guest();
  await buyer.hold(await (await silent.seller()).variant(1));
  const key = crypto.randomUUID();
  const pending = await buyer.pay(PAYING_CARD, key);
  expect([pending.status, pending.body.status]).toEqual([202, 'pending_payment']);
  expect(pending.headers.get('retry-after')).toBe('2');
  await reconcilePayments({ db: silent.database.kysely, provider: silent.provider, log: silentLog, lookUpAfterMs: -1 });
  for (let round = 0; round < 2; round += 1) {
    const answer = await buyer.pay(PAYING_CARD, key);
    expect([answer.status, answer.body.status, answer.body.id]).toEqual([201, 'paid', pending.body.id]);
  }
  await silent.close();
});

type Crashed = {
  readonly buyer: Buyer;
  readonly variantId: string;
  readonly key: string;
  readonly paymentId: string | null;
};

/** Walks through a purchase of one unit as `checkOut` does and stops dead after a step: no lease is let go. */
async function crashAt(point: (typeof CRASH_POINTS)[number]): Promise<Crashed> {
  const db = shop.database.kysely;
  const variantId = await seller.variant(1);
  const buyer = await shop.guest();
  await buyer.hold(variantId);
  const key = crypto.randomUUID();
  const body = { payment: { provider: 'test', card: PAYING_CARD } };
  const taken = await takeKey(db, { userId: buyer.id, key, hash: requestHash(body) });
  if (taken.state !== 'mine') throw new Error('the key is taken');
  const crashed = { buyer, variantId, key, paymentId: null };
  if (point === 'after taking the key') return crashed;
  const placed = await placeOrder(db, { userId: buyer.id, email: null }, 'test', taken.lease);
  if (!placed.ok) throw new Error(placed.reason);
  const payment = await db
    .selectFrom('payments')
    .select(['id', 'amount_minor', 'currency'])
    .where('order_id', '=', placed.orderId)
    .executeTakeFirstOrThrow();
  const at = { ...crashed, paymentId: payment.id };
  if (point === 'after placing the order') return at;
  const charge = {
    paymentId: payment.id,
    amountMinor: payment.amount_minor,
    currency: payment.currency,
    method: PAYING_CARD,
  };
  const state = await shop.provider.charge(charge, AbortSignal.timeout(1_000));
  if (point === 'after the charge') return at;
  await settleAs(db, shop.provider, payment.id, state);
  return at;
}

/** A pass of the worker, once every open payment may be asked about again. */
async function reconcile(
  options: { giveUpAfterMs?: number; provider?: PaymentProvider; refundsStillDue?: Counter } = {},
): Promise<number> {
  const db = shop.database.kysely;
  await db
    .updateTable('payments')
    .set({ next_check_at: new Date(0) })
    .execute();
  return reconcilePayments({ db, provider: shop.provider, log: silentLog, lookUpAfterMs: -1_000, ...options });
}

async function totalOf(buyer: Buyer): Promise<{ expectedTotalMinor: number; currency: string }> {
  const { totalMinor, currency } = (await buyer.cart()).body;
  return { expectedTotalMinor: totalMinor, currency: currency ?? '' };
}

async function expectAllWell(): Promise<void> {
  expect(await brokenInvariants(shop.database.kysely)).toEqual([]);
  expect(await lostPayments(shop.database.kysely)).toEqual([]);
}

async function letLeaseRunOut(key: string): Promise<void> {
  await shop.database.kysely
    .updateTable('idempotency_keys')
    .set({ leased_until: new Date(0) })
    .where('key', '=', key)
    .execute();
}

async function paymentStatus(paymentId: string | null): Promise<string | undefined> {
  const row = await shop.database.kysely
    .selectFrom('payments')
    .select('status')
    .where('id', '=', paymentId ?? '')
    .executeTakeFirst();
  return row?.status;
}

async function chargesOf(buyer: Buyer): Promise<string[]> {
  const { rows } = await sql<{ status: string }>`
    select c.status from test_provider.charges c join payments p on p.id = c.payment_id
      join orders o on o.id = p.order_id where o.user_id = ${buyer.id}::uuid`.execute(shop.database.kysely);
  return rows.map(({ status }) => status);
}

async function stockOf(variantId: string): Promise<unknown> {
  return shop.database.kysely
    .selectFrom('stock')
    .select(['on_hand', 'available', 'held', 'sold'])
    .where('variant_id', '=', variantId)
    .executeTakeFirst();
}

async function runOut(buyerId: string): Promise<void> {
  await sql`update cart_lines set hold_expires_at = now() - interval '1 millisecond'
             where user_id = ${buyerId}::uuid`.execute(shop.database.kysely);
}
