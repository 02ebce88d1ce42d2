import { describe, expect, test } from 'vitest';
import { isPinDue, PIN_AGE_MAX_MS, PIN_CLOCK_WAIT_MS, type PinTarget, type Playhead } from './pin-gate.ts';

const PINNED_AT = 1_790_000_000_000;
const LEARNT_AT = 5_000;
const target: PinTarget = { featured: null, atMs: PINNED_AT, learntAtMs: LEARNT_AT };

function due(playhead: Partial<Playhead>, sinceLearntMs: number, sincePinMs = sinceLearntMs): boolean {
  const reading = { wallMs: null, isPaused: false, ...playhead };
  return isPinDue(target, reading, LEARNT_AT + sinceLearntMs, PINNED_AT + sincePinMs);
}

describe('a pin becomes due', () => {
  test('when the playhead reaches its instant, not a frame before', () => {
    expect(due({ wallMs: PINNED_AT - 1 }, 900)).toBe(false);
    expect(due({ wallMs: PINNED_AT }, 900)).toBe(true);
  });

  test('for a viewer eight seconds behind only after eight seconds', () => {
    expect(due({ wallMs: PINNED_AT - 3_000 }, 5_000)).toBe(false);
    expect(due({ wallMs: PINNED_AT + 10 }, 8_010)).toBe(true);
  });

  test('without a clock after three seconds', () => {
    expect(due({}, PIN_CLOCK_WAIT_MS - 1)).toBe(false);
    expect(due({}, PIN_CLOCK_WAIT_MS)).toBe(true);
  });

  test('at once while paused', () => {
    expect(due({ wallMs: PINNED_AT - 60_000, isPaused: true }, 0)).toBe(true);
  });

  test('at once when it is older than anyone can be behind, and after waiting that long', () => {
    expect(due({ wallMs: PINNED_AT - 1 }, 0, PIN_AGE_MAX_MS)).toBe(true);
    expect(due({ wallMs: PINNED_AT - 1 }, PIN_AGE_MAX_MS, 0)).toBe(true);
  });
});
