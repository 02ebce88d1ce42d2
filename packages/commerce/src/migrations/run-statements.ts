import { type Kysely, sql } from 'kysely';

/** Runs SQL statements that are separated by a line holding only `;`. */
export async function runStatements(db: Kysely<unknown>, text: string): Promise<void> {
  for (const statement of text.split(/^;$/m)) {
    if (statement.trim() !== '') await sql.raw(statement).execute(db);
  }
}
