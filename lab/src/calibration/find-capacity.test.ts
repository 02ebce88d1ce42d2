import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCapacity, type Step } from './find-capacity.ts';

const OPTIONS = { first: 100, max: 8000, stepsMax: 12, cpuPercentMax: 80, precision: 0.1 };

/** A machine whose CPU grows evenly and breaks the limit at `truth`. */
function machine(truth: number, serverEnds = Number.POSITIVE_INFINITY) {
  const asked: number[] = [];
  const measure = (viewers: number): Promise<Step> => {
    asked.push(viewers);
    const cpuPercent = (80 * viewers) / truth;
    return Promise.resolve({
      viewers,
      cpuPercent,
      breaches: cpuPercent > 80 ? ['worker CPU'] : [],
      isServerAhead: viewers <= serverEnds,
    });
  };
  return { asked, measure };
}

test('whatever the machine can do is found within a tenth, and never more than it can do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 30, max: 7000 }), async (truth) => {
      const { measure, asked } = machine(truth);
      const { viewers, isLowerBound } = await findCapacity(OPTIONS, measure);
      expect(isLowerBound).toBe(false);
      expect(viewers).toBeLessThanOrEqual(truth);
      expect(viewers).toBeGreaterThanOrEqual(truth * 0.88 - 1);
      expect(asked.length).toBeLessThanOrEqual(OPTIONS.stepsMax);
    }),
  );
});

test('a null server that falls behind ends the search: the answer is a lower bound and says why', async () => {
  const { measure } = machine(5000, 1500);
  const found = await findCapacity(OPTIONS, measure);
  expect(found).toMatchObject({ isLowerBound: true, limitedBy: ['null server'] });
});

test('a machine that can do more than the search asks for: a lower bound', async () => {
  const { measure } = machine(50_000);
  expect(await findCapacity(OPTIONS, measure)).toEqual({ viewers: 8000, isLowerBound: true, limitedBy: [] });
});
