import { expect, test } from 'vitest';
import { FlowWatch } from './flow-watch.ts';

const LIMITS = { hesitantMs: 3_000, stalledMs: 10_000 };
const KB = 1_024;

type Second = readonly [sentKb: number, backlogKb: number, acknowledgedKb: number | null];

/** One verdict per second: f(lows), h(esitates), s(talled). */
function check(seconds: readonly Second[], verdicts: string): void {
  const watch = new FlowWatch(LIMITS);
  const found = seconds.map(([sent, backlog, acknowledged], second) => {
    const acknowledgedBytes = acknowledged === null ? null : acknowledged * KB;
    const flow = { sentBytes: sent * KB, backlogBytes: backlog * KB, acknowledgedBytes };
    return watch.sample(flow, second * 1_000).slice(0, 1);
  });
  expect(found.join('')).toBe(verdicts);
}

const seconds = (count: number, at: (second: number) => Second): Second[] =>
  Array.from({ length: count }, (_, second) => at(second));

test('who takes what it is sent flows, acknowledged or not, and nothing to send is no fault', () => {
  check(
    seconds(8, (n) => [n * 300, 0, null]),
    'ffffffff',
  );
  check(
    seconds(8, (n) => [n * 300, 50, n * 300]),
    'ffffffff',
  );
  check(
    seconds(8, () => [900, 0, 600]),
    'ffffffff',
  );
});

test('who takes nothing while bytes wait hesitates, then is stalled; a byte in between begins anew', () => {
  check(
    seconds(12, () => [900, 50, null]),
    'fffhhhhhhhss',
  );
  check(
    seconds(8, (n) => [n < 5 ? 900 : 901, 50, null]),
    'fffhhfff',
  );
});

test('who stops acknowledging hesitates although the kernel goes on taking bytes', () => {
  const stopsAt = 5;
  check(
    seconds(12, (n) => [n * 300, 0, Math.min(n, stopsAt) * 300]),
    'ffffffffhhhh',
  );
});

test('who acknowledges seldom, or once only, is not taken for one that has stopped', () => {
  check(
    seconds(30, (n) => [n * 300, 0, Math.floor(n / 8) * 2_400]),
    'f'.repeat(30),
  );
  check(
    seconds(30, (n) => [n * 300, 0, 3]),
    'f'.repeat(30),
  );
});
