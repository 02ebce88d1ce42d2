import { expect, test } from 'vitest';
import { framesPerPart, measureFrameMs, partTargetMsOf, segmentTargets } from './part-plan.ts';

test.each([
  // fps, frames in a part, PART-TARGET in ms: the frames and 1 ms
  [24, 5, 209],
  [25, 5, 201],
  [29.97, 6, 201],
  [30, 6, 201],
  [50, 10, 201],
  [59.94, 12, 201],
  [60, 12, 201],
  [15, 3, 201],
  [5, 1, 201],
  [1, 1, 1_000],
])('at %f fps a part has %i frames', (fps, frames, partTargetMs) => {
  const times = Array.from({ length: 61 }, (_, index) => Math.round((index * 1_000) / fps));
  const frameMs = measureFrameMs(times, null);
  expect(Math.abs(frameMs - 1_000 / fps)).toBeLessThan(0.05);
  expect(partTargetMsOf(frameMs, 200, 1_000)).toBe(partTargetMs);
  expect(framesPerPart(1_000 / fps, partTargetMs)).toBe(frames);
});

test('dropped frames and a wrong claim do not change the measured rate, a right claim makes it exact', () => {
  const times = Array.from({ length: 60 }, (_, index) => Math.round(index * (1_001 / 30))).filter(
    (_, index) => index % 9 !== 4,
  );
  expect(measureFrameMs(times, null)).toBeCloseTo(33.37, 1);
  expect(measureFrameMs(times, 30_000 / 1_001)).toBe(1_001 / 30);
  expect(measureFrameMs(times, 60)).toBeCloseTo(33.37, 1);
});

test('a stream that says nothing gets a usual rate', () => {
  expect(measureFrameMs([0], null)).toBeCloseTo(33.3, 1);
  expect(measureFrameMs([0, 0, 0], 50)).toBe(20);
});

test.each([
  [1_000, 1_000, 1_450],
  [1_001, 1_000, 1_450],
  [1_390, 1_000, 1_450],
  [1_410, 2_000, 2_450],
  [2_000, 2_000, 2_450],
  [600, 1_000, 1_450],
  [10_000, 10_000, 10_450],
])('a first segment of %i ms makes a target of %i ms and cuts at %i ms', (firstMs, targetDurationMs, segmentMsMax) => {
  expect(segmentTargets(firstMs)).toEqual({ targetDurationMs, segmentMsMax });
});
