import { expect, test } from 'vitest';
import { WaitingPeers } from './waiting-peers.ts';

test('a network may have so many connections that do not publish; others and this machine have their own', () => {
  const peers = new WaitingPeers({ perNetworkMax: 2, loopbackMax: 3 });
  const isIn = (address: string): boolean => peers.enter(address) !== null;
  expect(['1.2.3.4', '::ffff:1.2.3.4', '1.2.3.4', '1.2.3.5'].map(isIn)).toEqual([true, true, false, true]);
  expect(['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map(isIn)).toEqual([true, true, false, true]);
  expect(['127.0.0.1', '127.0.0.1', '::ffff:127.0.0.1', '127.0.0.1'].map(isIn)).toEqual([true, true, true, false]);
  expect(['::1', '::1', '::1', '::1'].map(isIn)).toEqual([true, true, true, false]);
});

test('a connection that publishes or leaves makes room, once', () => {
  const peers = new WaitingPeers({ perNetworkMax: 2, loopbackMax: 2 });
  const leave = peers.enter('1.2.3.4');
  peers.enter('1.2.3.4');
  leave?.();
  leave?.();
  expect(peers.enter('1.2.3.4')).not.toBeNull();
  expect(peers.enter('1.2.3.4')).toBeNull();
});

test('networks without waiting connections are forgotten', () => {
  const peers = new WaitingPeers();
  for (let host = 0; host < 100; host += 1) peers.enter(`10.0.0.${host}`)?.();
  expect(peers.networkCount).toBe(0);
});
