import { expect, test } from 'vitest';
import { isBreached } from './breached-passwords.ts';
import { hashPassword, verifyPassword } from './passwords.ts';

test('a password fits its own hash and no other', async () => {
  const hash = await hashPassword('correct horse battery');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(hash).not.toContain('horse');
  expect(await verifyPassword('correct horse battery', hash)).toBe(true);
  expect(await verifyPassword('correct horse batterY', hash)).toBe(false);
  expect(await hashPassword('correct horse battery')).not.toBe(hash);
});

test('no account: false, and nothing to compare with', async () => {
  expect(await verifyPassword('anything', null)).toBe(false);
  expect(await verifyPassword('anything', 'not a hash')).toBe(false);
});

test('the first guesses of anyone are refused, whatever their case', () => {
  expect(isBreached('Password123')).toBe(true);
  expect(isBreached('tr0ub4dor&3 staple')).toBe(false);
});
