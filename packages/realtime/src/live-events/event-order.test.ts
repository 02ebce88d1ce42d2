import { expect, test } from 'vitest';
import { EventOrder } from './event-order.ts';
import { StreamStates } from './stream-states.ts';

test('a stock version is told once and never after a newer one', () => {
  const order = new EventOrder();
  expect([3, 3, 2, 5, 4, 6].map((version) => order.advance('mug', version))).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
  expect(order.advance('tote', 1)).toBe(true);
});

test('two events of one instant pass, an older one does not', () => {
  const order = new EventOrder();
  expect([10, 10, 9].map((atMs) => order.keepsUp('pin', atMs))).toEqual([true, true, false]);
});

test('a stream state is the newest told, whatever the order of arrival', () => {
  const states = new StreamStates();
  expect(states.get('demo')).toBe('unknown');
  expect(states.set('demo', 'live', 10)).toBe('changed');
  expect(states.set('demo', 'ended', 30)).toBe('changed');
  expect(states.set('demo', 'interrupted', 20)).toBe('stale');
  expect(states.set('demo', 'ended', 31)).toBe('same');
  expect(states.get('demo')).toBe('ended');
});
