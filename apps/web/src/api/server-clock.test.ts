import { expect, test } from 'vitest';
import { ServerClock } from './server-clock.ts';

test('the offset is measured from the middle of the round trip', () => {
  const clock = new ServerClock();
  clock.measure(1_000_000, 400_000, 400_200);
  expect(clock.offsetMs).toBe(599_900);
});

test('a slower answer does not spoil a better measurement', () => {
  const clock = new ServerClock();
  clock.measure(1_000_000, 400_000, 400_020);
  clock.measure(9_000_000, 400_000, 405_000);
  expect(clock.offsetMs).toBe(599_990);
});

test('a browser clock that jumped back during the request is no measurement', () => {
  const clock = new ServerClock();
  clock.measure(1_000_000, 400_000, 399_000);
  expect(clock.offsetMs).toBe(0);
});
