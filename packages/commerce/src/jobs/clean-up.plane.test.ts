import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test-postgres/test-database.ts';
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
