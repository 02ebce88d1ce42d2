import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/**
 * Stock as four counters that always add up (the database refuses anything else), its append-only ledger, and carts
 * whose lines are the holds. `carts.version` grows with every change of the cart's lines. Lock order: carts before
 * stock, each by id.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
create table stock (
  variant_id uuid primary key references product_variants on delete cascade,
  on_hand int not null check (on_hand >= 0),
  available int not null check (available >= 0),
  held int not null default 0 check (held >= 0),
  sold int not null default 0 check (sold >= 0),
  version bigint not null default 1,
  constraint stock_adds_up check (on_hand = available + held + sold)
) with (fillfactor = 50)
;
create table stock_ledger (
  id bigint generated always as identity primary key,
  variant_id uuid not null,
  kind text not null check (kind in ('receive', 'adjust', 'hold', 'release', 'expire', 'sell')),
  on_hand_delta int not null default 0,
  available_delta int not null default 0,
  held_delta int not null default 0,
  sold_delta int not null default 0,
  user_id uuid,
  order_id uuid,
  note text,
  created_at timestamptz not null default now(),
  check (on_hand_delta = available_delta + held_delta + sold_delta)
)
;
create index idx_stock_ledger_variant_id on stock_ledger (variant_id, id)
;
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end
$$
;
create trigger stock_ledger_is_append_only before update or delete on stock_ledger
  for each row execute function refuse_change()
;
create table carts (
  user_id uuid primary key references users on delete cascade,
  version bigint not null default 1,
  last_expired_at timestamptz
) with (fillfactor = 70)
;
create table cart_lines (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references carts on delete cascade,
  variant_id uuid not null references stock,
  quantity int not null check (quantity > 0),
  playback_id text,
  hold_expires_at timestamptz not null,
  hold_extended_at timestamptz,
  order_id uuid,
  created_at timestamptz not null default clock_timestamp(),
  unique (user_id, variant_id)
)
;
create index idx_cart_lines_hold_expires_at on cart_lines (hold_expires_at)
;
create index idx_cart_lines_variant_expiry on cart_lines (variant_id, hold_expires_at)
;
create index idx_cart_lines_order_id on cart_lines (order_id) where order_id is not null
;
create table hold_keys (
  user_id uuid not null references users on delete cascade,
  key text not null,
  variant_id uuid not null,
  quantity int not null,
  created_at timestamptz not null default now(),
  primary key (user_id, key)
)
;
create index idx_hold_keys_created_at on hold_keys (created_at)
`,
  );
}
