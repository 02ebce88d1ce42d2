import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenInvariants, lostPayments } from '../../test-postgres/stock-invariants.ts';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Buyer, DECLINED_CARD, type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { reconcilePayments } from '../payments/reconcile-payments.ts';
import { releaseExpired } from './release-holds.ts';

/** Operations of the run; the full bar is a million. */
const OPERATIONS = 600;
const AT_ONCE = 24;
const SEED = 20_261_120;

let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
});
afterAll(() => shop?.close());

test(`C1 ${OPERATIONS} mixed operations, ${AT_ONCE} at a time: nothing is oversold and everything adds up throughout`, async () => {
  const db = shop.database.kysely;
  const product = await seller.product(3, 7, 40);
  const buyers = await Promise.all(Array.from({ length: 30 }, () => shop.guest()));
  const next = random(SEED);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const counts = new Map<string, number>();
  let left = OPERATIONS;
  let checks = 0;

  const operate = async (buyer: Buyer, dice: number): Promise<number> => {
    const variant = pick(product.variants).id;
    if (dice < 0.55) return (await buyer.hold(variant, 1 + Math.floor(next() * 3))).status;
    if (dice < 0.65) {
      const line = (await buyer.cart()).body.lines[0];
      return line === undefined ? 204 : (await buyer.send('DELETE', `/api/cart/lines/${line.id}`)).status;
    }
    if (dice < 0.82) return (await buyer.pay(next() < 0.25 ? DECLINED_CARD : undefined)).status;
    if (dice < 0.88) {
      await sql`update cart_lines set hold_expires_at = now() where user_id = ${buyer.id}::uuid`.execute(db);
      return 0;
    }
    if (dice < 0.94) return (await releaseExpired(db)).length === 0 ? 1 : 2;
    const deltaUnits = Math.floor(next() * 5) - 2;
    return (await seller.send('POST', `/api/products/${product.id}/stock`, { variantId: variant, deltaUnits })).status;
  };
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const dice = next();
      const status = await operate(pick(buyers), dice);
      counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
      if (left % 40 === 0) {
        checks += 1;
        expect(await brokenInvariants(db)).toEqual([]);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));

  await reconcilePayments({ db, provider: shop.provider, log: silentLog, lookUpAfterMs: 0 });
  expect(await brokenInvariants(db)).toEqual([]);
  expect(await lostPayments(db)).toEqual([]);
  expect(checks).toBeGreaterThan(10);
  const known = ['0', '1', '2', '200', '201', '204', '402', '409'];
  expect([...counts.keys()].filter((status) => !known.includes(status))).toEqual([]);
  for (const status of ['201', '402', '409']) expect(counts.get(status), `some ${status}`).toBeGreaterThan(0);
});

/** mulberry32: the same operations for the same seed (their interleaving is PostgreSQL's). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
