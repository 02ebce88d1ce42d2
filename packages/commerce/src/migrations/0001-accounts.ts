import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/** Users, refresh-token families, one-time sign-in links. Secrets are stored as hashes only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
create table users (
  id uuid primary key default gen_random_uuid(),
  email text,
  display_name text not null,
  role text not null check (role in ('guest', 'buyer', 'seller', 'moderator', 'admin')),
  password_hash text,
  created_at timestamptz not null default now()
)
;
create unique index idx_users_email on users (lower(email))
;
create table refresh_families (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text
)
;
create index idx_refresh_families_user_id on refresh_families (user_id)
;
create index idx_refresh_families_revoked_at on refresh_families (revoked_at) where revoked_at is not null
;
create table refresh_tokens (
  token_hash bytea primary key,
  family_id uuid not null references refresh_families on delete cascade,
  expires_at timestamptz not null,
  used_at timestamptz
)
;
create index idx_refresh_tokens_family_id on refresh_tokens (family_id)
;
create index idx_refresh_tokens_expires_at on refresh_tokens (expires_at)
;
create table one_time_links (
  token_hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  purpose text not null,
  expires_at timestamptz not null,
  used_at timestamptz
)
`,
  );
}
