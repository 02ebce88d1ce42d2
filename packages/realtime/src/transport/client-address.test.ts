import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientAddress, trustedProxies } from './client-address.ts';

const proxies = trustedProxies(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);

test.each([
  // peer                  X-Forwarded-For                  client
  ['203.0.113.9', '198.51.100.1', '203.0.113.9'], // a stranger's header is not believed
  ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['127.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'], // the client wrote 1.2.3.4 itself
  ['127.0.0.1', '198.51.100.1, 10.1.2.3', '198.51.100.1'], // two proxies of ours
  ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['127.0.0.1', '', '127.0.0.1'],
  ['127.0.0.1', 'not an address', '127.0.0.1'],
  ['fd00::1', '2001:db8::7', '2001:db8::7'],
])('peer %s with "%s" is %s', (remoteAddress, forwarded, expected) => {
  const request = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } };
  expect(clientAddress(request as unknown as IncomingMessage, proxies)).toBe(expected);
});

test('a proxy that is no address is named', () => {
  expect(() => trustedProxies(['10.0.0.0/33'])).toThrow('"10.0.0.0/33" is neither');
  expect(() => trustedProxies(['nginx'])).toThrow('"nginx" is neither');
});
