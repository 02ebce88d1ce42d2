import { expect, test } from 'vitest';
import { plausibleFrameRate } from './frame-rate.ts';

test.each([
  ['film', 24_000 / 1001, 24_000 / 1001],
  ['a slide each ten seconds', 0.1, 0.1],
  ['a high-speed camera', 1_000, 1_000],
  ['a frame of six years, as one damaged byte says', 1 / 200_433_698, null],
  ['frames of nanoseconds', 0xff_ff_ff_ff, null],
  ['no time scale', 0, null],
  ['no units', Number.POSITIVE_INFINITY, null],
  ['neither', Number.NaN, null],
])('the frame rate of %s', (_name, stated, expected) => {
  expect(plausibleFrameRate(stated)).toBe(expected);
});
