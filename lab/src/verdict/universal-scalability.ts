/**
 * Universal Scalability Law (Gunther): X(N) = γN / (1 + α(N−1) + βN(N−1)); it peaks at N* = √((1−α)/β). Fitted only when
 * there are points enough and they lie on it (qoe 3.20). Pure.
 */

/** Load and what came through at it. */
export type LoadPoint = { readonly load: number; readonly throughput: number };

/** `peakLoad` is null where the curve never turns down. */
export type ScalabilityFit = {
  readonly gamma: number;
  readonly alpha: number;
  readonly beta: number;
  readonly peakLoad: number | null;
  /** Largest distance of a point from the curve, percent of the curve. */
  readonly residualPercentMax: number;
};

const POINTS_MIN = 6;
const RESIDUAL_PERCENT_MAX = 10;

/** Null with fewer than six levels, or when a point is more than 10 % off the curve. */
export function fitScalability(points: readonly LoadPoint[]): ScalabilityFit | null {
  const usable = points.filter(({ load, throughput }) => load > 0 && throughput > 0);
  if (new Set(usable.map(({ load }) => load)).size < POINTS_MIN) return null;
  // N/X = (1 + α(N−1) + βN(N−1)) / γ is linear in its coefficients; neither α nor β can be below zero.
  for (const terms of [['contention', 'coherency'], ['contention'], ['coherency'], []] as const) {
    const fit = fitWith(usable, terms);
    if (fit === null || fit.alpha < 0 || fit.beta < 0 || fit.gamma <= 0) continue;
    return fit.residualPercentMax <= RESIDUAL_PERCENT_MAX ? fit : null;
  }
  return null;
}

/** What the curve says at this load. */
export function throughputAt({ gamma, alpha, beta }: ScalabilityFit, load: number): number {
  return (gamma * load) / (1 + alpha * (load - 1) + beta * load * (load - 1));
}

function fitWith(points: readonly LoadPoint[], terms: readonly ('contention' | 'coherency')[]): ScalabilityFit | null {
  const columns = (load: number): number[] => [
    1,
    ...terms.map((term) => (term === 'contention' ? load - 1 : load * (load - 1))),
  ];
  const solved = leastSquares(
    points.map(({ load }) => columns(load)),
    points.map(({ load, throughput }) => load / throughput),
  );
  const first = solved?.[0] ?? 0;
  if (solved === null || first === 0) return null;
  const of = (term: 'contention' | 'coherency'): number => {
    const index = terms.indexOf(term);
    return index < 0 ? 0 : (solved[index + 1] ?? 0) / first;
  };
  const [gamma, alpha, beta] = [1 / first, of('contention'), of('coherency')];
  const fit = { gamma, alpha, beta, peakLoad: beta > 0 && alpha < 1 ? Math.sqrt((1 - alpha) / beta) : null };
  const residuals = points.map(({ load, throughput }) => {
    const expected = throughputAt({ ...fit, residualPercentMax: 0 }, load);
    return (100 * Math.abs(throughput - expected)) / expected;
  });
  return { ...fit, residualPercentMax: Math.max(...residuals) };
}

/** Normal equations by Gaussian elimination; null when they have no single solution. */
function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] | null {
  const size = rows[0]?.length ?? 0;
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (__, j) => rows.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
    rows.reduce((sum, row, index) => sum + (row[i] ?? 0) * (values[index] ?? 0), 0),
  ]);
  for (let pivot = 0; pivot < size; pivot += 1) {
    const row = matrix[pivot];
    const head = row?.[pivot] ?? 0;
    if (row === undefined || Math.abs(head) < Number.EPSILON) return null;
    for (const [index, other] of matrix.entries()) {
      if (index === pivot) continue;
      const factor = (other[pivot] ?? 0) / head;
      for (const column of other.keys()) other[column] = (other[column] ?? 0) - factor * (row[column] ?? 0);
    }
  }
  return matrix.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}
