import { expect, test } from 'vitest';
import { BandwidthMeter } from './bandwidth-meter.ts';

/** Segments of `[kbit/s, ms]`; the declared peak in kbit/s after each. */
function peaks(...segments: readonly [number, number][]): number[] {
  const meter = new BandwidthMeter(1_000);
  return segments.map(([kbps, durationMs]) => {
    meter.add({ bytes: (kbps * durationMs) / 8, durationMs });
    return meter.peakBps / 1_000;
  });
}

test('the declared peak has a margin, rises in steps and never falls', () => {
  expect(peaks([1_000, 1_000], [1_200, 1_000], [1_300, 1_000], [100, 1_000], [1_650, 1_000])).toEqual([
    1_250, 1_250, 1_650, 1_650, 1_650,
  ]);
});

test('a short segment is judged together with the next', () => {
  expect(peaks([1_000, 1_000], [9_000, 40], [1_000, 1_000])).toEqual([1_250, 1_250, 1_650]);
});
