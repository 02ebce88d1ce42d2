import { describe, expect, test } from 'vitest';
import { beginAttempt, checkoutOf, isSettled, pendingAttempt, settleAttempt } from './checkout-attempt.ts';

function tabStorage(): Map<string, string> & Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const map = new Map<string, string>();
  return Object.assign(map, {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  });
}

function keys(): () => string {
  let made = 0;
  return () => {
    made += 1;
    return `key-${made}`;
  };
}

const body = { payment: { provider: 'test', card: '4242 4242 4242 4242' } } as const;

describe('checkout attempt', () => {
  test('a retry after a dead line asks under the same key', () => {
    const storage = tabStorage();
    const newKey = keys();
    expect(beginAttempt(storage, body, newKey).key).toBe('key-1');
    expect(beginAttempt(storage, body, newKey).key).toBe('key-1');
  });

  test('a reload finds the attempt, key and body', () => {
    const storage = tabStorage();
    beginAttempt(storage, body, keys());
    expect(pendingAttempt(storage)).toEqual({ key: 'key-1', body, isSent: true });
  });

  test('a changed form does not overtake a purchase whose outcome is unknown', () => {
    const storage = tabStorage();
    const newKey = keys();
    beginAttempt(storage, body, newKey);
    const other = { ...body, email: 'ana@example.com' };
    expect(beginAttempt(storage, other, newKey)).toMatchObject({ key: 'key-1', body });
  });

  test('after a settled attempt the next one has a new key', () => {
    const storage = tabStorage();
    const newKey = keys();
    beginAttempt(storage, body, newKey);
    settleAttempt(storage);
    expect(pendingAttempt(storage)).toBeNull();
    expect(beginAttempt(storage, body, newKey).key).toBe('key-2');
  });

  test('the button’s amount goes along, and a changed total is another purchase', () => {
    const storage = tabStorage();
    const newKey = keys();
    const form = { email: ' ', card: ' 4242 4242 4242 4242 ' };
    const first = checkoutOf({ totalMinor: 1000, currency: 'EUR' }, form);
    expect(first).toEqual({ ...body, expectedTotalMinor: 1000, currency: 'EUR' });
    beginAttempt(storage, first, newKey);
    if (isSettled(409, 'cart_changed')) settleAttempt(storage);
    const confirmed = checkoutOf({ totalMinor: 2500, currency: 'EUR' }, { ...form, email: 'ana@example.com' });
    expect(beginAttempt(storage, confirmed, newKey)).toMatchObject({ key: 'key-2', body: confirmed });
  });

  test('leftovers that cannot be read are dropped', () => {
    const storage = tabStorage();
    for (const text of ['{', '{"key":1}', 'null', '{"key":"k","body":null,"isSent":true}']) {
      storage.setItem('showfloor.checkout-attempt', text);
      expect(pendingAttempt(storage)).toBeNull();
      expect(storage.size).toBe(0);
    }
  });

  test('a browser without storage still pays', () => {
    const refuse = (): never => {
      throw new Error('storage refused');
    };
    const storage = { getItem: refuse, setItem: refuse, removeItem: refuse };
    expect(beginAttempt(storage, body, keys()).key).toBe('key-1');
  });

  test.each([
    [402, 'payment_declined', true],
    [409, 'hold_expired', true],
    [409, 'cart_empty', true],
    [409, 'cart_changed', true],
    [422, 'body_mismatch', true],
    [409, 'conflict', false],
    [0, 'unavailable', false],
    [503, 'unavailable', false],
    [429, 'rate_limited', false],
    [401, 'unauthenticated', false],
    [404, 'unavailable', false],
  ])('%i %s settles: %s', (status, reason, settled) => {
    expect(isSettled(status, reason)).toBe(settled);
  });
});
