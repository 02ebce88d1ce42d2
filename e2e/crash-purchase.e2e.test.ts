import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from '@showfloor/protocol';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Floor, type PlaneName, startFloor } from './floor.ts';
import { demoProducts, Shopper } from './shopper.ts';
import { waitFor } from './wait-for.ts';

/**
 * C4 and C6, as a buyer lives them: whichever process dies while people pay, whoever was charged has an order (or the money
 * back), nobody has two, and every unit is accounted for.
 */
let floor: Floor;
let database: pg.Client;
const BUYERS = Number(process.env.E2E_BUYERS ?? 12);

beforeAll(async () => {
  floor = await startFloor({ env: { COMMERCE_AUTH_RATE_PER_MINUTE: '10000' } });
});
afterAll(async () => {
  await database?.end();
  await floor?.stop();
});

const VICTIMS: readonly PlaneName[] = ['commerce-server', 'worker', 'postgres', 'realtime-server', 'media-server'];

test.each(VICTIMS)('C4 C6 kill -9 of %s while people pay loses no paid order', async (victim) => {
  const products = await demoProducts(floor.webUrl);
  const variant = products.flatMap(({ variants }) => variants).sort((a, b) => b.availableUnits - a.availableUnits)[0];
  if (variant === undefined) throw new Error('the demo shop has no products');
  const shoppers = await Promise.all(Array.from({ length: BUYERS }, () => Shopper.guest(floor.webUrl)));
  for (const shopper of shoppers) expect((await shopper.hold(variant.id)).status).toBe(201);

  const purchases = shoppers.map((shopper, index) =>
    payUntilAnswered(shopper, `crash-${victim}-${index}-${Date.now()}`, index * 15),
  );
  await sleep(40 + Math.floor(Math.random() * 120));
  const old = floor.kill(victim);
  await floor.restarted(victim, old);
  const orders = await Promise.all(purchases);

  expect(orders.map(({ status }) => status)).toEqual(Array.from({ length: BUYERS }, () => 'paid'));
  expect(new Set(orders.map(({ id }) => id)).size).toBe(BUYERS);
  await waitFor('charges, orders and stock to agree', async () => (await disagreements()).length === 0, 30_000).catch(
    async () => {
      expect(await disagreements()).toEqual([]);
    },
  );
});

/** As the web app does: the same attempt, with the same key, until the shop has answered. */
async function payUntilAnswered(shopper: Shopper, key: string, delayMs: number): Promise<Order> {
  await sleep(delayMs);
  return waitFor(
    'the purchase to be answered',
    async () => {
      const answer = await shopper.checkout(key);
      if (answer.status === 201 && answer.body.status === 'paid') return answer.body;
      return false;
    },
    40_000,
  );
}

/** Rows that break an invariant, from the database and the provider's own book. Empty when all is well. */
async function disagreements(): Promise<unknown[]> {
  if (database === undefined) {
    database = new pg.Client({ connectionString: floor.databaseUrl() });
    database.on('error', () => undefined); // killed on purpose; the next call reconnects
    await database.connect();
  }
  try {
    const { rows } = await database.query(DISAGREEMENTS);
    return rows;
  } catch (error) {
    await database.end().catch(() => undefined);
    database = undefined as unknown as pg.Client;
    throw error;
  }
}

const DISAGREEMENTS = `
  select 'charged without a paid order or a refund' as what, c.payment_id::text as id
    from test_provider.charges c
    left join payments p on p.id = c.payment_id
    left join orders o on o.id = p.order_id
   where c.status = 'succeeded' and coalesce(o.status, '') not in ('paid', 'refunded')
  union all
  select 'stock does not add up', v.variant_id::text
    from stock v where v.on_hand <> v.available + v.held + v.sold
`;
