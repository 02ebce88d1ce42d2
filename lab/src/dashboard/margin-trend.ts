/** Where a margin is heading: a straight line through its last minute. */
import type { TrendDirection } from './dashboard-frame.ts';

/** `reachesLimitInMs`: when the line meets the limit; null when it does not, or not soon. */
export type Heading = { readonly direction: TrendDirection; readonly reachesLimitInMs: number | null };

const EVERY_MS = 5000;
const POINTS_MAX = 13;
const POINTS_MIN = 4;
/** Points of margin per minute; less is noise. */
const CHANGE_MIN = 5;
/** A limit that is farther away than this is not in sight. */
const FORESIGHT_MS_MAX = 300_000;
/** With so much room, where it is heading is no news: one burst would look like a trend. */
const COMFORTABLE = 50;

/** One criterion. */
export class MarginTrend {
  #points: (readonly [atMs: number, margin: number])[] = [];

  /** Whether a point is wanted again: they are five seconds apart. */
  isDue(atMs: number): boolean {
    return atMs - (this.#points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY) >= EVERY_MS;
  }

  /** `margin` in percent of the limit; null where the limit is nothing at all: that has no margin. */
  add(atMs: number, margin: number | null): void {
    if (margin === null || !Number.isFinite(margin) || !this.isDue(atMs)) return;
    this.#points.push([atMs, margin]);
    if (this.#points.length > POINTS_MAX) this.#points.shift();
  }

  heading(): Heading {
    const last = this.#points.at(-1);
    if (last === undefined || this.#points.length < POINTS_MIN) return { direction: 'unknown', reachesLimitInMs: null };
    const perMs = slope(this.#points);
    const perMinute = perMs * 60_000;
    if (Math.abs(perMinute) < CHANGE_MIN || last[1] > COMFORTABLE)
      return { direction: 'steady', reachesLimitInMs: null };
    if (perMs > 0) return { direction: 'easing', reachesLimitInMs: null };
    const leftMs = last[1] / -perMs;
    if (leftMs > FORESIGHT_MS_MAX) return { direction: 'steady', reachesLimitInMs: null };
    return { direction: 'closing', reachesLimitInMs: leftMs > 0 ? leftMs : null };
  }
}

/** Least squares; the points are evenly spaced, so that no single one decides. */
function slope(points: readonly (readonly [number, number])[]): number {
  const meanAt = points.reduce((sum, [at]) => sum + at, 0) / points.length;
  const mean = points.reduce((sum, [, value]) => sum + value, 0) / points.length;
  const over = points.reduce((sum, [at, value]) => sum + (at - meanAt) * (value - mean), 0);
  const under = points.reduce((sum, [at]) => sum + (at - meanAt) ** 2, 0);
  return under === 0 ? 0 : over / under;
}
