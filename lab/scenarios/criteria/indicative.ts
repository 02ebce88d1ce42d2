import type { Criterion } from '../../src/index.ts';

/**
 * The same limits for a run that is small on purpose (smoke, baseline): judged from few samples on. A pass is no proof then, the
 * report says what it is worth, and the run is stamped "indicative". `samplesMinMax`: no criterion waits for more than that.
 */
export function indicative(
  criteria: readonly Criterion[],
  samplesMinMax = Number.POSITIVE_INFINITY,
): readonly Criterion[] {
  return criteria.map((criterion) => ({
    ...criterion,
    isIndicative: true,
    samplesMin: Math.min(criterion.samplesMin, samplesMinMax),
  }));
}
