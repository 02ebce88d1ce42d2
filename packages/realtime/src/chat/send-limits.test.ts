import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SEND_LIMIT, SendLimits } from './send-limits.ts';

test('of 25 messages spread over ten seconds the 21st is the first refused, with the time to wait', () => {
  const limits = new SendLimits();
  const waits = Array.from({ length: 25 }, (_, index) => limits.take('ana', index * 400));
  expect(waits.slice(0, 20).every((wait) => wait === 0)).toBe(true);
  expect(waits.slice(20)).toEqual([2000, 1600, 1200, 800, 400]);
  expect(limits.take('ben', 8_000)).toBe(0);
  expect(limits.take('ana', 10_000)).toBe(0);
});

test('no window ever holds more than the limit, and waiting as told is always enough', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 120 }), (gapsMs) => {
      const limits = new SendLimits();
      const allowedAtMs: number[] = [];
      let nowMs = 0;
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        const waitMs = limits.take('ana', nowMs);
        if (waitMs > 0) {
          nowMs += waitMs;
          expect(limits.take('ana', nowMs)).toBe(0);
        }
        allowedAtMs.push(nowMs);
      }
      for (const [index, atMs] of allowedAtMs.entries()) {
        const before = allowedAtMs[index - SEND_LIMIT.messagesMax];
        if (before !== undefined) expect(atMs - before).toBeGreaterThanOrEqual(SEND_LIMIT.windowMs);
      }
    }),
  );
});
