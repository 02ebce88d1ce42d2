import type { Cart, CartLine } from '@showfloor/protocol';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

type Row = Omit<CartLine, 'holdExpiresAtMs'> & { readonly holdExpiresAt: Date; readonly now: Date };

/**
 * The buyer's cart, at prices of now, by PostgreSQL's clock. A line whose hold has run out is gone from here the moment
 * it does, swept or not.
 */
export async function readCart(db: Kysely<Tables>, userId: string): Promise<Cart> {
  const { rows } = await sql<Row>`
    select l.id, v.product_id as "productId", l.variant_id as "variantId", p.title, v.title as "variantTitle",
           p.image_url as "imageUrl", l.playback_id as "playbackId", l.quantity, v.price_minor as "unitPriceMinor",
           p.currency, l.hold_expires_at as "holdExpiresAt", now() as now
      from cart_lines l
      join product_variants v on v.id = l.variant_id
      join products p on p.id = v.product_id
     where l.user_id = ${userId} and l.hold_expires_at > now()
     order by l.created_at, l.id`.execute(db);
  const lines = rows.map(({ holdExpiresAt, now: _now, ...line }) => ({
    ...line,
    holdExpiresAtMs: holdExpiresAt.getTime(),
  }));
  return {
    lines,
    totalMinor: lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0),
    currency: lines[0]?.currency ?? null,
    serverNowMs: rows[0]?.now.getTime() ?? Date.now(),
  };
}

/** True while one of the buyer's lines is being paid for. */
export async function isBeingPaid(db: Kysely<Tables>, userId: string, lineId: string): Promise<boolean> {
  const line = await db
    .selectFrom('cart_lines')
    .select('order_id')
    .where('id', '=', lineId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return line !== undefined && line.order_id !== null;
}
