/** Robust line through points: the median of all slopes (Theil 1950, Sen 1968). One outlier in four does not move it. */

/** A moment (any unit) and a value. */
export type Point = readonly [number, number];

/** More points than this are thinned evenly: the number of slopes grows with the square. */
export const THEIL_SEN_POINTS_MAX = 600;

/** Value per unit of time; NaN below two moments. */
export function theilSenSlope(points: readonly Point[]): number {
  const few = thinned(points);
  const slopes: number[] = [];
  for (const [index, [atX, atY]] of few.entries()) {
    for (const [x, y] of few.slice(index + 1)) {
      if (x !== atX) slopes.push((y - atY) / (x - atX));
    }
  }
  return median(slopes);
}

/** NaN without values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values: a straight line. `share` from 0 to 1; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= THEIL_SEN_POINTS_MAX) return points;
  const step = points.length / THEIL_SEN_POINTS_MAX;
  return Array.from({ length: THEIL_SEN_POINTS_MAX }, (_, index) => points[Math.floor(index * step)]).filter(
    (point) => point !== undefined,
  );
}
