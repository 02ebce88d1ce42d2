import { expect, test } from 'vitest';
import { monotonicMs } from '../clock.ts';
import { createRandom } from '../engine/random.ts';
import { runPaced } from './paced-visits.ts';

/** Runs visits of this length, due every 10 ms on average, for 300 ms. */
async function pace(visitMs: number, signal = new AbortController().signal) {
  const startMs = monotonicMs();
  const seen = { due: [] as number[], dropped: 0, atOnce: 0, atOnceMax: 0, latenessMs: [] as number[] };
  await runPaced(
    {
      firstAtMs: startMs,
      untilMs: startMs + 300,
      meanMs: 10,
      random: createRandom(3),
      signal,
      onLateness: (ms) => seen.latenessMs.push(ms),
      onDropped: () => {
        seen.dropped += 1;
      },
    },
    async (dueMs) => {
      seen.due.push(dueMs - startMs);
      seen.atOnce += 1;
      seen.atOnceMax = Math.max(seen.atOnceMax, seen.atOnce);
      await new Promise((done) => setTimeout(done, visitMs));
      seen.atOnce -= 1;
    },
  );
  return { ...seen, tookMs: monotonicMs() - startMs };
}

test('what is due while the last visit still runs is dropped and counted, never piled up', async () => {
  const slow = await pace(60);
  expect(slow.atOnceMax).toBe(1);
  expect(slow.due.length).toBeLessThanOrEqual(6);
  expect(slow.dropped).toBeGreaterThan(5);
});

test('visits are handed the instant they were due; their lateness is reported', async () => {
  const { due, latenessMs } = await pace(0);
  expect(due[0]).toBe(0);
  expect(due).toEqual([...due].sort((a, b) => a - b));
  expect(latenessMs).toHaveLength(due.length);
});

test('the user stays until its planned end, and leaves at once when told', async () => {
  expect((await pace(0)).tookMs).toBeGreaterThanOrEqual(295);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 30);
  expect((await pace(0, stop.signal)).tookMs).toBeLessThan(250);
});
