import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** Rows of one table that one run deletes at most: a statement must stay far below its time-out. */
export const CLEAN_UP_ROWS_MAX = 5_000;

/** With the cart a guest's lines would go, and their units be lost: only guests without any may go. */
const IS_IDLE_GUEST = sql`role = 'guest' and created_at < now() - interval '30 days'
  and not exists (select from orders where user_id = users.id)
  and not exists (select from refresh_families where user_id = users.id)
  and not exists (select from cart_lines where user_id = users.id)`;

/**
 * What has served its time: keys and inbox ids after a day, dead refresh tokens after a week, guests who left nothing behind
 * after a month. One-time links stay: there is one per user and purpose, and a link that was used must be known as used for
 * as long as it may be prepared again.
 */
const CHORES = [
  { table: 'idempotency_keys', isDue: sql`created_at < now() - interval '1 day'` },
  { table: 'hold_keys', isDue: sql`created_at < now() - interval '1 day'` },
  { table: 'event_inbox', isDue: sql`received_at < now() - interval '1 day'` },
  { table: 'refresh_tokens', isDue: sql`expires_at < now() - interval '7 days'` },
  { table: 'refresh_families', isDue: sql`expires_at < now() - interval '7 days'` },
  { table: 'users', isDue: IS_IDLE_GUEST },
] as const;

/**
 * Removes a slice of each. Resolves with true when a slice was full: there is more. A table that fails keeps no other from
 * being cleaned; afterwards all failures are thrown together.
 */
export async function cleanUp(db: Kysely<Tables>): Promise<boolean> {
  let isMore = false;
  const errors: unknown[] = [];
  for (const { table, isDue } of CHORES) {
    try {
      const { numAffectedRows } = await sql`
        delete from ${sql.table(table)} where ctid = any(array(
          select ctid from ${sql.table(table)} where ${isDue} limit ${CLEAN_UP_ROWS_MAX}))`.execute(db);
      isMore ||= Number(numAffectedRows) >= CLEAN_UP_ROWS_MAX;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'some tables could not be cleaned up');
  return isMore;
}
