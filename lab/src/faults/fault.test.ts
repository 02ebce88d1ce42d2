import { expect, test } from 'vitest';
import { PlanError } from '../engine/arrivals.ts';
import { planFaults, type ScheduledFault } from './fault.ts';
import { isSeen, whyImpossible } from './injection.ts';
import { CLEAR_SHAPE, type NetworkFault, shapeOf } from './network-fault.ts';
import type { ProbeResult } from './plane-probe.ts';

const fault = (name: string, atMs: number, durationMs: number): ScheduledFault => ({
  name,
  atMs,
  durationMs,
  fault: { kind: 'partition' },
  on: ['video'],
});

test('a shorter run moves faults together and leaves them as long as they are', () => {
  const planned = planFaults([fault('b', 600_000, 5000), fault('a', 300_000, 10_000)], {
    timeFactor: 0.1,
    durationMs: 120_000,
  });
  expect(planned.map(({ name, atMs, durationMs }) => [name, atMs, durationMs])).toEqual([
    ['a', 30_000, 10_000],
    ['b', 60_000, 5000],
  ]);
});

test.each([
  ['overlap', [fault('a', 0, 10_000), fault('b', 9000, 1000)]],
  ['end after the run', [fault('a', 55_000, 10_000)]],
  ['share a name', [fault('a', 0, 1000), fault('a', 5000, 1000)]],
])('faults that %s are refused', (_what, faults) => {
  expect(() => planFaults(faults, { timeFactor: 1, durationMs: 60_000 })).toThrow(PlanError);
});

test('several faults together: delays add up, the tighter limit counts, each on its way', () => {
  const faults: NetworkFault[] = [
    { kind: 'latency', latencyMs: 100, jitterMs: 10 },
    { kind: 'latency', latencyMs: 50, direction: 'to-client' },
    { kind: 'bandwidth', bytesPerSecond: 1000 },
    { kind: 'bandwidth', bytesPerSecond: 500, direction: 'to-target' },
    { kind: 'slicer', pieceBytes: 10, gapMs: 1 },
    { kind: 'slicer', pieceBytes: 20, gapMs: 9 },
    { kind: 'partition', direction: 'to-target' },
  ];
  const slice = { pieceBytes: 10, gapMs: 1 };
  expect(shapeOf(faults, 'to-client')).toEqual({
    ...CLEAR_SHAPE,
    latencyMs: 150,
    jitterMs: 10,
    bytesPerSecond: 1000,
    slice,
  });
  expect(shapeOf(faults, 'to-target')).toMatchObject({ latencyMs: 100, bytesPerSecond: 500, isHeld: true });
  expect(shapeOf([], 'to-client')).toEqual(CLEAR_SHAPE);
});

const SEEN: ProbeResult = {
  outcome: 'answered',
  answerMs: 20,
  bytes: 1000,
  readMs: 1000,
  reads: 10,
  endAfterMs: Number.NaN,
};

test.each<[NetworkFault, Partial<ProbeResult>, boolean]>([
  [{ kind: 'latency', latencyMs: 500 }, { answerMs: 1020 }, true],
  [{ kind: 'latency', latencyMs: 500 }, { answerMs: 520 }, false],
  [{ kind: 'latency', latencyMs: 500, direction: 'to-client' }, { answerMs: 520 }, true],
  [{ kind: 'latency', latencyMs: 500, jitterMs: 100 }, { answerMs: 850 }, true],
  [{ kind: 'latency', latencyMs: 500 }, { outcome: 'silent', answerMs: Number.NaN }, false],
  [{ kind: 'bandwidth', bytesPerSecond: 1000 }, {}, true],
  [{ kind: 'bandwidth', bytesPerSecond: 1000 }, { bytes: 100_000 }, false],
  [{ kind: 'bandwidth', bytesPerSecond: 10_000_000 }, {}, false],
  [{ kind: 'slicer', pieceBytes: 60, gapMs: 5 }, {}, true],
  [{ kind: 'slicer', pieceBytes: 60, gapMs: 5 }, { reads: 2 }, false],
  [{ kind: 'slow-close', delayMs: 300 }, { endAfterMs: 301 }, true],
  [{ kind: 'slow-close', delayMs: 300 }, {}, false],
  [{ kind: 'reset' }, { outcome: 'closed' }, true],
  [{ kind: 'reset' }, {}, false],
  [{ kind: 'partition' }, { outcome: 'silent' }, true],
  [{ kind: 'timeout' }, { outcome: 'closed' }, false],
])('%o with a probe that saw %o: shown to work: %s', (network, seen, expected) => {
  expect(isSeen(network, { ...SEEN, ...seen }, 20)).toBe(expected);
});

test('what cannot be made is left out, with the reason', () => {
  const target = { planes: ['video'] } as unknown as Parameters<typeof whyImpossible>[1];
  const kill: ScheduledFault = { ...fault('k', 0, 1), fault: { kind: 'process-kill', process: 'media-server' } };
  expect(whyImpossible(fault('a', 0, 1), target, () => false)).toBeNull();
  expect(whyImpossible({ ...fault('a', 0, 1), on: ['realtime'] }, target, () => true)).toMatch(/no realtime plane/);
  expect(whyImpossible(kill, target, () => false)).toMatch(/--process media-server=<pid>/);
  expect(whyImpossible(kill, target, (name) => name === 'media-server')).toBeNull();
  expect(whyImpossible({ ...kill, fault: { kind: 'publisher-stop' } }, target, () => false)).toMatch(/publisher=/);
});
