import { type Kysely, sql } from 'kysely';
import type { Tables } from '../src/database/tables.ts';

/** Everything that must hold of stock, carts, orders and money at any moment. Empty when all is well. */
export async function brokenInvariants(db: Kysely<Tables>): Promise<unknown[]> {
  const { rows } = await sql`
    select 'counters do not add up' as what, variant_id::text as id from stock
     where on_hand <> available + held + sold or least(available, held, sold) < 0
    union all
    select 'ledger differs from counters', s.variant_id::text from stock s
      left join (select variant_id, sum(on_hand_delta) o, sum(available_delta) a, sum(held_delta) h, sum(sold_delta) x
                   from stock_ledger group by variant_id) l on l.variant_id = s.variant_id
     where (coalesce(l.o, 0), coalesce(l.a, 0), coalesce(l.h, 0), coalesce(l.x, 0))
        <> (s.on_hand, s.available, s.held, s.sold)
    union all
    select 'held differs from cart lines', s.variant_id::text from stock s
      left join (select variant_id, sum(quantity) q from cart_lines group by variant_id) c on c.variant_id = s.variant_id
     where coalesce(c.q, 0) <> s.held
    union all
    select 'sold differs from paid orders', s.variant_id::text from stock s
      left join (select variant_id, sum(quantity) q from order_lines l join orders o on o.id = l.order_id
                  where o.status = 'paid' group by variant_id) p on p.variant_id = s.variant_id
     where coalesce(p.q, 0) <> s.sold`.execute(db);
  return rows;
}

/** Charged at the provider, neither ordered nor refunded: must be empty once everything has been settled. */
export async function lostPayments(db: Kysely<Tables>): Promise<unknown[]> {
  const { rows } = await sql`
    select c.payment_id from test_provider.charges c
      left join payments p on p.id = c.payment_id left join orders o on o.id = p.order_id
     where (c.status = 'succeeded' and coalesce(o.status, '') <> 'paid')
        or (c.status = 'refunded' and coalesce(o.status, '') <> 'refunded')
        or (coalesce(c.status, '') <> 'succeeded' and o.status = 'paid')`.execute(db);
  return rows;
}
