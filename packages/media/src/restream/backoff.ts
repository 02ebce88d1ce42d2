/** Pauses between attempts to reach a target. */
export type BackoffLimits = Readonly<{ firstMs: number; maxMs: number }>;

/** 1 s, 2 s, 4 s … 60 s. */
export const BACKOFF_LIMITS: BackoffLimits = { firstMs: 1_000, maxMs: 60_000 };

/**
 * The pause after the `failures`-th failure in a row (from 1): doubled each time up to the longest, less up to a quarter by
 * chance, so that targets that broke together do not come back together. `random` is from 0 to 1.
 */
export function backoffMs(failures: number, random: number, limits: BackoffLimits = BACKOFF_LIMITS): number {
  const fullMs = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(fullMs * (1 - random / 4));
}
