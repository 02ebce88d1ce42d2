import { describe, expect, test } from 'vitest';
import { holdCountdown, minuteMarkPassed } from './hold-countdown.ts';

const NOW = 1_790_000_000_000;

describe('hold countdown', () => {
  test.each([
    [600_000, '10:00', 'calm'],
    [599_001, '10:00', 'calm'],
    [300_000, '5:00', 'soon'],
    [61_000, '1:01', 'soon'],
    [60_000, '1:00', 'last-minute'],
    [1, '0:01', 'last-minute'],
    [0, '0:00', 'over'],
    [-5_000, '0:00', 'over'],
  ])('%i ms left reads %s and is %s', (leftMs, text, phase) => {
    expect(holdCountdown(NOW + leftMs, NOW)).toMatchObject({ text, phase });
  });

  test('five minutes and one minute are announced once, when passed', () => {
    expect(minuteMarkPassed(300_500, 299_900)).toBe(5);
    expect(minuteMarkPassed(299_900, 299_400)).toBeNull();
    expect(minuteMarkPassed(60_100, 60_000)).toBe(1);
    expect(minuteMarkPassed(60_000, 59_500)).toBeNull();
  });

  test('a first look below a mark announces nothing', () => {
    expect(minuteMarkPassed(250_000, 249_000)).toBeNull();
  });
});
