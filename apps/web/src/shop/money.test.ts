import { describe, expect, test } from 'vitest';
import { formatMoney, parseMoney } from './money.ts';

describe('money', () => {
  test('is shown in the digits of its currency', () => {
    expect(formatMoney(2_450, 'EUR', 'en-IE')).toBe('€24.50');
    expect(formatMoney(2_450, 'JPY', 'en-US')).toBe('¥2,450');
    expect(formatMoney(2_450, 'KWD', 'en-US').replace(/\s/u, ' ')).toBe('KWD 2.450');
    expect(formatMoney(0, 'USD', 'en-US')).toBe('$0.00');
  });

  test.each([
    ['24.50', 'EUR', 2_450],
    ['24,5', 'EUR', 2_450],
    [' 24 ', 'EUR', 2_400],
    ['1200', 'JPY', 1_200],
    ['0.1', 'EUR', 10],
    ['24.505', 'EUR', null],
    ['12.5', 'JPY', null],
    ['-1', 'EUR', null],
    ['1e3', 'EUR', null],
    ['', 'EUR', null],
  ])('typed %j in %s is %j', (text, currency, minor) => {
    expect(parseMoney(text, currency)).toBe(minor);
  });
});
