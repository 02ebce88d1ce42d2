import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { FlowMeter } from './flow-meter.ts';
import { messageOf } from './restream-status.ts';

test('V7 pauses between attempts grow from 1 s to 60 s, each shortened by up to a quarter by chance', () => {
  const longest = Array.from({ length: 9 }, (_, index) => backoffMs(index + 1, 0));
  expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  const shortest = Array.from({ length: 9 }, (_, index) => backoffMs(index + 1, 1));
  expect(shortest).toEqual(longest.map((ms) => ms * 0.75));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const ms = backoffMs(failures, random);
      expect(ms).toBeGreaterThanOrEqual(750);
      expect(ms).toBeLessThanOrEqual(60_000);
    }),
  );
});

test('the flow is measured over five seconds', () => {
  const meter = new FlowMeter();
  expect(meter.rates).toEqual({ bitrateBps: 0, frameRate: 0 });
  for (let second = 0; second <= 20; second += 1) meter.sample(second * 125_000, second * 30, second * 1_000);
  expect(meter.rates).toEqual({ bitrateBps: 1_000_000, frameRate: 30 });
  for (let second = 21; second <= 26; second += 1) meter.sample(20 * 125_000, 20 * 30, second * 1_000);
  expect(meter.rates).toEqual({ bitrateBps: 0, frameRate: 0 });
  meter.clear();
  expect(meter.rates).toEqual({ bitrateBps: 0, frameRate: 0 });
});

test('a target is quoted only in words that RTMP knows', () => {
  const end = { reason: 'denied' } as const;
  expect(messageOf(end)).toBe('The target refused the stream key.');
  expect(messageOf({ ...end, statusCode: 'NetStream.Publish.Denied' })).toMatch(/ \(NetStream\.Publish\.Denied\)$/);
  for (const statusCode of ['key s3cret is wrong', 'NetStream.s3cret-1', '<script>', 'unknown']) {
    expect(messageOf({ ...end, statusCode })).toBe('The target refused the stream key.');
  }
  expect(messageOf({ reason: 'refused', detail: 'Port 22 is not possible here.' })).toBe(
    'Port 22 is not possible here.',
  );
});
