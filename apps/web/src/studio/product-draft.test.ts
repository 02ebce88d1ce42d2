import { describe, expect, test } from 'vitest';
import { emptyDraft, emptyVariant, type ProductDraft, productOf } from './product-draft.ts';

const mug: ProductDraft = {
  ...emptyDraft('EUR'),
  title: 'Stoneware mug',
  variants: [{ ...emptyVariant(1), price: '24.50', units: '12' }],
};

describe('product draft', () => {
  test('a single unnamed variant is one size, its SKU is made', () => {
    expect(productOf(mug, 'One size')).toEqual({
      title: 'Stoneware mug',
      currency: 'EUR',
      variants: [{ title: 'One size', sku: 'STONEWARE-MUG-1', priceMinor: 2_450, onHandUnits: 12 }],
    });
  });

  test('several variants need their names', () => {
    const two = { ...mug, variants: [...mug.variants, { ...emptyVariant(2), title: 'L', price: '1', units: '1' }] };
    expect(productOf(two, 'One size')).toBeNull();
  });

  test.each([
    ['no name', { title: ' ' }],
    ['a picture from nowhere', { imageUrl: 'http://example.com/a.png' }],
    ['no price', { variants: [{ ...emptyVariant(1), units: '1' }] }],
    ['half a unit', { variants: [{ ...emptyVariant(1), price: '1', units: '1.5' }] }],
  ])('%s is not sent', (_name, change) => {
    expect(productOf({ ...mug, ...change }, 'One size')).toBeNull();
  });
});
