import type { ProductCard, ProductPatch } from '@showfloor/protocol';
import { parseMoney } from '../shop/money.ts';
import { isImageUrl } from './product-draft.ts';

/** What can be changed of a product, as it is being typed. Variants keep their names; stock has its own form. */
export type ProductEdit = {
  readonly title: string;
  readonly description: string;
  readonly imageUrl: string;
  /** By variant id. */
  readonly prices: Readonly<Record<string, string>>;
};

export function editOfProduct({ title, description, imageUrl, currency, variants }: ProductCard): ProductEdit {
  const prices = Object.fromEntries(variants.map(({ id, priceMinor }) => [id, priceText(priceMinor, currency)]));
  return { title, description, imageUrl: imageUrl ?? '', prices };
}

/** `invalid`: something is missing or wrong; `same`: nothing is changed. */
export function productPatchOf(edit: ProductEdit, product: ProductCard): ProductPatch | 'invalid' | 'same' {
  const [title, description, imageUrl] = [edit.title.trim(), edit.description.trim(), edit.imageUrl.trim()];
  if (title === '' || !isImageUrl(imageUrl)) return 'invalid';
  const variants: { id: string; priceMinor: number }[] = [];
  for (const { id, priceMinor: before } of product.variants) {
    const priceMinor = parseMoney(edit.prices[id] ?? '', product.currency);
    if (priceMinor === null) return 'invalid';
    if (priceMinor !== before) variants.push({ id, priceMinor });
  }
  const patch: ProductPatch = {
    ...(title === product.title ? {} : { title }),
    ...(description === product.description ? {} : { description }),
    ...(imageUrl === (product.imageUrl ?? '') ? {} : { imageUrl: imageUrl === '' ? null : imageUrl }),
    ...(variants.length === 0 ? {} : { variants }),
  };
  return Object.keys(patch).length === 0 ? 'same' : patch;
}

/** A price as the seller would type it: 2450 EUR is `24.50`. */
function priceText(priceMinor: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return (priceMinor / 10 ** digits).toFixed(digits);
}
