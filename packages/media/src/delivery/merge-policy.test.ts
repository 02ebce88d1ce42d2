import { expect, test } from 'vitest';
import { MergePolicy } from './merge-policy.ts';

/** One decision per second from a list of loads; returns the levels. */
function levels(loads: readonly (readonly [roundMs: number, busy: number])[], ceilingMs = 100): string[] {
  const policy = new MergePolicy(ceilingMs);
  return loads.map(([roundMs, busy], second) => {
    policy.decide({ roundMs, busy }, second * 1_000);
    return policy.level.name;
  });
}

const repeat = (load: readonly [number, number], times: number) => Array.from({ length: times }, () => load);

test('few viewers: every packet at once', () => {
  expect(new Set(levels(repeat([1.8, 0.4], 5)))).toEqual(new Set(['packet']));
});

test('a round of 2 ms leads to a round per frame, a busy core to ticks, a busier one to longer ticks', () => {
  expect(
    levels([
      [2, 0.4],
      [12, 0.5],
      [20, 0.7],
      [24, 0.7],
      [30, 0.8],
      [30, 0.9],
    ]),
  ).toEqual(['frame', 'frame', 'tick-50', 'tick-50', 'tick-100', 'tick-100']);
});

test('it comes back step by step, and not at once', () => {
  const down = levels([[6, 0.7], [20, 0.7], ...repeat([0.9, 0.2], 8)]);
  expect(down.join(' ')).toBe('frame tick-50 tick-50 tick-50 frame frame frame packet packet packet');
});

test('between the marks it stays where it is', () => {
  expect(new Set(levels([[6, 0.5], ...repeat([1.5, 0.3], 10)]))).toEqual(new Set(['frame']));
});

test('the ceiling bounds every level', () => {
  const policy = new MergePolicy(30);
  for (let second = 0; second < 6; second += 1) policy.decide({ roundMs: 50, busy: 0.99 }, second * 1_000);
  expect(policy.level).toEqual({ name: 'tick-50', ceilingMs: 30 });
});
