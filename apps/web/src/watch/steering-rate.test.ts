import { expect, test } from 'vitest';
import { steeringRate } from './steering-rate.ts';

test('slower when too close to the edge, faster when too far, as it is in between', () => {
  expect([-3, -1.1, -1, 0, 1, 1.1, 4.9].map(steeringRate)).toEqual([0.9, 0.9, 1, 1, 1, 1.1, 1.1]);
});
