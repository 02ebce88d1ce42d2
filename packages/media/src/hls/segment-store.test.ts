import { expect, test } from 'vitest';
import { SegmentStore } from './segment-store.ts';

const PART = { body: Buffer.alloc(10), isIndependent: true };

/** A store with segments of these lengths, one part each; the window is of 8 segments. */
function storeOf(lengthsS: readonly number[], targetDurationMs: number): SegmentStore {
  const options = { runId: 'r', firstSequence: 100, windowSegments: 8, bytesMax: () => 1_000_000 };
  const store = new SegmentStore({ ...options, onEvicted: () => undefined });
  store.useInit(Buffer.alloc(1));
  store.keepAtLeast(targetDurationMs * 3);
  for (const lengthS of lengthsS) {
    store.addPart({ ...PART, durationMs: lengthS * 1_000 }, null);
    store.endSegment();
  }
  return store;
}

const times = (count: number, lengthS: number): number[] => Array.from({ length: count }, () => lengthS);

function check(lengthsS: readonly number[], targetS: number, listed: number, kept: number): void {
  const store = storeOf(lengthsS, targetS * 1_000);
  expect([store.listing(2).segments.length, store.wholeCount]).toEqual([listed, kept]);
}

test('the window is a number of segments, and as many again are kept behind it and one', () => {
  check(times(7, 1), 1, 7, 7);
  check(times(30, 1), 1, 8, 17);
  check(times(30, 8), 8, 8, 17);
});

test('short segments after a long first one: three target durations stay listed, and as much behind them', () => {
  check([8, ...times(10, 1)], 8, 11, 11); // without the first it would be ten seconds
  check([8, ...times(100, 1)], 8, 24, 48);
  check([8, ...times(100, 2)], 8, 12, 24);
  check([8, ...times(20, 1), ...times(20, 8)], 8, 8, 17);
});

test('segments that are all too short are listed up to a bound', () => {
  check(times(1_000, 0.04), 8, 64, 128);
});

test('an init segment that nothing came of is not kept', () => {
  const store = storeOf([1, 1], 1_000);
  store.useInit(Buffer.alloc(1));
  store.useInit(Buffer.alloc(1));
  const isThere = [0, 1, 2].map((index) => store.object(`r-init-${index}.mp4`) !== undefined);
  expect(isThere).toEqual([true, false, true]);
});

test('V8 the discontinuity number of the run after this one is never below one that was listed', () => {
  const store = storeOf(times(3, 1), 1_000);
  const hour = 3_600;
  expect(store.numbersTaken).toBe(103);
  for (let change = 0; change < 3; change += 1) {
    store.useInit(Buffer.alloc(1));
    for (let more = 0; more < 10; more += 1) {
      store.addPart({ ...PART, durationMs: 1_000 }, null);
      store.endSegment();
    }
  }
  const listed = store.listing(2).discontinuitySequence;
  expect(listed).toBe(3);
  expect(Math.floor((store.numbersTaken + 1) / hour)).toBe(listed);
});
