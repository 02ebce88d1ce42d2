import type { FeaturedProduct } from '@showfloor/protocol';

/**
 * When a pin (or unpin) becomes visible: with its frame. A viewer one second behind and one eight seconds behind both
 * see the card when the seller holds the product up.
 */
export type PinTarget = {
  readonly featured: FeaturedProduct | null;
  /** Wall clock of the pin or unpin. */
  readonly atMs: number;
  /** Page clock (monotonic) when this browser learnt of it. */
  readonly learntAtMs: number;
};

/** What the player knows at one instant. `wallMs` null: no clock in the picture, or no picture. */
export type Playhead = { readonly wallMs: number | null; readonly isPaused: boolean };

/** Without a clock in the picture the card waits this long, then shows. */
export const PIN_CLOCK_WAIT_MS = 3_000;
/** Nobody watches further behind than this: an older pin is due, whatever the player says. */
export const PIN_AGE_MAX_MS = 20_000;

/** `nowMs`: page clock (monotonic). `wallNowMs`: the server's wall clock as far as this browser knows it. */
export function isPinDue(target: PinTarget, playhead: Playhead, nowMs: number, wallNowMs: number): boolean {
  if (playhead.isPaused) return true;
  if (wallNowMs - target.atMs >= PIN_AGE_MAX_MS) return true;
  if (nowMs - target.learntAtMs >= PIN_AGE_MAX_MS) return true;
  if (playhead.wallMs === null) return nowMs - target.learntAtMs >= PIN_CLOCK_WAIT_MS;
  return playhead.wallMs >= target.atMs;
}
