import { expect, test } from 'vitest';
import { originAllowed } from './origin-policy.ts';

const shop = ['https://shop.example'];

test.each([
  // Origin                       Host                    list  allowed
  [undefined, 'shop.example:3001', [], true],
  ['http://shop.example:3000', 'shop.example:3001', [], true],
  ['http://127.0.0.1:3000', '127.0.0.1:3001', [], true],
  ['http://[::1]:3000', '[::1]:3001', [], true],
  ['http://localhost:3000', '127.0.0.1:3001', [], false],
  ['https://evil.example', 'shop.example:3001', [], false],
  ['https://shop.example.evil.example', 'shop.example', [], false],
  ['null', 'shop.example', [], false],
  ['https://shop.example', 'api.example', shop, true],
  ['http://shop.example', 'api.example', shop, false],
  ['https://api.example', 'api.example', shop, false],
])('origin %s at host %s with %j: %s', (origin, host, list, allowed) => {
  expect(originAllowed({ ...(origin === undefined ? {} : { origin }), host }, list)).toBe(allowed);
});
