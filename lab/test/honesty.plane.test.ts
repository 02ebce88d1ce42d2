import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VIDEO_CRITERIA } from '../scenarios/criteria.ts';
import { machineKey, readCalibration, storeCalibration } from '../src/calibration/calibration-store.ts';
import { CALIBRATED_GROUPS, Calibrator } from '../src/calibration/calibrator.ts';
import { checkPlan } from '../src/calibration/check-plan.ts';
import { GUARD_DEFAULTS } from '../src/engine/guard.ts';
import { makePlan } from '../src/engine/plan.ts';
import { runScenario } from '../src/index.ts';
import { takeFingerprint } from '../src/run-folder/fingerprint.ts';
import { findTarget } from '../src/target/load-target.ts';
import { target as clocked } from './clocked-target.ts';
import { type PacedFlvServer, startPacedFlvServer } from './paced-flv-server.ts';
import { viewersOnly } from './run-against.ts';

let parent: string;
let server: PacedFlvServer;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  server = await startPacedFlvServer();
});
afterAll(async () => {
  await server.close();
  await rm(parent, { recursive: true, force: true });
});

async function run(name: string, options: Partial<Parameters<typeof runScenario>[0]> = {}) {
  const { description, adapter, adapterUrl } = await findTarget(new URL(server.url));
  return runScenario({
    scenario: viewersOnly({ durationMs: 4000, viewers: 4 }),
    target: description,
    adapter,
    adapterUrl,
    folder: join(parent, name),
    size: { seed: 1 },
    workers: 1,
    ...options,
  });
}

/** A machine so slow that no second is good: what a generator without CPU looks like to its guard. */
const NO_CPU = { workerCpuPercentMax: 0, loopDelayP99MsMax: 0 };

describe.concurrent('planted defects of the generator are caught by name', () => {
  test('a generator starved of CPU: the run is INVALID, exit code 3, and says that it was itself', async () => {
    const starving = join(parent, 'starving-target.ts');
    await writeFile(
      starving,
      `const starve = () => { const until = performance.now() + 700; while (performance.now() < until); };
       setInterval(starve, 750).unref();
       export const target = { kind: 'starving', detect: () => Promise.resolve(null) };`,
    );
    const scenario = { ...viewersOnly({ durationMs: 5000, viewers: 4 }), guard: {} };
    const { verdict } = await run('starved', { scenario, adapterUrl: `file://${starving}` });
    expect([verdict.outcome, verdict.exitCode]).toEqual(['invalid', 3]);
    expect(verdict.invalidBecause).toMatch(/generator was too busy.*(event-loop delay|timer lateness|worker CPU)/);
  });

  test('a clock 700 ms off: named in the events and in the manifest, and corrected', async () => {
    const clock = createServer((_request, response) => {
      response.end(JSON.stringify({ nowMs: Date.now() + 700 }));
    });
    await new Promise<void>((done) => clock.listen(0, '127.0.0.1', done));
    const { run: data } = await run('clock', {
      adapter: clocked,
      adapterUrl: new URL('./clocked-target.ts', import.meta.url).href,
      target: {
        kind: 'clocked',
        url: `http://127.0.0.1:${(clock.address() as AddressInfo).port}`,
        planes: ['video'],
        subject: '',
        flvUrl: server.url.replace('127.0.0.1', '0.0.0.0'), // arrives here, and is none of this machine's addresses
        hls: null,
        room: null,
        shop: null,
        version: null,
      },
    });
    clock.close();
    const named = data.events.filter(({ name }) => name === 'clock_off');
    expect(named.length).toBeGreaterThanOrEqual(2); // before and after
    expect(Math.abs(Number(named[0]?.detail.offset_ms) - 700)).toBeLessThanOrEqual(Number(named[0]?.detail.bound_ms));
    expect(data.manifest.clock.note).toMatch(/clock is (69|70)\d ms ahead of the generator's, corrected/);
  });

  test("a publisher's clock 700 ms ahead: named, and its delays are inconclusive although they look well", async () => {
    const ahead = await startPacedFlvServer({ captureDelayMs: -700, stampsIngest: true });
    try {
      const { description, adapter, adapterUrl } = await findTarget(new URL(ahead.url));
      const scenario = viewersOnly({ durationMs: 5000, viewers: 4, criteria: VIDEO_CRITERIA });
      const found = { target: description, adapter, adapterUrl, scenario };
      const { run: data, verdict } = await run('publisher', found);
      const named = data.events.find(({ name }) => name === 'clock_off');
      expect(named?.detail.clock).toBe('publisher');
      expect(Math.abs(Number(named?.detail.ahead_ms) - 700)).toBeLessThanOrEqual(100);
      const delay = verdict.judgements.find(
        ({ criterion: { measure } }) => 'metric' in measure && measure.metric === 'latency_capture_ms',
      );
      expect(delay).toMatchObject({ outcome: 'inconclusive', reason: expect.stringMatching(/below zero.*clock/) });
    } finally {
      await ahead.close();
    }
  });
});

test.concurrent('the generator writes down what it saw of itself: threads, garbage, files, ports, clock', async () => {
  const { run: data } = await run('self');
  const last = data.self.at(-1);
  for (const name of ['loopDelayP99Ms', 'gcPauseMs', 'rssBytes', 'openFilesPercent', 'portsPercent', 'clockStepMs']) {
    expect(data.self.some((second) => Number.isFinite(second[name as keyof typeof second]))).toBe(true);
  }
  expect(last?.second).toBeGreaterThanOrEqual(3);
  expect(data.manifest.clock).toMatchObject({ boundMs: 0, note: expect.stringMatching(/one clock/) });
  expect(data.manifest.canary).toBeUndefined(); // too small for one
});

test.concurrent('a canary watches beside the crowd, in a process of its own, and stays out of its figures', async () => {
  const scenario = viewersOnly({ durationMs: 12_000, viewers: 3 });
  const { run: data, verdict } = await run('canary', { scenario, hasCanary: true });
  expect(data.manifest.canary).toEqual([{ name: 'canary-flv', crowd: 'viewers', protocol: 'flv' }]);
  expect(data.canary?.length).toBeGreaterThanOrEqual(11);
  const keys = data.lines.flatMap(({ counters }) => Object.keys(counters));
  expect(keys.some((key) => key.includes('canary'))).toBe(false);
  const watched = data.canary?.flatMap(({ data: { counters } }) => Object.entries(counters));
  expect(watched?.find(([key]) => key.startsWith('watched_ms_total{group=canary-flv'))).toBeDefined();
  expect(verdict.trust.suspicions ?? []).toEqual([]);
});

describe.concurrent('calibration', () => {
  test('viewers of every kind play from the null server as from any other', async () => {
    const calibrator = await Calibrator.open(CALIBRATED_GROUPS);
    try {
      const step = await calibrator.step({ flv: 5, hls: 5, llhls: 5 }, { rampS: 1, settleS: 3, holdS: 2 });
      expect(step.mbitPerSecond).toBeGreaterThan(15 * 2.2); // 2.6 each
      expect(step.mbitPerSecond).toBeLessThan(15 * 3.2);
      expect(step.breaches).not.toContain('stalls it made itself');
    } finally {
      await calibrator.close();
    }
  });

  test('without a stored one a larger plan is tried for some seconds; one that breaks the guard is refused', async () => {
    const scenario = viewersOnly({ durationMs: 4000, viewers: 60 });
    const startedMs = performance.now();
    const { record, refusal } = await checkPlan({
      plan: makePlan(scenario, { seed: 1 }),
      groups: scenario.groups,
      workers: 1,
      guard: { ...GUARD_DEFAULTS, ...NO_CPU },
      mode: 'auto',
      stored: null,
      isForced: false,
      onProgress: () => {},
    });
    expect(performance.now() - startedMs).toBeLessThan(20_000); // 5 s and what a crowded machine adds
    expect(record).toMatchObject({ source: 'quick', limitPercent: 70 });
    expect(refusal).toMatch(/70 % are allowed.*fewer|--viewers/);
  });

  test('is kept per machine and version, way of watching by way of watching', async () => {
    const folder = join(parent, 'calibrations');
    const machine = machineKey(takeFingerprint());
    const one = {
      viewersPerCore: 9,
      isLowerBound: false,
      limitedBy: [],
      floorMs: { timeToFirstByteP50: 1, timerLatenessP99: 1 },
    };
    const base = { version: 1, machine, lab: '0.1.0', atWallMs: 0, cores: 2 } as const;
    await storeCalibration({ ...base, capacities: { flv: one } }, folder);
    await storeCalibration({ ...base, capacities: { hls: one } }, folder);
    expect(Object.keys((await readCalibration(machine, folder))?.capacities ?? {})).toEqual(['flv', 'hls']);
    expect(await readCalibration('another machine', folder)).toBeNull();
    expect(machineKey({ ...takeFingerprint(), cores: 99 })).not.toBe(machine);
  });
});
