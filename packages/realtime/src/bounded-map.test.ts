import { expect, test } from 'vitest';
import { BoundedMap } from './bounded-map.ts';

test('at its bound a map forgets the entry used longest ago and says so', () => {
  const evicted: string[] = [];
  const map = new BoundedMap<string, number>(2, (key) => evicted.push(key));
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.size, [...map.entries()], evicted]).toEqual([
    2,
    [
      ['a', 1],
      ['c', 3],
    ],
    ['b'],
  ]);
});
