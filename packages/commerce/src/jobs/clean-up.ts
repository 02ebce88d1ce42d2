import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** Removes what has served its time: keys and inbox ids after a day, dead refresh tokens and links after a week. */
export async function cleanUp(db: Kysely<Tables>): Promise<void> {
  await sql`delete from idempotency_keys where created_at < now() - interval '1 day'`.execute(db);
  await sql`delete from hold_keys where created_at < now() - interval '1 day'`.execute(db);
  await sql`delete from event_inbox where received_at < now() - interval '1 day'`.execute(db);
  await sql`delete from refresh_tokens where expires_at < now() - interval '7 days'`.execute(db);
  await sql`delete from refresh_families where expires_at < now() - interval '7 days'`.execute(db);
  await sql`delete from one_time_links where expires_at < now() - interval '7 days'`.execute(db);
}
