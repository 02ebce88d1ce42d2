import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type HeldRequest, ReleaseQueue } from './held-requests.ts';
import { HttpAnswer } from './http-answer.ts';

/** Entries that are told apart by when they came. */
function list(count: number, from = 0): HeldRequest[] {
  return Array.from({ length: count }, (_, index) => ({ heldAtMs: from + index }) as HeldRequest);
}

test('releases are answered in order, a slice per turn, and other things have their turn in between', async () => {
  const answered: number[] = [];
  const done: string[] = [];
  const queue = new ReleaseQueue(500, (held) => answered.push(held.heldAtMs));
  const answer = HttpAnswer.problem(404, 'x');
  queue.add(list(1_200), answer, () => done.push('first'));
  queue.add(list(100, 1_200), answer, () => done.push('second'));
  expect(answered).toHaveLength(0); // not in the turn that made the part: rounds of FLV go first
  const perTurn: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    const before = answered.length;
    await nextTurn();
    perTurn.push(answered.length - before);
  }
  expect(perTurn).toEqual([500, 500, 300, 0]);
  expect(done).toEqual(['first', 'second']);
  expect(answered).toEqual(Array.from({ length: 1_300 }, (_, index) => index));
});
