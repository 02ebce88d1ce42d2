import { expect, test } from 'vitest';
import { GUARD_DEFAULTS, type SelfSample } from '../engine/guard.ts';
import type { Scenario } from '../engine/scenario.ts';
import { Recorder } from '../metrics/recorder.ts';
import type { SliceData } from '../metrics/slice.ts';
import { decide, type RunTrust, whyInvalid } from '../verdict/verdict.ts';
import { compareWithCanary } from './canary-comparison.ts';
import { planCanary } from './canary-plan.ts';

const CALM: SelfSample = { loopDelayP99Ms: 1, workerCpuPercent: 5, timerLatenessP99Ms: 1, memoryPercent: 1 };
const WATCHED = [{ name: 'canary-flv', crowd: 'viewers', protocol: 'flv' }] as const;

function slice(group: string, seen: { startupMs: number; delayMs: number; stalledMs: number }): SliceData {
  const recorder = new Recorder();
  const tags = { group, protocol: 'flv' };
  recorder.trend('startup_ms', tags).record(seen.startupMs);
  recorder.trend('latency_capture_ms', tags).record(seen.delayMs);
  recorder.counter('stalled_ms_total', tags).add(seen.stalledMs);
  recorder.counter('watched_ms_total', tags).add(20_000);
  return recorder.takeSlice();
}

const GOOD = { startupMs: 200, delayMs: 800, stalledMs: 0 };

function compare(crowd: typeof GOOD, canary = GOOD, self = CALM) {
  const seconds = [{ second: 0, data: slice('canary-flv', canary), self }];
  return compareWithCanary(WATCHED, seconds, [slice('viewers', crowd)], GUARD_DEFAULTS)[0];
}

test('a crowd much worse than its canary is suspicious, in words with both figures', () => {
  expect(compare(GOOD)?.suspicions).toEqual([]);
  expect(compare({ startupMs: 5000, delayMs: 2500, stalledMs: 2000 })?.suspicions).toEqual([
    expect.stringMatching(/flv: start 5\d+ ms, its canary 200 ms/),
    expect.stringMatching(/flv: delay 2\d+ ms, its canary 800 ms/),
    'flv: time spent stalled 10.0 %, its canary 0.0 %',
  ]);
  expect(compare({ startupMs: 350, delayMs: 1700, stalledMs: 150 })?.suspicions).toEqual([]);
});

test('a slow server is slow for the canary, too: no suspicion', () => {
  const slow = { startupMs: 5000, delayMs: 9000, stalledMs: 4000 };
  expect(compare(slow, slow)?.suspicions).toEqual([]);
});

test('a canary that was too busy itself says nothing', () => {
  const found = compare({ startupMs: 5000, delayMs: 800, stalledMs: 0 }, GOOD, { ...CALM, workerCpuPercent: 99 });
  expect(found).toMatchObject({ suspicions: [], doubt: expect.stringMatching(/too busy itself/) });
});

test('suspicion alone takes READY away; with half of the tainted seconds allowed the run is INVALID', () => {
  const trust = (taintedSeconds: number): RunTrust => ({
    isInterrupted: false,
    taintedSeconds,
    totalSeconds: 100,
    taintedPercentMax: 10,
    breaches: {},
    workerFailures: [],
    suspicions: ['flv: start 5000 ms, its canary 200 ms'],
  });
  expect(whyInvalid(trust(5))).toBeNull();
  expect(whyInvalid(trust(6))).toMatch(/suspected.*its canary 200 ms/);
  expect(decide([], trust(6))).toBe('invalid');
  const { suspicions: _, ...clean } = trust(6);
  expect(whyInvalid(clean)).toBeNull();
});

test('every way of watching has one canary, which reads everything and comes again', () => {
  const timing = { executor: 'constant-vus', vus: 100, arriveOverMs: 0 } as const;
  const groups: Scenario['groups'] = {
    a: { actor: 'flv-viewer', timing, options: { profile: 'mpegts.js', sampleEvery: 10 } },
    b: { actor: 'flv-viewer', timing, options: { profile: 'strict', sampleEvery: 10 } },
    c: {
      actor: 'hls-viewer',
      timing,
      options: { profile: 'hls.js', mode: 'classic', sampleEvery: 10, recordEvery: 5 },
    },
    d: { actor: 'room-member', timing, options: { chatEveryMs: null } },
  };
  const plan = planCanary(groups, { durationMs: 95_000 });
  expect(plan?.watched.map(({ name, crowd }) => [name, crowd])).toEqual([
    ['canary-flv', 'a'],
    ['canary-hls', 'c'],
  ]);
  expect(plan?.groups['canary-hls']?.options).toEqual({ profile: 'hls.js', mode: 'classic', sampleEvery: 1 });
  const stays = plan?.vus.filter(({ group }) => group === 'canary-flv').map((vu) => [vu.startAtMs, vu.stopAtMs]);
  expect(stays).toEqual([
    [0, 29_000],
    [30_000, 59_000],
    [60_000, 95_000],
  ]);
  expect(planCanary({ d: groups.d as Scenario['groups'][string] }, { durationMs: 1000 })).toBeNull();
});
