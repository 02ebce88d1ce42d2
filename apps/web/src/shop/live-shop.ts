import type { FeaturedProduct, ProductCard, ShowDetail } from '@showfloor/protocol';

/** Changes of a running shop as the realtime plane tells them. */
export type ShopEvent =
  | { readonly type: 'pinned'; readonly product: ProductCard; readonly pinnedAtMs: number }
  | { readonly type: 'unpinned'; readonly productId: string; readonly atMs: number }
  | { readonly type: 'upserted'; readonly product: ProductCard }
  | { readonly type: 'deleted'; readonly productId: string }
  | {
      readonly type: 'stock';
      readonly productId: string;
      readonly variantId: string;
      readonly availableUnits: number;
      readonly stockVersion: number;
    }
  | { readonly type: 'sold-out'; readonly productId: string; readonly variantId: string };

/** The show after one event. Pure. */
export function shopAfter(detail: ShowDetail, event: ShopEvent): ShowDetail {
  switch (event.type) {
    case 'pinned':
      return {
        ...withProduct(detail, event.product),
        featured: { product: event.product, pinnedAtMs: event.pinnedAtMs },
      };
    case 'unpinned':
      return detail.featured?.product.id === event.productId ? { ...detail, featured: null } : detail;
    case 'upserted':
      return withProduct(detail, event.product);
    case 'deleted':
      return {
        ...detail,
        products: detail.products.filter(({ id }) => id !== event.productId),
        featured: detail.featured?.product.id === event.productId ? null : detail.featured,
      };
    case 'stock':
      return withStock(detail, event.productId, event.variantId, event.availableUnits);
    case 'sold-out':
      return withStock(detail, event.productId, event.variantId, 0);
  }
}

function withProduct(detail: ShowDetail, product: ProductCard): ShowDetail {
  const isListed = detail.products.some(({ id }) => id === product.id);
  return {
    ...detail,
    products: isListed
      ? detail.products.map((each) => (each.id === product.id ? product : each))
      : [...detail.products, product],
    featured: changeFeatured(detail.featured, product.id, () => product),
  };
}

function withStock(detail: ShowDetail, productId: string, variantId: string, availableUnits: number): ShowDetail {
  const change = (product: ProductCard): ProductCard => ({
    ...product,
    variants: product.variants.map((variant) => (variant.id === variantId ? { ...variant, availableUnits } : variant)),
  });
  return {
    ...detail,
    products: detail.products.map((product) => (product.id === productId ? change(product) : product)),
    featured: changeFeatured(detail.featured, productId, change),
  };
}

function changeFeatured(
  featured: FeaturedProduct | null,
  productId: string,
  change: (product: ProductCard) => ProductCard,
): FeaturedProduct | null {
  return featured?.product.id === productId ? { ...featured, product: change(featured.product) } : featured;
}

/**
 * Events of the last moments, so that an answer of `GET` that was on its way while they came does not undo them; and the
 * newest stock version of each variant, so that a late event does not either.
 */
export class ShopEventLog {
  #recent: { readonly event: ShopEvent; readonly atMs: number }[] = [];
  readonly #stockVersions = new Map<string, number>();

  /** Notes an event; false: it is older than what is known, leave it. `atMs` is the page clock. */
  note(event: ShopEvent, atMs: number): boolean {
    if (event.type === 'stock') {
      if (event.stockVersion <= (this.#stockVersions.get(event.variantId) ?? -1)) return false;
      this.#stockVersions.set(event.variantId, event.stockVersion);
    }
    this.#recent.push({ event, atMs });
    if (this.#recent.length > SHOP_EVENTS_MAX) this.#recent.shift();
    return true;
  }

  /** A fresh answer, with everything that happened since it was asked for. */
  catchUp(detail: ShowDetail, askedAtMs: number): ShowDetail {
    return this.#recent
      .filter(({ atMs }) => atMs >= askedAtMs)
      .reduce((each, { event }) => shopAfter(each, event), detail);
  }
}

/** Events kept for catching up; the oldest goes first. Far more than come in during one request. */
export const SHOP_EVENTS_MAX = 256;
