import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const BUYERS = Number(process.env.E2E_BUYERS ?? 12);
const ENV = { COMMERCE_AUTH_RATE_PER_MINUTE: '10000' };
const VICTIMS: readonly PlaneName[] = ['commerce-server', 'worker', 'postgres', 'realtime-server', 'media-server'];
const dataDir = mkdtempSync(join(tmpdir(), 'sf-crash-'));
let floor: Floor;

beforeAll(async () => {
  floor = await startFloor({ env: ENV, dataDir });
});
afterAll(async () => {
  await floor?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test.each(VICTIMS)('C4 C6 kill -9 of %s while people pay loses no paid order', async (victim) => {
  const shoppers = await shoppersWithHolds();
  const purchases = shoppers.map((shopper, index) => payUntilAnswered(shopper, keyOf(victim, index), index * 15));
  await inTheMiddle();
  const old = floor.kill(victim);
  await floor.restarted(victim, old);
  expectEachPaidOnce(await Promise.all(purchases));
  await everythingAgrees();
});

test('C4 C6 kill -9 of the supervisor, and so of everything, loses no paid order', async () => {
  const shoppers = await shoppersWithHolds();
  // Nobody waits for these answers: the same attempt is made again after the restart.
  for (const [index, shopper] of shoppers.entries())
    shopper.checkout(keyOf('supervisor', index)).catch(() => undefined);
  await inTheMiddle();
  process.kill(floor.supervisorPid, 'SIGKILL');
  await floor.stop();
  floor = await startFloor({ env: ENV, dataDir });
  const purchases = shoppers.map((shopper, index) =>
    payUntilAnswered(shopper.movedTo(floor.webUrl), keyOf('supervisor', index), 0),
  );
  expectEachPaidOnce(await Promise.all(purchases));
  await everythingAgrees();
});

async function shoppersWithHolds(): Promise<Shopper[]> {
  const products = await demoProducts(floor.webUrl);
  const variant = products.flatMap(({ variants }) => variants).sort((a, b) => b.availableUnits - a.availableUnits)[0];
  if (variant === undefined) throw new Error('the demo shop has no products');
  const shoppers = await Promise.all(Array.from({ length: BUYERS }, () => Shopper.guest(floor.webUrl)));
  for (const shopper of shoppers) expect((await shopper.hold(variant.id)).status).toBe(201);
  return shoppers;
}

function keyOf(victim: string, index: number): string {
  return `crash-${victim}-${index}`;
}

/** Some have paid, some are paying, some have not begun: where exactly is left to chance, round after round. */
function inTheMiddle(): Promise<void> {
  return sleep(40 + Math.floor(Math.random() * 120));
}

/** As the web app does: the same attempt, with the same key, until the shop has answered. */
async function payUntilAnswered(shopper: Shopper, key: string, delayMs: number): Promise<Order> {
  await sleep(delayMs);
  return waitFor(
    'the purchase to be answered',
    async () => {
      const answer = await shopper.checkout(key);
      return answer.status === 201 && answer.body.status === 'paid' ? answer.body : false;
    },
    40_000,
  );
}

function expectEachPaidOnce(orders: readonly Order[]): void {
  expect(orders.map(({ status }) => status)).toEqual(Array.from({ length: BUYERS }, () => 'paid'));
  expect(new Set(orders.map(({ id }) => id)).size).toBe(BUYERS);
}

async function everythingAgrees(): Promise<void> {
  let last: unknown[] = ['never asked'];
  await waitFor(
    'charges, orders and stock to agree',
    async () => {
      last = await disagreements();
      return last.length === 0;
    },
    30_000,
  ).catch(() => expect(last).toEqual([]));
}

/** Rows that break an invariant, from the database and the provider's own book. Empty when all is well. */
async function disagreements(): Promise<unknown[]> {
  const database = new pg.Client({ connectionString: floor.databaseUrl() });
  database.on('error', () => undefined); // a server killed on purpose
  await database.connect();
  try {
    return (await database.query(DISAGREEMENTS)).rows;
  } finally {
    await database.end();
  }
}

const DISAGREEMENTS = `
  select 'charged without a paid order or a refund' as what, c.payment_id::text as id
    from test_provider.charges c
    left join payments p on p.id = c.payment_id
    left join orders o on o.id = p.order_id
   where c.status = 'succeeded' and coalesce(o.status, '') not in ('paid', 'refunded')
  union all
  select 'paid, but not charged exactly once', o.id::text
    from orders o
   where o.status = 'paid' and 1 <> (
     select count(*) from payments p join test_provider.charges c on c.payment_id = p.id
      where p.order_id = o.id and c.status = 'succeeded')
  union all
  select 'stock does not add up', v.variant_id::text
    from stock v where v.on_hand <> v.available + v.held + v.sold
`;
