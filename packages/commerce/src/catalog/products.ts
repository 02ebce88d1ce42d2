import type { NewProduct, ProductCard, ProductPatch } from '@showfloor/protocol';
import { assert } from '@showfloor/service-kit';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { appendEvent, type OutgoingEvent } from '../outbox/append.ts';
import { productCard } from './product-cards.ts';

/** Creates a product, its variants and their stock. Call it in a transaction. Throws 23505 on a SKU given twice. */
export async function createProduct(
  tx: Kysely<Tables>,
  sellerId: string,
  input: NewProduct,
  id?: string,
): Promise<ProductCard> {
  const product = await tx
    .insertInto('products')
    .values({
      ...(id === undefined ? {} : { id }),
      seller_id: sellerId,
      title: input.title,
      description: input.description ?? '',
      image_url: input.imageUrl ?? null,
      currency: input.currency,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const [position, variant] of input.variants.entries()) {
    const { id: variantId } = await tx
      .insertInto('product_variants')
      .values({
        product_id: product.id,
        title: variant.title,
        sku: variant.sku,
        price_minor: variant.priceMinor,
        position,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const units = variant.onHandUnits;
    await tx.insertInto('stock').values({ variant_id: variantId, on_hand: units, available: units }).execute();
    await tx
      .insertInto('stock_ledger')
      .values({ variant_id: variantId, kind: 'receive', on_hand_delta: units, available_delta: units })
      .execute();
  }
  return cardOf(tx, product.id);
}

/** Changes a seller's product and tells the shows that list it. Null when it is not this seller's. Throws {@link UnknownVariant}. */
export function updateProduct(
  db: Kysely<Tables>,
  sellerId: string,
  productId: string,
  patch: ProductPatch,
): Promise<ProductCard | null> {
  return db.transaction().execute(async (tx) => {
    const found = await tx
      .updateTable('products')
      .set({
        updated_at: new Date(),
        ...(patch.title === undefined ? {} : { title: patch.title }),
        ...(patch.description === undefined ? {} : { description: patch.description }),
        ...(patch.imageUrl === undefined ? {} : { image_url: patch.imageUrl }),
      })
      .where('id', '=', productId)
      .where('seller_id', '=', sellerId)
      .returning('id')
      .executeTakeFirst();
    if (found === undefined) return null;
    for (const { id, priceMinor } of patch.variants ?? []) {
      const { numUpdatedRows } = await tx
        .updateTable('product_variants')
        .set({ price_minor: priceMinor })
        .where('id', '=', id)
        .where('product_id', '=', productId)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new UnknownVariant();
    }
    const product = await cardOf(tx, productId);
    await tellShows(tx, productId, (playbackId) => ({
      type: 'product.updated',
      playbackId,
      atMs: Date.now(),
      data: { product },
    }));
    return product;
  });
}

/** A patch names a variant that the product does not have: nothing is changed. */
export class UnknownVariant extends Error {
  override readonly name = 'UnknownVariant';
}

async function cardOf(tx: Kysely<Tables>, productId: string): Promise<ProductCard> {
  const card = await productCard(tx, productId);
  assert(card !== null, 'a product that was just written is not there');
  return card;
}

async function tellShows(
  tx: Kysely<Tables>,
  productId: string,
  eventFor: (playbackId: string) => OutgoingEvent,
): Promise<void> {
  const { rows } = await sql<{ playbackId: string }>`
    select s.playback_id as "playbackId" from show_products sp join shows s on s.id = sp.show_id
     where sp.product_id = ${productId}::uuid and s.status in ('scheduled', 'ready', 'live', 'interrupted')`.execute(
    tx,
  );
  for (const { playbackId } of rows) await appendEvent(tx, eventFor(playbackId));
}
