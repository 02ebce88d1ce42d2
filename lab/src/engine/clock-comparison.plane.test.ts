import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { target as adapter } from '../../test/clocked-target.ts';
import type { TargetDescription } from '../target/target.ts';
import { bestComparison, clockOfRun, measureClock } from './clock-comparison.ts';

test('the probe with the shortest way tells the offset; half its round trip and the resolution bound the error', () => {
  const probes = [
    { sentAtMs: 0, receivedAtMs: 400, targetMs: 5390 }, // the answer was held up on its way
    { sentAtMs: 1000, receivedAtMs: 1020, targetMs: 6010 },
  ];
  expect(bestComparison(probes)).toEqual({ offsetMs: 5000, boundMs: 12 });
  expect(bestComparison([])).toBeNull();
});

test('what the clocks drifted apart during the run is added to the bound; a missing comparison leaves it unknown', () => {
  const start = { offsetMs: 100, boundMs: 5 };
  expect(clockOfRun(false, [start, { offsetMs: 103, boundMs: 8 }]).boundMs).toBe(11);
  expect(clockOfRun(false, [start, null]).boundMs).toBeNull();
  expect(clockOfRun(false, [null, start]).boundMs).toBeNull();
  expect(clockOfRun(true, []).boundMs).toBe(0);
});

test('a target whose clock is an hour ahead is found to be', async () => {
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ nowMs: Date.now() + 3_600_000 }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const target = { url } as TargetDescription;
  const found = await measureClock(adapter, target);
  const { clock, ...without } = adapter;
  expect(clock).toBeDefined();
  expect(await measureClock(without, target)).toBeNull();
  server.close();
  expect(await measureClock(adapter, target)).toBeNull(); // nobody answers any more
  expect(Math.abs((found?.offsetMs ?? 0) - 3_600_000)).toBeLessThanOrEqual(found?.boundMs ?? 0);
});
