/** Waits before the 1st, 2nd, 3rd … attempt to get the picture back; the last one repeats. */
const RETRY_STEPS_MS = [1_000, 2_000, 4_000, 4_000, 4_000] as const;
const RETRY_LATER_MS = 8_000;

/**
 * Milliseconds to wait before attempt number `attempt` (from 0): 1 → 2 → 4 s, after five attempts 8 s. Up to a quarter
 * is taken off at random, so that viewers who fell together do not come back together. `random` is in [0, 1).
 */
export function retryDelayMs(attempt: number, random: number): number {
  const step = RETRY_STEPS_MS[attempt] ?? RETRY_LATER_MS;
  return Math.round(step * (1 - 0.25 * random));
}

/** So much steady play and the next failure starts again at the first step. */
export const RETRY_FORGIVEN_AFTER_MS = 30_000;
