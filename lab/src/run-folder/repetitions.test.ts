import { expect, test } from 'vitest';
import type { Criterion } from '../verdict/criterion.ts';
import type { RunOutcome } from '../verdict/verdict.ts';
import { summariseRepetitions } from './repetitions.ts';
import type { RunVerdict } from './run-verdict.ts';

const CRITERION = { id: 'startup', op: '<=', limit: 3000 } as Criterion;

function run(outcome: RunOutcome, value: number | null, isReady = false) {
  const judgement = { criterion: CRITERION, outcome: value === null ? 'inconclusive' : 'pass', value };
  return { folder: 'f', verdict: { outcome, isReady, judgements: [judgement] } as unknown as RunVerdict };
}

test('each criterion with its spread: from least to most, out of the median', () => {
  const { criteria } = summariseRepetitions([run('passed', 120), run('passed', 100), run('passed', 90)], 3);
  expect(criteria).toMatchObject([{ values: [120, 100, 90], min: 90, median: 100, max: 120, spreadPercent: 30 }]);
  const two = summariseRepetitions([run('passed', 100), run('passed', 200)], 2);
  expect(two.criteria[0]?.median).toBe(150);
});

test.each<[RunOutcome[], RunOutcome, number]>([
  [['passed', 'passed', 'passed'], 'passed', 0],
  [['passed', 'inconclusive', 'passed'], 'inconclusive', 4],
  [['failed', 'inconclusive', 'passed'], 'failed', 1],
  [['failed', 'invalid', 'passed'], 'invalid', 3],
  [['passed', 'interrupted'], 'interrupted', 130],
])('%o: the worst is the verdict: %s', (outcomes, worst, exitCode) => {
  const summary = summariseRepetitions(
    outcomes.map((outcome) => run(outcome, 1)),
    outcomes.length,
  );
  expect([summary.outcome, summary.exitCode]).toEqual([worst, exitCode]);
});

test('fewer runs than wanted are never green', () => {
  expect(summariseRepetitions([run('passed', 1)], 3).outcome).toBe('interrupted');
  expect(summariseRepetitions([], 3)).toMatchObject({ outcome: 'interrupted', criteria: [] });
});

test('what one repetition did not measure is in no figure, and told', () => {
  const { criteria } = summariseRepetitions([run('inconclusive', null), run('passed', 50)], 2);
  expect(criteria).toMatchObject([{ values: [null, 50], outcomes: ['inconclusive', 'pass'], min: 50, max: 50 }]);
  const nothing = summariseRepetitions([run('inconclusive', null)], 1);
  expect(nothing.criteria).toMatchObject([{ min: null, median: null, max: null, spreadPercent: null }]);
});

test('ready only when every repetition is', () => {
  expect(summariseRepetitions([run('passed', 1, true), run('passed', 1, true)], 2).isReady).toBe(true);
  expect(summariseRepetitions([run('passed', 1, true), run('passed', 1)], 2).isReady).toBe(false);
});
