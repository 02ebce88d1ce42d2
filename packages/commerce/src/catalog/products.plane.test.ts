import type { NewProduct, ProductCard, ShowSummary } from '@showfloor/protocol';
import { LIVE_EVENT_BYTES_MAX } from '@showfloor/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenInvariants } from '../../test-postgres/stock-invariants.ts';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';

let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
});
afterAll(() => shop?.close());

const MUG: NewProduct = {
  title: 'Mug',
  description: 'Round.',
  imageUrl: '/demo/mug.webp',
  currency: 'EUR',
  variants: [
    { title: 'Sand', sku: 'S', priceMinor: 100, onHandUnits: 3 },
    { title: 'Slate', sku: 'L', priceMinor: 200, onHandUnits: 0 },
  ],
};

test('a product is created with its variants in order, listed, and changed', async () => {
  const { status, body } = await create(MUG);
  expect(status).toBe(201);
  expect(body.variants.map(({ title, priceMinor, availableUnits }) => [title, priceMinor, availableUnits])).toEqual([
    ['Sand', 100, 3],
    ['Slate', 200, 0],
  ]);
  const variant = body.variants[1]?.id ?? '';
  const changed = await patch(body.id, { title: 'Cup', variants: [{ id: variant, priceMinor: 250 }] });
  expect(changed.body).toMatchObject({
    title: 'Cup',
    description: 'Round.',
    variants: [{ priceMinor: 100 }, { priceMinor: 250 }],
  });
  const list = await seller.send<{ products: ProductCard[] }>('GET', '/api/seller/products');
  expect(list.body.products).toContainEqual(changed.body);
});

test('what is not the seller’s, or not the product’s, is not found and not changed', async () => {
  const [mine, other] = [(await create(MUG)).body, (await create(MUG)).body];
  const stranger = await shop.seller();
  expect((await stranger.send('PATCH', `/api/products/${mine.id}`, { title: 'Mine' })).status).toBe(404);
  const foreign = { id: other.variants[0]?.id ?? '', priceMinor: 1 };
  expect((await patch(mine.id, { title: 'Half', variants: [foreign] })).status).toBe(404);
  const list = await seller.send<{ products: ProductCard[] }>('GET', '/api/seller/products');
  expect(list.body.products).toEqual(expect.arrayContaining([mine, other]));
});

test('a SKU given twice, a script for an image and a negative price are refused', async () => {
  const twice = await create({ ...MUG, variants: [...MUG.variants, ...MUG.variants] });
  expect(twice.status).toBe(409);
  expect((await create({ ...MUG, imageUrl: 'javascript:alert(1)' })).status).toBe(400);
  expect((await create({ ...MUG, variants: [{ title: 'x', sku: 'x', priceMinor: -1, onHandUnits: 1 }] })).status).toBe(
    400,
  );
});

test('stock arrives and leaves, never below what buyers hold', async () => {
  const { body } = await create(MUG);
  const variantId = body.variants[0]?.id ?? '';
  const adjust = (deltaUnits: number) =>
    seller.send<ProductCard & { reason: string; availableUnits: number }>('POST', `/api/products/${body.id}/stock`, {
      variantId,
      deltaUnits,
      note: 'counted',
    });
  expect((await adjust(4)).body.variants[0]?.availableUnits).toBe(7);
  await (await shop.guest()).hold(variantId, 5);
  const refused = await adjust(-3);
  expect([refused.status, refused.body.reason, refused.body.availableUnits]).toEqual([409, 'insufficient_stock', 2]);
  expect((await adjust(-2)).body.variants[0]?.availableUnits).toBe(0);
  expect(await brokenInvariants(shop.database.kysely)).toEqual([]);
});

test('an event about a product with very long texts still fits: it goes without the description', async () => {
  const show: ShowSummary = await seller.show();
  const long = { ...MUG, description: '🦉'.repeat(3_500), title: 'T'.repeat(120) };
  const variants = Array.from({ length: 50 }, (_, n) => ({ ...MUG.variants[0], title: 'V'.repeat(60), sku: `${n}` }));
  const { body } = await create({ ...long, variants: variants as NewProduct['variants'] });
  await seller.send('POST', `/api/shows/${show.id}/products`, { productId: body.id });
  const { payload } = await shop.database.kysely
    .selectFrom('outbox')
    .select('payload')
    .where('topic', '=', show.playbackId)
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(LIVE_EVENT_BYTES_MAX);
  expect([payload.type, (payload.data as { product: ProductCard }).product.description]).toEqual(['product.added', '']);
});

function create(product: NewProduct) {
  return seller.send<ProductCard>('POST', '/api/products', product);
}

function patch(id: string, body: unknown) {
  return seller.send<ProductCard>('PATCH', `/api/products/${id}`, body);
}
