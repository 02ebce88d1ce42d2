import type { NewProduct, ShowStatus } from '@showfloor/protocol';
import { type Kysely, sql } from 'kysely';
import { removeOneTimeLinks, storeOneTimeLink } from '../accounts/one-time-links.ts';
import { findUser, insertUser } from '../accounts/users.ts';
import { createProduct } from '../catalog/products.ts';
import type { Tables } from '../database/tables.ts';
import { DEMO_SHOW_ID } from '../shows/demo-show.ts';
import { isStreamKey, storeStreamKey } from '../shows/stream-keys.ts';
import { adjustStock } from '../stock/adjust-stock.ts';

export type DemoSecrets = { readonly streamSecret: string; readonly signInToken: string };

const LINK_PURPOSE = 'demo';
const LINK_SECONDS = 86_400;
/** Who sells in the demo show. */
export const DEMO_SELLER_ID = 'd0000000-0000-4000-8000-000000000001';
const DEMO = {
  sellerId: DEMO_SELLER_ID,
  showId: DEMO_SHOW_ID,
  playbackId: 'demo',
} as const;

const PRODUCTS: readonly { readonly id: string; readonly product: NewProduct }[] = [
  {
    id: 'd0000000-0000-4000-8000-000000000011',
    product: {
      title: 'Stoneware mug',
      description: 'Thrown by hand, 350 ml, glazed inside and raw outside.',
      imageUrl: '/demo/mug.webp',
      currency: 'EUR',
      variants: [
        { title: 'Sand', sku: 'MUG-SAND', priceMinor: 2400, onHandUnits: 400 },
        { title: 'Slate', sku: 'MUG-SLATE', priceMinor: 2400, onHandUnits: 400 },
      ],
    },
  },
  {
    id: 'd0000000-0000-4000-8000-000000000012',
    product: {
      title: 'Linen tote bag',
      description: 'Washed linen with an inside pocket; carries a week of vegetables.',
      imageUrl: '/demo/tote.webp',
      currency: 'EUR',
      variants: [{ title: 'Natural', sku: 'TOTE-NATURAL', priceMinor: 3200, onHandUnits: 1000 }],
    },
  },
  {
    id: 'd0000000-0000-4000-8000-000000000013',
    product: {
      title: 'Walnut desk lamp',
      description: 'Oiled walnut, brass joint, warm LED that dims.',
      imageUrl: '/demo/lamp.webp',
      currency: 'EUR',
      variants: [{ title: 'One size', sku: 'LAMP-WALNUT', priceMinor: 14900, onHandUnits: 25 }],
    },
  },
];

/**
 * Puts the demo seller, show and products in place, with this start's secrets (only their hashes are kept). What exists
 * stays as it is, except: sold stock is replenished, and a demo show that is over is scheduled again.
 */
export async function seedDemo(db: Kysely<Tables>, secrets: DemoSecrets): Promise<void> {
  const stored = await db
    .selectFrom('shows')
    .select('stream_key_hash')
    .where('id', '=', DEMO.showId)
    .executeTakeFirst();
  if (stored === undefined) await createDemo(db);
  // A new key means a new start of the whole floor: whatever was on air then is over, however it ended.
  const isNewStart = !isStreamKey(secrets.streamSecret, stored?.stream_key_hash ?? null);
  const over: ShowStatus[] = isNewStart ? ['ended', 'cancelled', 'interrupted', 'live'] : ['ended', 'cancelled'];
  await db
    .updateTable('shows')
    .set({
      status: 'scheduled',
      started_at: null,
      ended_at: null,
      interrupted_at: null,
      grace_ends_at: null,
      session_id: null,
      last_stream_event_at: null,
    })
    .where('id', '=', DEMO.showId)
    .where('status', 'in', over)
    .execute();
  await replenish(db);
  await storeStreamKey(db, DEMO.showId, secrets.streamSecret);
  await storeOneTimeLink(db, {
    token: secrets.signInToken,
    userId: DEMO.sellerId,
    purpose: LINK_PURPOSE,
    lifeSeconds: LINK_SECONDS,
  });
}

/** Without the demo its secrets open nothing. */
export async function closeDemo(db: Kysely<Tables>): Promise<void> {
  await removeOneTimeLinks(db, DEMO.sellerId, LINK_PURPOSE);
  await db.updateTable('shows').set({ stream_key_hash: null }).where('id', '=', DEMO.showId).execute();
}

async function createDemo(db: Kysely<Tables>): Promise<void> {
  if ((await findUser(db, DEMO.sellerId)) === null) {
    await insertUser(db, {
      id: DEMO.sellerId,
      display_name: 'Atelier Nord',
      role: 'seller',
      email: null,
      password_hash: null,
    });
  }
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('shows')
      .values({
        id: DEMO.showId,
        seller_id: DEMO.sellerId,
        playback_id: DEMO.playbackId,
        title: 'Things for a calm desk',
        description: 'The demo show: a mug, a bag and a lamp, live around the clock.',
        poster_url: '/demo/poster.webp',
      })
      .execute();
    for (const { id, product } of PRODUCTS) {
      await createProduct(tx, DEMO.sellerId, product, id);
      await tx.insertInto('show_products').values({ show_id: DEMO.showId, product_id: id }).execute();
    }
    await tx
      .updateTable('shows')
      .set({ featured_product_id: PRODUCTS[0]?.id ?? null, pinned_at: new Date() })
      .where('id', '=', DEMO.showId)
      .execute();
  });
}

/** Brings every demo variant back to the units it started with. */
async function replenish(db: Kysely<Tables>): Promise<void> {
  for (const { id, product } of PRODUCTS) {
    for (const { sku, onHandUnits } of product.variants) {
      await db.transaction().execute(async (tx) => {
        const { rows } = await sql<{ id: string; available: number }>`
          select v.id, s.available from product_variants v join stock s on s.variant_id = v.id
           where v.product_id = ${id}::uuid and v.sku = ${sku}`.execute(tx);
        const row = rows[0];
        if (row === undefined || row.available >= onHandUnits) return;
        const deltaUnits = onHandUnits - row.available;
        await adjustStock(tx, id, { variantId: row.id, deltaUnits, note: 'demo replenished' });
      });
    }
  }
}
