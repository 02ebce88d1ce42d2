import type { ProductCard } from '@showfloor/protocol';
import { describe, expect, test } from 'vitest';
import { editOfProduct, productPatchOf } from './product-edit.ts';

const S = '00000000-0000-4000-8000-000000000001';
const L = '00000000-0000-4000-8000-000000000002';
const mug: ProductCard = {
  id: '00000000-0000-4000-8000-000000000003',
  title: 'Stoneware mug',
  description: 'Sand glaze',
  imageUrl: '/demo/mug.webp',
  currency: 'EUR',
  variants: [
    { id: S, title: 'S', sku: 'MUG-S', priceMinor: 2_450, availableUnits: 3 },
    { id: L, title: 'L', sku: 'MUG-L', priceMinor: 2_900, availableUnits: 0 },
  ],
};
const edit = editOfProduct(mug);

describe('editing a product', () => {
  test('begins with what it is, prices as one types them', () => {
    expect(edit.prices).toEqual({ [S]: '24.50', [L]: '29.00' });
    expect(productPatchOf(edit, mug)).toBe('same');
    const yen = { ...mug, currency: 'JPY' };
    expect(editOfProduct(yen).prices[S]).toBe('2450');
    expect(productPatchOf(editOfProduct(yen), yen)).toBe('same');
  });

  test.each([
    ['a name', { title: 'Mug ' }, { title: 'Mug' }],
    ['no description', { description: ' ' }, { description: '' }],
    ['no picture', { imageUrl: '' }, { imageUrl: null }],
    ['one price', { prices: { [S]: '19', [L]: '29,00' } }, { variants: [{ id: S, priceMinor: 1_900 }] }],
  ])('%s: only that is sent', (_name, change, patch) => {
    expect(productPatchOf({ ...edit, ...change }, mug)).toEqual(patch);
  });

  test.each([
    ['no name', { title: ' ' }],
    ['a picture from nowhere', { imageUrl: 'http://example.com/a.png' }],
    ['no price', { prices: { [S]: '', [L]: '29' } }],
    ['a variant that came meanwhile', { prices: { [S]: '19' } }],
  ])('%s is not sent', (_name, change) => {
    expect(productPatchOf({ ...edit, ...change }, mug)).toBe('invalid');
  });
});
