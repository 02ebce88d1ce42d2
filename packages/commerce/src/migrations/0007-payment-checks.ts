import type { Kysely } from 'kysely';
import { runStatements } from './run-statements.ts';

/** When an open payment is asked about next: those that never finish must not keep the others waiting. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await runStatements(
    db,
    `
alter table payments add column next_check_at timestamptz not null default now()
;
drop index idx_payments_open
;
create index idx_payments_open on payments (next_check_at) where status in ('processing', 'refund_due')
`,
  );
}
