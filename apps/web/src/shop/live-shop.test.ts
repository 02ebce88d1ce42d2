import type { ProductCard, ShowDetail } from '@showfloor/protocol';
import { describe, expect, test } from 'vitest';
import { SHOP_EVENTS_MAX, ShopEventLog, shopAfter } from './live-shop.ts';

function product(id: string, availableUnits = 5): ProductCard {
  return {
    id,
    title: id,
    description: '',
    imageUrl: null,
    currency: 'EUR',
    variants: [{ id: `${id}-v`, title: 'One size', sku: id, priceMinor: 1_000, availableUnits }],
  };
}

function detail(...products: readonly ProductCard[]): ShowDetail {
  return {
    show: {
      id: 's',
      playbackId: 'demo',
      title: 'Demo',
      description: '',
      status: 'live',
      sellerName: 'Ana',
      posterUrl: null,
      scheduledAtMs: null,
      startedAtMs: null,
    },
    products: [...products],
    featured: null,
  };
}

function stockEvent(availableUnits: number, stockVersion: number) {
  return { type: 'stock', productId: 'mug', variantId: 'mug-v', availableUnits, stockVersion } as const;
}

describe('the running shop', () => {
  test('a pin features the product and lists it', () => {
    const after = shopAfter(detail(), { type: 'pinned', product: product('mug'), pinnedAtMs: 7 });
    expect(after.featured).toEqual({ product: product('mug'), pinnedAtMs: 7 });
    expect(after.products).toEqual([product('mug')]);
  });

  test('stock and sold-out reach list and pinned card at once', () => {
    const pinned = shopAfter(detail(product('mug')), { type: 'pinned', product: product('mug'), pinnedAtMs: 7 });
    const after = shopAfter(pinned, { type: 'sold-out', productId: 'mug', variantId: 'mug-v' });
    expect(after.products[0]?.variants[0]?.availableUnits).toBe(0);
    expect(after.featured?.product.variants[0]?.availableUnits).toBe(0);
  });

  test('unpinning another product changes nothing', () => {
    const pinned = shopAfter(detail(product('mug')), { type: 'pinned', product: product('mug'), pinnedAtMs: 7 });
    expect(shopAfter(pinned, { type: 'unpinned', productId: 'bag', atMs: 8 })).toBe(pinned);
    expect(shopAfter(pinned, { type: 'unpinned', productId: 'mug', atMs: 8 }).featured).toBeNull();
  });

  test('a deleted product leaves list and pinned card', () => {
    const pinned = shopAfter(detail(product('mug')), { type: 'pinned', product: product('mug'), pinnedAtMs: 7 });
    expect(shopAfter(pinned, { type: 'deleted', productId: 'mug' })).toMatchObject({ products: [], featured: null });
  });
});

describe('event log', () => {
  test('a late stock event is left', () => {
    const log = new ShopEventLog();
    expect(log.note(stockEvent(3, 10), 0)).toBe(true);
    expect(log.note(stockEvent(4, 9), 1)).toBe(false);
    expect(log.note(stockEvent(3, 10), 2)).toBe(false);
  });

  test('an answer asked for before an event does not undo it', () => {
    const log = new ShopEventLog();
    log.note(stockEvent(9, 1), 100);
    log.note(stockEvent(2, 2), 300);
    const caughtUp = log.catchUp(detail(product('mug', 5)), 200);
    expect(caughtUp.products[0]?.variants[0]?.availableUnits).toBe(2);
    expect(log.catchUp(detail(product('mug', 5)), 400).products[0]?.variants[0]?.availableUnits).toBe(5);
  });

  test('keeps a bounded number of events, the newest', () => {
    const log = new ShopEventLog();
    for (let version = 0; version < SHOP_EVENTS_MAX * 2; version += 1) log.note(stockEvent(version, version), version);
    const caughtUp = log.catchUp(detail(product('mug')), 0);
    expect(caughtUp.products[0]?.variants[0]?.availableUnits).toBe(SHOP_EVENTS_MAX * 2 - 1);
  });
});
