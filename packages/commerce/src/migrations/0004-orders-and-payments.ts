import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/**
 * Orders, payments, idempotency keys, and the book of the `test` payment provider: a stand-in for a company elsewhere,
 * so nothing of ours refers to it and it refers to nothing of ours.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
create table orders (
  id uuid primary key default gen_random_uuid(),
  number bigint generated always as identity unique,
  user_id uuid not null references users,
  status text not null default 'pending_payment'
    check (status in ('pending_payment', 'paid', 'payment_failed', 'refunded')),
  total_minor bigint not null check (total_minor >= 0),
  currency text not null,
  email text,
  created_at timestamptz not null default now(),
  paid_at timestamptz
)
;
create index idx_orders_user_id on orders (user_id, created_at desc)
;
create table order_lines (
  order_id uuid not null references orders on delete cascade,
  position int not null,
  product_id uuid not null,
  variant_id uuid not null,
  title text not null,
  variant_title text not null,
  quantity int not null check (quantity > 0),
  unit_price_minor bigint not null check (unit_price_minor >= 0),
  primary key (order_id, position)
)
;
create table payments (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null references orders on delete cascade,
  provider text not null,
  status text not null default 'processing'
    check (status in ('processing', 'succeeded', 'failed', 'refund_due', 'refunded')),
  amount_minor bigint not null,
  currency text not null,
  attempted_at timestamptz not null default now(),
  refund_due_at timestamptz,
  created_at timestamptz not null default now()
)
;
create index idx_payments_order_id on payments (order_id)
;
create index idx_payments_open on payments (attempted_at) where status in ('processing', 'refund_due')
;
create table idempotency_keys (
  user_id uuid not null references users on delete cascade,
  key text not null,
  request_hash bytea not null,
  owner uuid not null,
  leased_until timestamptz not null,
  order_id uuid references orders on delete set null,
  response_status int,
  response_body jsonb,
  created_at timestamptz not null default now(),
  primary key (user_id, key)
)
;
create index idx_idempotency_keys_created_at on idempotency_keys (created_at)
;
create schema test_provider
;
create table test_provider.charges (
  payment_id uuid primary key,
  status text not null check (status in ('succeeded', 'declined', 'cancelled', 'refunded')),
  amount_minor bigint not null,
  currency text not null,
  created_at timestamptz not null default now(),
  refunded_at timestamptz
)
`,
  );
}
