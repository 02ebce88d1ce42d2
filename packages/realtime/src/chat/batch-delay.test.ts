import { expect, test } from 'vitest';
import { BatchDelay } from './batch-delay.ts';

/** The delay given to the last message when `perSecond` messages have arrived evenly for three seconds. */
function settled(members: number, perSecond: number): number {
  const delay = new BatchDelay();
  let last = 0;
  for (let index = 0; index < perSecond * 3; index += 1) last = delay.arrived(members, (index * 1000) / perSecond);
  return last;
}

test.each([
  [500, 10, 0],
  [1_000, 20, 0],
  [5_000, 2, 0],
  [5_000, 10, 100],
  [5_000, 200, 100],
  [10_000, 200, 167],
  [40_000, 200, 250],
])('%i members and %i messages a second wait %i ms', (members, perSecond, delayMs) => {
  expect(settled(members, perSecond)).toBe(delayMs);
});

test('a room that has calmed down is sent at once again', () => {
  const delay = new BatchDelay();
  for (let index = 0; index < 100; index += 1) delay.arrived(5_000, index * 10);
  expect(delay.arrived(5_000, 1_000)).toBeGreaterThan(0);
  expect(delay.arrived(5_000, 2_500)).toBe(0);
});
