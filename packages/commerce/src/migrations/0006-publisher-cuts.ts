import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/** What the media plane has yet to be told: end a stream, or drop a publisher whose key was replaced. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
create table publisher_cuts (
  id bigint generated always as identity primary key,
  playback_id text not null,
  kind text not null check (kind in ('end_stream', 'drop_publisher')),
  created_at timestamptz not null default clock_timestamp()
)
`,
  );
}
