import type { ProductCard } from '@showfloor/protocol';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

type Row = Omit<ProductCard, 'variants'> & { readonly variants: ProductCard['variants'] };

function cards(db: Kysely<Tables>, from: RawBuilder<unknown>, order: RawBuilder<unknown>): Promise<ProductCard[]> {
  return sql<Row>`
    select p.id, p.title, p.description, p.image_url as "imageUrl", p.currency,
           (select coalesce(jsonb_agg(jsonb_build_object(
                'id', v.id, 'title', v.title, 'sku', v.sku, 'priceMinor', v.price_minor,
                'availableUnits', s.available) order by v.position), '[]')
              from product_variants v join stock s on s.variant_id = v.id
             where v.product_id = p.id) as variants
      from ${from}
     order by ${order}`
    .execute(db)
    .then(({ rows }) => rows);
}

/** Products of a show, in the order they were added. */
export function productsOfShow(db: Kysely<Tables>, showId: string): Promise<ProductCard[]> {
  const from = sql`show_products sp join products p on p.id = sp.product_id and sp.show_id = ${showId}::uuid`;
  return cards(db, from, sql`sp.added_at, p.id`);
}

/** A seller's products, newest first. */
export function productsOfSeller(db: Kysely<Tables>, sellerId: string): Promise<ProductCard[]> {
  const from = sql`(select * from products where seller_id = ${sellerId}::uuid
                    order by created_at desc limit 500) p`;
  return cards(db, from, sql`p.created_at desc, p.id`);
}

export async function productCard(db: Kysely<Tables>, productId: string): Promise<ProductCard | null> {
  const from = sql`(select * from products where id = ${productId}::uuid) p`;
  return (await cards(db, from, sql`p.id`))[0] ?? null;
}
