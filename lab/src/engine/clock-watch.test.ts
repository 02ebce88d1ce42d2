import { expect, test } from 'vitest';
import { monotonicMs } from '../clock.ts';
import { clockOfRun } from './clock-comparison.ts';
import { type ClockFindings, clockEvents, watchClocks } from './clock-watch.ts';
import { breachedLimits, GUARD_DEFAULTS, worstSelfSample } from './guard.ts';

const EVERY_MS = 20;

async function watch(options: Parameters<typeof watchClocks>[2], until: (names: readonly string[]) => boolean) {
  const stop = new AbortController();
  const findings: ClockFindings = { comparisons: [], steppedMs: 0 };
  const events: { name: string; detail: object }[] = [];
  await watchClocks(
    {
      startAtMs: monotonicMs(),
      signal: stop.signal,
      event: (name, _atMs, detail) => {
        events.push({ name, detail });
        if (until(events.map((event) => event.name))) stop.abort();
      },
    },
    findings,
    { ...options, everyMs: EVERY_MS },
  );
  return { findings, events };
}

test('a target whose clock is 700 ms off is caught by name, and corrected', async () => {
  const off = { offsetMs: -700, boundMs: 3 };
  const { findings, events } = await watch({ ask: () => Promise.resolve(off) }, (names) => names.includes('clock_off'));
  expect(events.at(-1)).toEqual({ name: 'clock_off', detail: { clock: 'target', offset_ms: -700, bound_ms: 3 } });
  const { boundMs, note } = clockOfRun(false, [off, ...findings.comparisons]);
  expect(boundMs).toBe(3);
  expect(note).toMatch(/target's clock is 700 ms behind the generator's, corrected/);
  expect(clockEvents({ offsetMs: 40, boundMs: 3 }).map(([name]) => name)).toEqual(['clock_compared']);
});

test('a clock that moves by 700 ms while the run goes on makes the bound as wide', async () => {
  const answers = [
    { offsetMs: 0, boundMs: 2 },
    { offsetMs: 700, boundMs: 2 },
  ];
  let count = 0;
  const { findings } = await watch({ ask: () => Promise.resolve(answers[Math.min(count++, 1)] ?? null) }, (names) =>
    names.includes('clock_off'),
  );
  expect(clockOfRun(false, findings.comparisons).boundMs).toBeGreaterThanOrEqual(700);
});

test('our own clock, set by 700 ms, is an event, a wider bound, and a tainted second', async () => {
  let isSet = false;
  const wallMs = (): number => {
    const now = Date.now() + (isSet ? 700 : 0);
    isSet = true;
    return now;
  };
  const { findings, events } = await watch({ ask: null, wallMs }, (names) => names.includes('clock_stepped'));
  expect(events[0]).toMatchObject({ name: 'clock_stepped', detail: { clock: 'generator' } });
  expect(Math.abs(findings.steppedMs - 700)).toBeLessThan(20);
  expect(clockOfRun(true, [], findings.steppedMs).boundMs).toBeCloseTo(findings.steppedMs);
  expect(clockOfRun(true, [])).toMatchObject({
    boundMs: 0,
    note: expect.stringMatching(/one clock.*bound of latencies is 0$/),
  });
  const calm = { loopDelayP99Ms: 1, workerCpuPercent: 5, timerLatenessP99Ms: 1, memoryPercent: 1 };
  expect(breachedLimits({ ...calm, clockStepMs: 700 }, GUARD_DEFAULTS)).toEqual(['wall clock set']);
});

test('the target does not answer: the comparison is missing, by name', () => {
  expect(clockEvents(null)).toEqual([['clock_not_compared', { clock: 'target' }]]);
});

test('garbage collection, files and ports have limits of their own; what nobody looked at is no breach', () => {
  const calm = { loopDelayP99Ms: 1, workerCpuPercent: 5, timerLatenessP99Ms: 1, memoryPercent: 1 };
  const worst = worstSelfSample([
    { ...calm, gcPauseMs: 3 },
    { ...calm, gcPauseMs: 250, openFilesPercent: 95, portsPercent: 85, rssBytes: 1e9 },
  ]);
  expect(breachedLimits(worst, GUARD_DEFAULTS)).toEqual(['GC pause', 'open files', 'ephemeral ports']);
  expect(worst.rssBytes).toBe(1e9);
  expect(breachedLimits(calm, GUARD_DEFAULTS)).toEqual([]);
});
