import { type Kysely, sql } from 'kysely';
import { retryConflicts } from '../database/retry-conflicts.ts';
import type { PaymentStatus, Tables } from '../database/tables.ts';
import { ANNOUNCE_MOVED_STOCK } from '../outbox/stock-events.ts';

/**
 * Writes down a payment's outcome, once: later calls find it settled and change nothing. Charged: the held units become
 * sold; units whose hold ran out meanwhile are taken from the shelf again; if they are gone, the payment is due for refund.
 * Not charged: the lines go back to the cart, with the hold they had. Resolves with the payment's status after that.
 */
export function settlePayment(db: Kysely<Tables>, paymentId: string, isCharged: boolean): Promise<PaymentStatus> {
  return retryConflicts(() =>
    db.transaction().execute(async (tx) => {
      const order = await lockOrder(tx, paymentId);
      if (order.paymentStatus !== 'processing') return order.paymentStatus;
      if (!isCharged) return fail(tx, paymentId, order);
      const isComplete = await sell(tx, order);
      return isComplete ? succeed(tx, paymentId, order) : owe(tx, paymentId);
    }),
  );
}

type LockedOrder = { readonly orderId: string; readonly userId: string; readonly paymentStatus: PaymentStatus };

/** Cart before order before stock, as everywhere. */
async function lockOrder(tx: Kysely<Tables>, paymentId: string): Promise<LockedOrder> {
  await sql`
    select c.user_id from carts c
     where c.user_id = (select o.user_id from payments p join orders o on o.id = p.order_id
                         where p.id = ${paymentId}::uuid)
       for no key update`.execute(tx);
  const { rows } = await sql<LockedOrder>`
    select o.id as "orderId", o.user_id as "userId", p.status as "paymentStatus"
      from payments p join orders o on o.id = p.order_id
     where p.id = ${paymentId}::uuid for no key update`.execute(tx);
  const row = rows[0];
  if (row === undefined) throw new Error(`payment ${paymentId} does not exist`);
  return row;
}

/** True when every unit of the order is sold to it. False, and nothing changed, when some are gone. */
async function sell(tx: Kysely<Tables>, order: LockedOrder): Promise<boolean> {
  const { rows } = await sql<{ variant_id: string; missing: number; available: number }>`
    select s.variant_id, o.quantity - coalesce(l.quantity, 0) as missing, s.available
      from (select variant_id, sum(quantity)::int as quantity from order_lines
             where order_id = ${order.orderId}::uuid group by variant_id) o
      join stock s on s.variant_id = o.variant_id
      left join cart_lines l on l.variant_id = o.variant_id and l.user_id = ${order.userId}::uuid
                            and l.order_id = ${order.orderId}::uuid
     order by s.variant_id for no key update of s`.execute(tx);
  if (rows.some(({ missing, available }) => missing > available)) {
    await giveBack(tx, order);
    return false;
  }
  await sql`
    with gone as (
      delete from cart_lines where user_id = ${order.userId}::uuid and order_id = ${order.orderId}::uuid
      returning variant_id, quantity
    ),
    sale as (
      select o.variant_id, o.quantity, coalesce(g.quantity, 0) as from_hold
        from (select variant_id, sum(quantity)::int as quantity from order_lines
               where order_id = ${order.orderId}::uuid group by variant_id) o
        left join gone g on g.variant_id = o.variant_id
    ),
    moved as (
      update stock s
         set held = s.held - sale.from_hold, available = s.available - (sale.quantity - sale.from_hold),
             sold = s.sold + sale.quantity, version = s.version + 1
        from sale where s.variant_id = sale.variant_id
      returning s.variant_id, s.available, s.version
    ),
    bumped as (update carts set version = version + 1 where user_id = ${order.userId}::uuid),
    booked as (
      insert into stock_ledger (variant_id, kind, available_delta, held_delta, sold_delta, user_id, order_id)
      select variant_id, 'sell', from_hold - quantity, -from_hold, quantity, ${order.userId}::uuid,
             ${order.orderId}::uuid
        from sale
    )
    ${sql.raw(ANNOUNCE_MOVED_STOCK)}`.execute(tx);
  return true;
}

async function succeed(tx: Kysely<Tables>, paymentId: string, order: LockedOrder): Promise<PaymentStatus> {
  await tx.updateTable('payments').set({ status: 'succeeded' }).where('id', '=', paymentId).execute();
  await tx.updateTable('orders').set({ status: 'paid', paid_at: new Date() }).where('id', '=', order.orderId).execute();
  return 'succeeded';
}

async function owe(tx: Kysely<Tables>, paymentId: string): Promise<PaymentStatus> {
  await tx
    .updateTable('payments')
    .set({ status: 'refund_due', refund_due_at: new Date(), next_check_at: new Date() })
    .where('id', '=', paymentId)
    .execute();
  return 'refund_due';
}

async function fail(tx: Kysely<Tables>, paymentId: string, order: LockedOrder): Promise<PaymentStatus> {
  await tx.updateTable('payments').set({ status: 'failed' }).where('id', '=', paymentId).execute();
  await tx.updateTable('orders').set({ status: 'payment_failed' }).where('id', '=', order.orderId).execute();
  await giveBack(tx, order);
  return 'failed';
}

/** The order's lines are the cart's own again. */
async function giveBack(tx: Kysely<Tables>, order: LockedOrder): Promise<void> {
  await tx
    .updateTable('cart_lines')
    .set({ order_id: null })
    .where('user_id', '=', order.userId)
    .where('order_id', '=', order.orderId)
    .execute();
  await sql`update carts set version = version + 1 where user_id = ${order.userId}::uuid`.execute(tx);
}

/** The money has gone back. */
export function recordRefund(db: Kysely<Tables>, paymentId: string): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const { orderId, paymentStatus } = await lockOrder(tx, paymentId);
    if (paymentStatus !== 'refund_due') return;
    await tx.updateTable('payments').set({ status: 'refunded' }).where('id', '=', paymentId).execute();
    await tx.updateTable('orders').set({ status: 'refunded' }).where('id', '=', orderId).execute();
  });
}
