import type { Reason } from '@showfloor/protocol';
import { type Kysely, sql } from 'kysely';
import { retryConflicts } from '../database/retry-conflicts.ts';
import type { Tables } from '../database/tables.ts';
import { type Lease, tieToOrder } from './idempotency.ts';

/** Paying begins with at least this much time on the hold. Granted once per line: paying again does not add to it. */
const PAYMENT_HOLD_SECONDS = 120;
/** An empty cart whose lines ran out this recently is answered with `hold_expired`. */
const RECENTLY_MINUTES = 30;

export type PlaceResult =
  | { readonly ok: true; readonly orderId: string }
  | { readonly ok: false; readonly reason: Reason };

/** What the buyer has agreed to pay; a part that is missing is not compared. */
type Agreed = { readonly expectedTotalMinor?: number; readonly currency?: string };

type Line = {
  readonly id: string;
  readonly variant_id: string;
  readonly product_id: string;
  readonly title: string;
  readonly variant_title: string;
  readonly quantity: number;
  readonly price_minor: number;
  readonly currency: string;
  readonly is_expired: boolean;
  readonly is_being_paid: boolean;
};

/**
 * First transaction of a checkout: the cart's lines become an order that waits for its payment, at the prices of now, and
 * the idempotency key is tied to it. Units stay held. A cart that comes to another total than the buyer agreed to is refused
 * with `cart_changed`.
 */
export function placeOrder(
  db: Kysely<Tables>,
  buyer: { readonly userId: string; readonly email: string | null },
  provider: string,
  lease: Lease,
  agreed: Agreed = {},
): Promise<PlaceResult> {
  return retryConflicts(() =>
    db.transaction().execute(async (tx) => {
      const cart = await tx
        .selectFrom('carts')
        .select('last_expired_at')
        .where('user_id', '=', buyer.userId)
        .forNoKeyUpdate()
        .executeTakeFirst();
      if (cart === undefined) return { ok: false, reason: 'unauthenticated' };
      const all = await readLines(tx, buyer.userId);
      const lines = all.filter(({ is_being_paid }) => !is_being_paid);
      const reason = refusalOf(lines, all.length > lines.length, cart.last_expired_at);
      if (reason !== null) return { ok: false, reason };
      // The cart that was shown counts lines whose payment is under way: until that has ended no total can be confirmed.
      const isWhole = all.length === lines.length;
      if (!isAgreed(lines, agreed)) return { ok: false, reason: isWhole ? 'cart_changed' : 'payment_pending' };
      const orderId = await writeOrder(tx, buyer, provider, lines);
      await tieLines(tx, orderId, buyer.userId, lines);
      await tieToOrder(tx, lease, orderId);
      return { ok: true, orderId };
    }),
  );
}

function refusalOf(lines: readonly Line[], isOtherBeingPaid: boolean, lastExpiredAt: Date | null): Reason | null {
  if (lines.length === 0) {
    if (isOtherBeingPaid) return 'payment_pending';
    const expiredMs = Date.now() - (lastExpiredAt?.getTime() ?? 0);
    return expiredMs < RECENTLY_MINUTES * 60_000 ? 'hold_expired' : 'cart_empty';
  }
  if (lines.some(({ is_expired }) => is_expired)) return 'hold_expired';
  return new Set(lines.map(({ currency }) => currency)).size > 1 ? 'conflict' : null;
}

function isAgreed(lines: readonly Line[], { expectedTotalMinor, currency }: Agreed): boolean {
  const isTotal = expectedTotalMinor === undefined || expectedTotalMinor === totalOf(lines);
  return isTotal && (currency === undefined || lines.every((line) => line.currency === currency));
}

function totalOf(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.price_minor, 0);
}

async function readLines(tx: Kysely<Tables>, userId: string): Promise<Line[]> {
  const { rows } = await sql<Line>`
    select l.id, l.variant_id, v.product_id, p.title, v.title as variant_title, l.quantity, v.price_minor, p.currency,
           l.hold_expires_at <= now() as is_expired, l.order_id is not null as is_being_paid
      from cart_lines l join product_variants v on v.id = l.variant_id join products p on p.id = v.product_id
     where l.user_id = ${userId}::uuid order by l.created_at, l.id`.execute(tx);
  return rows;
}

async function writeOrder(
  tx: Kysely<Tables>,
  buyer: { readonly userId: string; readonly email: string | null },
  provider: string,
  lines: readonly Line[],
): Promise<string> {
  const currency = lines[0]?.currency ?? '';
  const total = totalOf(lines);
  const { id } = await tx
    .insertInto('orders')
    .values({ user_id: buyer.userId, total_minor: total, currency, email: buyer.email })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('order_lines')
    .values(
      lines.map((line, position) => ({
        order_id: id,
        position,
        product_id: line.product_id,
        variant_id: line.variant_id,
        title: line.title,
        variant_title: line.variant_title,
        quantity: line.quantity,
        unit_price_minor: line.price_minor,
      })),
    )
    .execute();
  await tx.insertInto('payments').values({ order_id: id, provider, amount_minor: total, currency }).execute();
  return id;
}

async function tieLines(tx: Kysely<Tables>, orderId: string, userId: string, lines: readonly Line[]): Promise<void> {
  await sql`
    update cart_lines
       set order_id = ${orderId}::uuid,
           hold_expires_at = case when hold_extended_at is not null then hold_expires_at
             else greatest(hold_expires_at, now() + make_interval(secs => ${PAYMENT_HOLD_SECONDS})) end,
           hold_extended_at = coalesce(hold_extended_at, now())
     where id = any(${lines.map(({ id }) => id)}::uuid[])`.execute(tx);
  await sql`update carts set version = version + 1 where user_id = ${userId}::uuid`.execute(tx);
}
