/** The canary of a run folder: how the crowd did beside it in the steady phase. Pure. */
import { type CanaryComparison, compareWithCanary } from '../canary/canary-comparison.ts';
import type { RunData } from './run-reader.ts';

/** The verdict and every format of the report ask for it; six hours take seconds to compare. */
const compared = new WeakMap<RunData, CanaryComparison[]>();

/** Empty in runs without a canary. */
export function canaryOf(run: RunData): CanaryComparison[] {
  const known = compared.get(run);
  if (known !== undefined) return known;
  const comparison = compare(run);
  compared.set(run, comparison);
  return comparison;
}

function compare({ manifest, canary, slices }: RunData): CanaryComparison[] {
  if (manifest.canary === undefined) return [];
  // Joins are compared, too, and they happen before everybody is there; who leaves at the end says nothing.
  const toMs = manifest.phases.find(({ name }) => name === 'steady')?.toMs ?? manifest.durationMs;
  return compareWithCanary(
    manifest.canary,
    (canary ?? []).filter(({ second }) => (second + 1) * 1000 <= toMs),
    slices.filter(({ atMs }) => atMs + manifest.sliceMs <= toMs).map(({ data }) => data),
    manifest.guard,
  );
}

/** One line per way of watching. */
export function canaryLines(run: RunData): string[] {
  return canaryOf(run).map(({ protocol, canary, crowd, suspicions, doubt }) => {
    if (doubt !== null) return `canary ${protocol}: says nothing, ${doubt}`;
    const figures = [
      pair('start', crowd.startupP50Ms, canary.startupP50Ms, 'ms', 0),
      pair('delay', crowd.latencyP50Ms, canary.latencyP50Ms, 'ms', 0),
      pair('stalled', crowd.stalledPercent, canary.stalledPercent, '%', 2),
    ];
    const end = suspicions.length === 0 ? 'the crowd does as well' : 'GENERATOR SUSPECTED: the crowd is much worse';
    return `canary ${protocol}: ${figures.flat().join(', ')} (crowd / canary): ${end}`;
  });
}

function pair(name: string, crowd: number | null, canary: number | null, unit: string, digits: number): string[] {
  return crowd === null || canary === null
    ? []
    : [`${name} ${crowd.toFixed(digits)} / ${canary.toFixed(digits)} ${unit}`];
}
