import { expect, test } from 'vitest';
import { MERGE_SETTINGS, MergePolicy } from './merge-policy.ts';

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

test('a round of 2 ms leads to a round per frame, one of 3 ms to ticks', () => {
  expect(
    levels([
      [2, 0.1],
      [2.9, 0.1],
      [3, 0.1],
      [3.1, 0.1],
      [20, 0.5],
    ]),
  ).toEqual(['frame', 'frame', 'tick-30', 'tick-50', 'tick-50']);
});

test('a busy core leads to longer ticks whatever a round takes, and so do rounds that fill their tick', () => {
  expect(
    levels([
      [1, 0.7],
      [2, 0.7],
      [2, 0.7],
      [2, 0.85],
      [2, 0.85],
    ]),
  ).toEqual(['frame', 'tick-30', 'tick-30', 'tick-50', 'tick-100']);
  expect(levels([...repeat([10, 0.5], 4), [41, 0.7], [60, 0.7]])).toEqual([
    'frame',
    'tick-30',
    'tick-50',
    'tick-50',
    'tick-100',
    'tick-100',
  ]);
});

test('it comes back step by step, and not at once', () => {
  const down = levels([[6, 0.7], [20, 0.7], [20, 0.9], ...repeat([0.9, 0.2], 12)]);
  expect(down.join(' ').replaceAll('tick-', '')).toBe(
    'frame 30 50 50 50 30 30 30 frame frame frame packet packet packet packet',
  );
});

test('what a finer level would cost is not tried where it cannot be afforded', () => {
  // busy at 100 ms → what the same viewers cost at 50 ms, then at 30 ms
  const settled = (loads: readonly (readonly [number, number])[]) => levels([...repeat([30, 0.9], 4), ...loads]).at(-1);
  expect(settled(repeat([24, 0.45], 9))).toBe('tick-100');
  expect(settled([...repeat([24, 0.35], 3), ...repeat([24, 0.6], 9)])).toBe('tick-50');
});

test('between the marks it stays where it is', () => {
  expect(new Set(levels([[6, 0.5], ...repeat([1.5, 0.3], 10)]))).toEqual(new Set(['frame']));
});

test('the ceiling bounds every level', () => {
  const policy = new MergePolicy(30);
  for (let second = 0; second < 6; second += 1) policy.decide({ roundMs: 50, busy: 0.99 }, second * 1_000);
  expect(policy.level).toEqual({ name: 'tick-30', ceilingMs: 30 });
  const low = new MergePolicy(10);
  for (let second = 0; second < 6; second += 1) low.decide({ roundMs: 50, busy: 0.99 }, second * 1_000);
  expect(low.level).toEqual({ name: 'tick-30', ceilingMs: 10 });
});

test.each(MERGE_SETTINGS.filter((setting) => setting !== 'auto'))('%s stays what it is', (setting) => {
  const policy = new MergePolicy(100, setting);
  for (let second = 0; second < 10; second += 1)
    policy.decide({ roundMs: second % 2 === 0 ? 0.1 : 90, busy: second % 2 }, second * 1_000);
  expect(policy.level.name).toBe(setting);
});
