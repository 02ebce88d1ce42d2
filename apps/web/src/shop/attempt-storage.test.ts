import { expect, test } from 'vitest';
import { guardedStorage } from './attempt-storage.ts';
import { beginAttempt, pendingAttempt, settleAttempt } from './checkout-attempt.ts';

const body = { payment: { provider: 'test', card: '4242 4242 4242 4242' } } as const;

function refuse(): never {
  throw new DOMException('The operation is insecure.', 'SecurityError');
}

test.each([
  ['refuses to show its storage', refuse],
  ['has none', () => undefined],
  ['refuses each use of it', () => ({ getItem: refuse, setItem: refuse, removeItem: refuse })],
])('a browser that %s keeps the attempt as long as the page', (_, open) => {
  const storage = guardedStorage(open);
  expect(pendingAttempt(storage)).toBeNull();
  expect(beginAttempt(storage, body, () => 'key-1').key).toBe('key-1');
  expect(beginAttempt(storage, body, () => 'key-2').key).toBe('key-1');
  expect(pendingAttempt(storage)).toEqual({ key: 'key-1', body, isSent: true });
  settleAttempt(storage);
  expect(pendingAttempt(storage)).toBeNull();
});

test('where the browser allows it, a reload finds the attempt', () => {
  const map = new Map<string, string>();
  const tab = {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  };
  const before = guardedStorage(() => tab);
  beginAttempt(before, body, () => 'key-1');
  const after = guardedStorage(() => tab);
  expect(pendingAttempt(after)?.key).toBe('key-1');
  settleAttempt(after);
  expect(map.size).toBe(0);
});
