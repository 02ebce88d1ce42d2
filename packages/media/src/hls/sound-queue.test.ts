import { expect, test } from 'vitest';
import { SoundQueue } from './sound-queue.ts';

const SECOND = 90_000;
const FRAME = Uint8Array.of(1);

/** A queue of 48 kHz sound under pictures that begin at 0 and have come as far as `pictureS`. */
function queueAt(pictureS: number, silence: Uint8Array | null): { queue: SoundQueue; gaps: string[] } {
  const gaps: string[] = [];
  const queue = new SoundQueue({ sampleRateHz: 48_000, frameSamples: 1_024, silence }, (kind) => gaps.push(kind));
  queue.beginAt(0);
  queue.fill(0, pictureS * SECOND);
  queue.take(pictureS * SECOND);
  return { queue, gaps };
}

test.each([
  ['with silence for its codec', Uint8Array.of(0)],
  ['without', null],
])('sound far ahead of the picture is dropped, sound beside it is not: %s', (_name, silence) => {
  const { queue, gaps } = queueAt(100, silence);
  for (let step = 1; step < 1_000; step += 1) queue.push(FRAME, (100 + step * 9.9) * SECOND);
  expect(queue.length).toBeLessThan(13 * 47);
  expect(gaps.filter((kind) => kind === 'audio_dropped')).toHaveLength(998);
  queue.fill(100 * SECOND, 9_900 * SECOND);
  const before = queue.length;
  queue.push(FRAME, 9_901 * SECOND);
  expect(queue.length).toBeGreaterThan(before);
});
