import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/** Shows with their stream state, products with variants, which show lists which product, the inbox of stream events. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
create table products (
  id uuid primary key default gen_random_uuid(),
  seller_id uuid not null references users,
  title text not null,
  description text not null default '',
  image_url text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
)
;
create index idx_products_seller_id on products (seller_id, created_at desc)
;
create table product_variants (
  id uuid primary key default gen_random_uuid(),
  product_id uuid not null references products on delete cascade,
  title text not null,
  sku text not null,
  price_minor bigint not null check (price_minor >= 0),
  position int not null,
  unique (product_id, sku)
)
;
create table shows (
  id uuid primary key default gen_random_uuid(),
  seller_id uuid not null references users,
  playback_id text not null unique,
  title text not null,
  description text not null default '',
  status text not null default 'scheduled'
    check (status in ('scheduled', 'ready', 'live', 'interrupted', 'ended', 'cancelled')),
  poster_url text,
  scheduled_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  interrupted_at timestamptz,
  grace_ends_at timestamptz,
  stream_key_hash bytea,
  session_id text,
  last_stream_event_at timestamptz,
  featured_product_id uuid references products,
  pinned_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
)
;
create index idx_shows_status on shows (status)
;
create index idx_shows_seller_id on shows (seller_id)
;
create index idx_shows_status_started on shows (status, started_at desc)
;
create index idx_shows_grace_ends_at on shows (grace_ends_at) where status = 'interrupted'
;
create table show_products (
  show_id uuid not null references shows on delete cascade,
  product_id uuid not null references products on delete cascade,
  added_at timestamptz not null default clock_timestamp(),
  primary key (show_id, product_id)
)
;
create index idx_show_products_product_id on show_products (product_id)
;
create table event_inbox (
  id text primary key,
  received_at timestamptz not null default now()
)
;
create index idx_event_inbox_received_at on event_inbox (received_at)
`,
  );
}
