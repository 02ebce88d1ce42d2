import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/**
 * Where else a show is sent, with keys sealed by the installation's storage secret; and whose change the media plane has yet
 * to be told of. `restream_revision` orders what it is told.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
alter table shows add column restream_revision bigint not null default 0
;
create table restream_targets (
  id uuid primary key default gen_random_uuid(),
  show_id uuid not null references shows on delete cascade,
  name text not null,
  url text not null,
  sealed_key bytea not null,
  key_hint text not null,
  is_enabled boolean not null default true,
  state text,
  state_reason text,
  state_message text,
  state_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
)
;
create index idx_restream_targets_show_id on restream_targets (show_id, created_at)
;
create table restream_wishes (
  playback_id text primary key,
  requested_at timestamptz not null default clock_timestamp()
)
`,
  );
}
