import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenInvariants } from '../../test-postgres/stock-invariants.ts';
import { createTestDatabase, type TestDatabase } from '../../test-postgres/test-database.ts';
import { createGuest, insertUser } from '../accounts/users.ts';
import { DEFAULT_HOLD_RULES, HoldDesk } from '../carts/hold-desk.ts';
import { createProduct } from '../catalog/products.ts';
import { CLEAN_UP_ROWS_MAX, cleanUp } from './clean-up.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.close());

test('a large backlog goes slice by slice, and only what is old goes', async () => {
  await fillInbox(CLEAN_UP_ROWS_MAX + 1, '2 days');
  await fillInbox(3, '1 hour');
  expect(await cleanUp(database.kysely)).toBe(true);
  expect(await inboxCount()).toBe(4);
  expect(await cleanUp(database.kysely)).toBe(false);
  expect(await inboxCount()).toBe(3);
});

test('a table that cannot be cleaned keeps no other from it, and is reported', async () => {
  await fillInbox(2, '2 days');
  await database.pool.query('alter table idempotency_keys rename to elsewhere');
  await expect(cleanUp(database.kysely)).rejects.toThrow('some tables');
  await database.pool.query('alter table elsewhere rename to idempotency_keys');
  expect(await inboxCount()).toBe(3);
});

test('guests who left nothing behind are forgotten after a month; whoever has anything stays', async () => {
  const { kysely } = database;
  const guest = async (age: string): Promise<string> => {
    const { id } = await createGuest(kysely, null);
    await sql`update users set created_at = now() - ${age}::interval where id = ${id}::uuid`.execute(kysely);
    return id;
  };
  const gone = await guest('31 days');
  const recent = await guest('29 days');
  const [buyer, holder, visitor] = [await guest('31 days'), await guest('31 days'), await guest('31 days')];
  await kysely.insertInto('orders').values({ user_id: buyer, total_minor: 1, currency: 'EUR' }).execute();
  await kysely
    .insertInto('refresh_families')
    .values({ user_id: visitor, expires_at: new Date(Date.now() + 60_000) })
    .execute();
  const seller = await insertUser(kysely, { display_name: 'S', role: 'seller', email: null, password_hash: null });
  await sql`update users set created_at = now() - interval '1 year' where id = ${seller.id}::uuid`.execute(kysely);
  const product = await createProduct(kysely, seller.id, {
    title: 'Mug',
    currency: 'EUR',
    variants: [{ title: 'One', sku: 'ONE', priceMinor: 1, onHandUnits: 1 }],
  });
  const desk = new HoldDesk({ database, rules: DEFAULT_HOLD_RULES });
  const variantId = product.variants[0]?.id ?? '';
  await desk.hold([{ buyerId: holder, variantId, quantity: 1, playbackId: null, key: null }]);
  await cleanUp(kysely);
  const left = await kysely.selectFrom('users').select('id').execute();
  expect(left.map(({ id }) => id).sort()).toEqual([recent, buyer, holder, visitor, seller.id].sort());
  expect(left.map(({ id }) => id)).not.toContain(gone);
  expect(await brokenInvariants(kysely)).toEqual([]);
});

async function fillInbox(rows: number, age: string): Promise<void> {
  await sql`insert into event_inbox (id, received_at)
    select gen_random_uuid()::text, now() - ${age}::interval from generate_series(1, ${rows}::int)`.execute(
    database.kysely,
  );
}

async function inboxCount(): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from event_inbox`.execute(database.kysely);
  return rows[0]?.n ?? 0;
}
