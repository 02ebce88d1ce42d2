import { expect, test } from 'vitest';
import { ADDED_VUS_MAX, Crew } from './crew.ts';
import { makePlan } from './plan.ts';
import type { Scenario } from './scenario.ts';
import { parseSteerLine } from './steering.ts';
import type { CoordinatorMessage } from './worker-messages.ts';

const SCENARIO: Scenario = {
  name: 's',
  purpose: '',
  durationMs: 60_000,
  viewers: 4,
  groups: {
    viewers: {
      actor: 'flv-viewer',
      timing: { executor: 'constant-vus', vus: 4, arriveOverMs: 4000 },
      options: { profile: 'strict', sampleEvery: 1 },
    },
  },
  criteria: [],
};

function crew(gone: readonly number[] = []) {
  const sent: [number, CoordinatorMessage][] = [];
  const plan = makePlan(SCENARIO, { seed: 1 });
  const send = (worker: number, message: CoordinatorMessage): boolean => {
    if (gone.includes(worker)) return false;
    sent.push([worker, message]);
    return true;
  };
  return { crew: new Crew(plan, 2, send), sent, plan };
}

test('who comes has an id and a slot of their own, with the worker of that slot, within a second, until the end', () => {
  const { crew: one, sent } = crew();
  expect(one.steer('viewers', 5, 10_000)).toBe(5);
  expect(one.count(12_000)).toBe(9);
  const joined = sent.flatMap(([worker, message]) =>
    message.type === 'join' ? message.vus.map((vu) => ({ worker, vu })) : [],
  );
  expect(joined.map(({ vu }) => vu.id).toSorted((a, b) => a - b)).toEqual([4, 5, 6, 7, 8]);
  for (const { worker, vu } of joined) {
    expect([vu.slot % 2, vu.stopAtMs]).toEqual([worker, 60_000]);
    expect(vu.startAtMs).toBeGreaterThanOrEqual(10_100);
    expect(vu.startAtMs).toBeLessThan(11_100);
  }
});

test('who came last leaves first; nobody leaves who is not there', () => {
  const { crew: one, sent } = crew();
  one.steer('viewers', 2, 10_000);
  expect(one.steer('viewers', -3, 20_000)).toBe(-3);
  const left = sent.flatMap(([, message]) => (message.type === 'leave' ? message.ids : []));
  expect(left).toContain(4);
  expect(left).toContain(5);
  expect(one.count(21_000)).toBe(3);
  expect(one.steer('viewers', -10, 30_000)).toBe(-3);
  expect(one.steer('viewers', -1, 31_000)).toBe(0);
});

test('only what a worker could be told has happened', () => {
  const { crew: one } = crew([1]);
  expect(one.steer('viewers', 4, 10_000)).toBe(2);
  expect(one.count(12_000)).toBe(6);
});

test('nobody is added beyond the bound, to a group that is not there, or when the run is about to end', () => {
  const { crew: one } = crew();
  expect([one.steer('others', 5, 10_000), one.steer('viewers', 5, 59_500)]).toEqual([0, 0]);
  expect(one.steer('viewers', ADDED_VUS_MAX + 7, 10_000)).toBe(ADDED_VUS_MAX);
  expect(one.steer('viewers', 1, 20_000)).toBe(0);
});

test.each([
  ['+20 viewers', { group: 'viewers', by: 20 }],
  [' -5 viewers ', { group: 'viewers', by: -5 }],
  ['+3', null],
  ['+0 viewers', null],
  ['20 viewers', null],
  ['+20 nobody', null],
  ['rm -rf /', null],
])('the line "%s" wishes for %o', (line, wish) => {
  expect(parseSteerLine(line, ['viewers', 'room'])).toEqual(wish);
});

test('where there is one group only, its name may be left out', () => {
  expect(parseSteerLine('+3', ['viewers'])).toEqual({ group: 'viewers', by: 3 });
});
