import { expect, test } from 'vitest';
import { FormatError } from '../src/index.ts';
import { fuzz } from './fuzz-loop.ts';
import { FUZZ_TARGETS } from './targets.ts';

const SEED = 20_261_120;
const ROUNDS = 700;
const report = (findings: ReturnType<typeof fuzz>['findings']) =>
  findings.map(({ target, seed, iteration, problem }) => `${target}, seed ${seed}, round ${iteration}: ${problem}`);

test(`damaged bytes end in a value or a FormatError, in every parser (seed ${SEED})`, () => {
  const result = fuzz(FUZZ_TARGETS, { seed: SEED, goesOn: (rounds) => rounds < ROUNDS, executionMsMax: 1_000 });
  expect(report(result.findings)).toEqual([]);
  expect(result.executions).toBe(ROUNDS * FUZZ_TARGETS.length);
}, 60_000);

test('the seeds themselves are read without a complaint', () => {
  const complaints = FUZZ_TARGETS.flatMap((target) => {
    const rounds = target.seeds.length;
    const { findings } = fuzz([target], { seed: 1, goesOn: (round) => round < rounds, executionMsMax: 1_000 });
    return report(findings);
  });
  expect(complaints).toEqual([]);
});

test('the loop finds what a broken parser does', () => {
  const broken = (run: (input: Uint8Array) => string, rounds = 200, executionMsMax = 60_000) =>
    fuzz([{ name: 'broken', seeds: [new Uint8Array(40)], run }], {
      seed: 1,
      goesOn: (done) => done < rounds,
      executionMsMax,
    }).findings.map((finding) => finding.problem.split('\n')[0]);
  const crash = broken((input) => {
    if (input[0] === 0xff) throw new TypeError('undefined is not a number');
    return '';
  });
  expect(crash).toContain('TypeError: undefined is not a number');
  expect(broken((input) => String(input.fill(1).length))).toContain('the input was written to');
  const slow = () => {
    const start = process.threadCpuUsage();
    while (process.threadCpuUsage(start).user + process.threadCpuUsage(start).system < 25_000);
    return '';
  };
  expect(broken(slow, 3, 20)).toEqual([expect.stringMatching(/^took \d+ ms$/)]);
  const secret = broken(() => {
    throw new FormatError('some.code', { key: 'x'.repeat(100) });
  });
  expect(secret).toEqual(['the detail key of some.code is too long']);
});
