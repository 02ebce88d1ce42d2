import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/** Finds the oldest guests, for the clean-up of those who left nothing behind. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(db, "create index idx_users_guests on users (created_at) where role = 'guest'");
}
