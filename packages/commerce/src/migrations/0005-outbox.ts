import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/**
 * Events written in the transaction of the change they tell of. Only events that must arrive at once wake the relay:
 * NOTIFY makes commits wait for each other, so stock (many, coalesced) is found by polling.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null unique default gen_random_uuid(),
  topic text not null,
  coalesce_key text,
  payload jsonb not null,
  attempts int not null default 0,
  last_error text,
  dead_at timestamptz,
  created_at timestamptz not null default clock_timestamp()
)
;
create index idx_outbox_waiting on outbox (id) where dead_at is null
;
create index idx_outbox_coalesce_key on outbox (coalesce_key, id) where coalesce_key is not null and dead_at is null
;
create function notify_outbox() returns trigger language plpgsql as $$
begin
  perform pg_notify('showfloor_outbox', '');
  return null;
end
$$
;
create trigger outbox_wakes_the_relay after insert on outbox
  for each row when (new.coalesce_key is null) execute function notify_outbox()
`,
  );
}
