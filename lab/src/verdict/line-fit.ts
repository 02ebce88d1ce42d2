/** A straight line through points by least squares. `levels`: different x; `fit`: R², 1 is a perfect line. */
export type LineFit = {
  readonly start: number;
  readonly slope: number;
  readonly fit: number;
  readonly levels: number;
};

/** Null below two different x. */
export function fitLine(points: readonly (readonly [number, number])[]): LineFit | null {
  const levels = new Set(points.map(([x]) => x)).size;
  if (levels < 2) return null;
  const count = points.length;
  const [meanX, meanY] = [0, 1].map((index) => points.reduce((sum, point) => sum + (point[index] ?? 0), 0) / count);
  if (meanX === undefined || meanY === undefined) return null;
  const sum = (read: (x: number, y: number) => number): number =>
    points.reduce((total, [x, y]) => total + read(x - meanX, y - meanY), 0);
  const [xx, xy, yy] = [sum((x) => x * x), sum((x, y) => x * y), sum((_, y) => y * y)];
  const slope = xy / xx;
  return { start: meanY - slope * meanX, slope, fit: yy === 0 ? 0 : (xy * xy) / (xx * yy), levels };
}
