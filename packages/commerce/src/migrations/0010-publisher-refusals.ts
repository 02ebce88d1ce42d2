import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/** The latest encoder of a show that had the right key and was turned away: what its seller is told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
alter table shows
  add column publisher_refused_at timestamptz,
  add column publisher_refused_reason text,
  add column publisher_refused_text text
`,
  );
}
