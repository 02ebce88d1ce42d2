import { expect, test } from 'vitest';
import { RateMeter } from './rate-meter.ts';

test('a rate is that of the window, not of the whole life', () => {
  const meter = new RateMeter({ slots: 3, slotMs: 1_000 });
  let frames = 0;
  const rates: number[] = [];
  for (let atMs = 0; atMs <= 12_000; atMs += 500) {
    meter.sample(frames, atMs);
    if (atMs % 3_000 === 0) rates.push(Math.round(meter.perSecond(frames, atMs)));
    frames += atMs < 6_000 ? 15 : 30; // 30 a second, then 60
  }
  expect(rates).toEqual([0, 30, 30, 60, 60]);
});

test('kilobits per second, and zero when nothing comes any more', () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 30; second += 1) meter.sample(second * 250_000, second * 1_000);
  expect(meter.kbps(7_500_000, 30_000)).toBe(2_000);
  for (let second = 31; second <= 70; second += 1) meter.sample(7_500_000, second * 1_000);
  expect(meter.kbps(7_500_000, 70_000)).toBe(0);
});
