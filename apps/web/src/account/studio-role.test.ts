import { expect, test } from 'vitest';
import { isStudioUser } from './studio-role.ts';

test('the studio is open to sellers and admins only', () => {
  expect(isStudioUser({ role: 'seller' })).toBe(true);
  expect(isStudioUser({ role: 'admin' })).toBe(true);
  expect(isStudioUser({ role: 'guest' })).toBe(false);
  expect(isStudioUser(null)).toBe(false);
});
