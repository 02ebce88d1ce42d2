/** How long a person waits, and how fast a player tries again: the same for every protocol. */

/** A viewer who has seen nothing after this long counts as failed before start, and tries again. */
export const START_PATIENCE_MS = 10_000;
/** A viewer whose picture stood still for this long gives up: a failure during play; then tries anew. */
export const STALL_PATIENCE_MS = 30_000;
/** How often a viewer looks at its watch. */
export const WATCH_EVERY_MS = 250;

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 8000;

/** 0.5 s, doubling up to 8 s, half of it at random. */
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 10));
  return ceiling * (0.5 + random() / 2);
}
