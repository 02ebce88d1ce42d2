import { expect, test } from 'vitest';
import { StockCheck } from './stock-check.ts';

const sold = (variant: string, units: number) => ({ [`shop_units_sold_total{group=g,variant=${variant}}`]: units });

test('units count as checked only where the stock before the run is known', () => {
  const check = new StockCheck(new Map([['mug', 3]]));
  expect(check.add({ ...sold('mug', 2), ...sold('lamp', 9), orders_paid_total: 11 })).toEqual({
    checked: 2,
    oversold: 0,
  });
  expect(check.add(sold('mug', 3))).toEqual({ checked: 3, oversold: 2 });
  expect(new StockCheck(new Map()).add(sold('mug', 5))).toEqual({ checked: 0, oversold: 0 });
});
