import type { NewProduct } from '@showfloor/protocol';
import { parseMoney } from '../shop/money.ts';

/** A product as it is being typed: all text. */
export type ProductDraft = {
  readonly title: string;
  readonly description: string;
  readonly imageUrl: string;
  readonly currency: string;
  readonly variants: readonly VariantDraft[];
};

export type VariantDraft = {
  /** Identity of the row in the form. */
  readonly rowId: number;
  readonly title: string;
  readonly sku: string;
  readonly price: string;
  readonly units: string;
};

export const VARIANTS_MAX = 50;

export function emptyVariant(rowId: number): VariantDraft {
  return { rowId, title: '', sku: '', price: '', units: '' };
}

export function emptyDraft(currency: string): ProductDraft {
  return { title: '', description: '', imageUrl: '', currency, variants: [emptyVariant(1)] };
}

/**
 * The request for a draft, or null while something in it is missing or wrong. An unnamed single variant is called
 * `oneSize`; an empty SKU is made from the product's name.
 */
export function productOf(draft: ProductDraft, oneSize: string): NewProduct | null {
  const title = draft.title.trim();
  const imageUrl = draft.imageUrl.trim();
  if (title === '' || !isImageUrl(imageUrl)) return null;
  const variants: NewProduct['variants'] = [];
  for (const [index, variant] of draft.variants.entries()) {
    const priceMinor = parseMoney(variant.price, draft.currency);
    const onHandUnits = parseUnits(variant.units);
    const name = variant.title.trim() || (draft.variants.length === 1 ? oneSize : '');
    if (priceMinor === null || onHandUnits === null || name === '') return null;
    variants.push({ title: name, sku: variant.sku.trim() || madeSku(title, index), priceMinor, onHandUnits });
  }
  const description = draft.description.trim();
  return {
    title,
    ...(description === '' ? {} : { description }),
    ...(imageUrl === '' ? {} : { imageUrl }),
    currency: draft.currency,
    variants,
  };
}

/** Empty, a path of this shop, or https. */
export function isImageUrl(text: string): boolean {
  return text === '' || /^(\/|https:\/\/)/.test(text);
}

export function parseUnits(text: string): number | null {
  return /^\d{1,6}$/.test(text.trim()) ? Number(text) : null;
}

function madeSku(title: string, index: number): string {
  const stem = title
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .toUpperCase();
  return `${stem.slice(0, 40) || 'ITEM'}-${index + 1}`;
}
