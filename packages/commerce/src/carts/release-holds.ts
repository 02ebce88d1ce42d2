import { type Kysely, type RawBuilder, sql } from 'kysely';
import { retryConflicts } from '../database/retry-conflicts.ts';
import type { Tables } from '../database/tables.ts';
import { ANNOUNCE_MOVED_STOCK } from '../outbox/stock-events.ts';

/** A cart line whose units are available again. */
export type ReleasedLine = {
  readonly lineId: string;
  readonly userId: string;
  readonly variantId: string;
  readonly quantity: number;
  /** How long after its end the hold was freed; negative when it was released early. */
  readonly lagMs: number;
};

/** One pass frees at most so many lines; the caller comes again while a pass is full. */
export const RELEASE_LINES_MAX = 500;

/** Frees holds that have run out, for all carts or for those of some variants or buyers. */
export function releaseExpired(
  db: Kysely<Tables>,
  only: { readonly variantIds?: readonly string[]; readonly userIds?: readonly string[] } = {},
): Promise<ReleasedLine[]> {
  const due = sql<boolean>`l.hold_expires_at <= now()
    ${only.variantIds === undefined ? sql`` : sql`and l.variant_id = any(${[...only.variantIds]}::uuid[])`}
    ${only.userIds === undefined ? sql`` : sql`and l.user_id = any(${[...only.userIds]}::uuid[])`}`;
  return release(db, 'expire', due);
}

/** Takes a line out of the buyer's cart. Null when there is none, or while it is being paid for. */
export async function releaseLine(db: Kysely<Tables>, userId: string, lineId: string): Promise<ReleasedLine | null> {
  const due = sql<boolean>`l.id = ${lineId}::uuid and l.user_id = ${userId}::uuid and l.order_id is null`;
  return (await release(db, 'release', due))[0] ?? null;
}

/**
 * One statement: locks carts, deletes the lines that are still due once locked, moves their units from held to available,
 * writes ledger and outbox. New levels come from the locked rows (see `hold-statement.ts`). A sweep passes over carts that are being changed right now.
 */
function release(db: Kysely<Tables>, kind: 'expire' | 'release', due: RawBuilder<boolean>): Promise<ReleasedLine[]> {
  return retryConflicts(async () => {
    const { rows } = await sql<ReleasedLine>`
      with due as (
        select l.id, l.user_id from cart_lines l where ${due} order by l.hold_expires_at limit ${RELEASE_LINES_MAX}
      ),
      locked_cart as materialized (
        select c.user_id from carts c where c.user_id in (select user_id from due)
         order by c.user_id for no key update ${kind === 'expire' ? sql`skip locked` : sql``}
      ),
      gone as (
        delete from cart_lines l using locked_cart c, due d
         where l.user_id = c.user_id and l.id = d.id and ${due}
        returning l.id, l.user_id, l.variant_id, l.quantity, l.order_id, l.hold_expires_at
      ),
      locked_stock as materialized (
        select s.* from stock s where s.variant_id in (select variant_id from gone)
         order by s.variant_id for no key update
      ),
      moved as (
        update stock s
           set on_hand = l.on_hand, available = l.available + g.units, held = l.held - g.units, sold = l.sold,
               version = l.version + 1
          from locked_stock l
          join (select variant_id, sum(quantity)::int as units from gone group by variant_id) g using (variant_id)
         where s.variant_id = l.variant_id
        returning s.variant_id, s.available, s.version
      ),
      bumped as (
        update carts set version = version + 1
               ${kind === 'expire' ? sql`, last_expired_at = now()` : sql``}
         where user_id in (select user_id from gone)
      ),
      booked as (
        insert into stock_ledger (variant_id, kind, available_delta, held_delta, user_id, order_id)
        select variant_id, ${kind}, quantity, -quantity, user_id, order_id from gone
      ),
      announced as (${sql.raw(ANNOUNCE_MOVED_STOCK)})
      select id as "lineId", user_id as "userId", variant_id as "variantId", quantity,
             (extract(epoch from clock_timestamp() - hold_expires_at) * 1000)::float8 as "lagMs"
        from gone`.execute(db);
    return rows;
  });
}
