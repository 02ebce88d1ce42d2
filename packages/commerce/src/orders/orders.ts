import type { Order } from '@showfloor/protocol';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

type Row = Omit<Order, 'number' | 'createdAtMs' | 'paidAtMs'> & {
  readonly number: number;
  readonly createdAt: Date;
  readonly paidAt: Date | null;
};
const LIST_MAX = 100;

async function select(db: Kysely<Tables>, where: RawBuilder<unknown>): Promise<Order[]> {
  const { rows } = await sql<Row>`
    select o.id, o.number, o.status, o.total_minor as "totalMinor", o.currency, o.email,
           o.created_at as "createdAt", o.paid_at as "paidAt",
           (select jsonb_agg(jsonb_build_object(
                'productId', l.product_id, 'variantId', l.variant_id, 'title', l.title,
                'variantTitle', l.variant_title, 'quantity', l.quantity,
                'unitPriceMinor', l.unit_price_minor) order by l.position)
              from order_lines l where l.order_id = o.id) as lines
      from orders o where ${where} order by o.created_at desc, o.number desc limit ${LIST_MAX}`.execute(db);
  return rows.map(({ number, createdAt, paidAt, ...row }) => ({
    ...row,
    number: `SF-${String(number).padStart(6, '0')}`,
    createdAtMs: createdAt.getTime(),
    paidAtMs: paidAt?.getTime() ?? null,
  }));
}

/** The user's orders, newest first. */
export function ordersOf(db: Kysely<Tables>, userId: string): Promise<Order[]> {
  return select(db, sql`o.user_id = ${userId}::uuid`);
}

/** One order; null when it is not this user's. */
export async function orderOf(db: Kysely<Tables>, userId: string, orderId: string): Promise<Order | null> {
  return (await select(db, sql`o.id = ${orderId}::uuid and o.user_id = ${userId}::uuid`))[0] ?? null;
}
