import { describe, expect, test } from 'vitest';
import { TrustedProxies } from './client-address.ts';

const trusted = TrustedProxies.parse('127.0.0.1, 10.0.0.0/8,fd00::/8');

describe('X-Forwarded-For', () => {
  test.each([
    // what                                        peer                what the request says               client
    ['no header', '127.0.0.1', undefined, '127.0.0.1'],
    ['a stranger says who he is', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['a proxy of ours says it', '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['a spoofed entry before the true one', '127.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['two proxies of ours', '127.0.0.1', '1.2.3.4, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['all of them ours', '127.0.0.1', '10.1.1.1, 10.1.2.3', '10.1.1.1'],
    ['no address', '127.0.0.1', 'unknown', '127.0.0.1'],
    ['no address before a proxy of ours', '127.0.0.1', 'x, 10.1.2.3', '10.1.2.3'],
    ['with ports', '127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6 with a port', 'fd00::1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['IPv4 on an IPv6 socket', '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['a stranger on an IPv6 socket', '::ffff:203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ])('%s', (_name, peer, said, client) => {
    expect(trusted.clientOf(peer, said)).toBe(client);
  });

  test('without proxies nobody is believed', () => {
    expect(TrustedProxies.parse('').clientOf('127.0.0.1', '198.51.100.1')).toBe('127.0.0.1');
  });

  test('an endless list is read from its end only', () => {
    const list = `198.51.100.1, ${Array.from({ length: 5_000 }, () => '10.0.0.1').join(', ')}`;
    expect(trusted.clientOf('127.0.0.1', list)).toBe('10.0.0.1');
  });
});

test.each(['10.0.0.0/33', 'proxy.local', '10.0.0.1/', '::1/129', '10.0.0.0/8/8', '1.2.3'])('refuses %s', (entry) => {
  expect(() => TrustedProxies.parse(entry)).toThrow(`"${entry}"`);
});
