import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadScenario } from '../src/cli/load-scenario.ts';
import { runEscalation } from '../src/engine/run-escalation.ts';
import type { Criterion, RunResult, Scenario } from '../src/index.ts';
import { runScenario } from '../src/index.ts';
import { compareSentinels } from '../src/sentinels/compare-sentinels.ts';
import type { SentinelLine } from '../src/sentinels/sentinel-record.ts';
import { findTarget } from '../src/target/load-target.ts';
import { type PacedFlvServer, startPacedFlvServer } from './paced-flv-server.ts';
import { total, viewersOnly } from './run-against.ts';

let folder: string;
let server: PacedFlvServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  server = await startPacedFlvServer();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const QUIET_GUARD = { loopDelayP99MsMax: 400, timerLatenessP99MsMax: 400, workerCpuPercentMax: 101 };

async function runTiny(
  url: string,
  scenario: Scenario,
  size: { readonly viewers?: number; readonly durationMs?: number },
  out: string,
  extras = {},
): Promise<RunResult> {
  const { description, adapter, adapterUrl } = await findTarget(new URL(url));
  return await runScenario({
    scenario: { ...scenario, guard: QUIET_GUARD },
    target: description,
    adapter,
    adapterUrl,
    folder: join(folder, out),
    size: { seed: 1, ...size },
    workers: 1,
    hasCanary: false,
    extras,
  });
}

describe.concurrent('each scenario file runs, small', () => {
  test.each([
    ['smoke', {}],
    ['baseline', {}],
    ['ramp', {}],
    ['ramp-mini', {}],
    ['spike', {}],
    ['soak', {}],
    ['slow-viewer', {}],
    ['churn', {}],
    ['escalation', {}],
    ['recovery', { 'partition-seconds': 0.4, 'gone-seconds': 0.4 }],
  ])('%s', async (name, settings) => {
    const scenario = await loadScenario(name, settings);
    if (scenario === null) throw new Error(name);
    const size = { viewers: name === 'churn' ? 60 : 6, durationMs: 3500 };
    const { verdict, run } = await runTiny(server.url, scenario, size, name);
    expect(total({ verdict, run }, 'play_starts_total')).toBeGreaterThan(0);
    expect(total({ verdict, run }, 'lab_bugs_total')).toBe(0);
    expect(verdict.judgements.map(({ criterion }) => criterion.id)).toEqual(scenario.criteria.map(({ id }) => id));
  });
});

test.concurrent('who is behind a narrow network stalls; the others do not, and the change says so', async () => {
  const change: Criterion = {
    id: 'others-stalled-change',
    title: '',
    meaning: '',
    source: '',
    plane: 'video',
    isMandatory: true,
    measure: {
      kind: 'change',
      of: {
        kind: 'ratio',
        numerator: 'stalled_ms_total',
        denominator: 'watched_ms_total',
        where: { group: 'viewers' },
      },
      before: { from: 0.25, to: 0.5 },
      after: { from: 0.6, to: 1 },
    },
    op: '<=',
    limit: 20,
    unit: 'percent',
    during: 'run',
    samplesMin: 1000,
  };
  const base = viewersOnly({ durationMs: 8000, viewers: 3, criteria: [change] });
  const scenario: Scenario = {
    ...base,
    groups: {
      ...base.groups,
      slow: {
        actor: 'flv-viewer',
        timing: { executor: 'constant-vus', vus: 2, arriveOverMs: 0 },
        // The clip has about 20 kB/s.
        network: [{ kind: 'bandwidth', bytesPerSecond: 4000, direction: 'to-client' }],
        options: { profile: 'strict', sampleEvery: 1 },
      },
    },
  };
  const { run, verdict } = await runTiny(server.url, scenario, {}, 'narrow');
  const sum = (metric: string, group: string): number =>
    run.lines
      .flatMap(({ counters }) => Object.entries(counters))
      .filter(([key]) => key.startsWith(`${metric}{`) && key.includes(`group=${group},`))
      .reduce((all, [, value]) => all + value, 0);
  const stalledShare = (group: string): number => sum('stalled_ms_total', group) / sum('watched_ms_total', group);
  expect(sum('watched_ms_total', 'slow')).toBeGreaterThan(10_000);
  const startedSlow = sum('play_starts_total', 'slow');
  expect(startedSlow === 0 || stalledShare('slow') > 0.3).toBe(true);
  expect(stalledShare('viewers')).toBeLessThan(0.2);
  expect(verdict.judgements[0]).toMatchObject({ outcome: 'pass' });
});

test.concurrent('a target that gives out at a certain size: the search brackets it, each step in its folder', async () => {
  const out = join(folder, 'search');
  const escalation = await runEscalation({
    plan: { levels: [4], viewersMax: 16, resolutionPercent: 10, kneeRuns: 1, goalViewers: 4 },
    stepMs: 2500,
    stepMsMin: 2500,
    folder: out,
    limitOf: () => '> 99 %',
    runStep: async (viewers, stepFolder) => {
      // Above five viewers nothing comes: every viewer waits in vain.
      await using broken = await disposable(startPacedFlvServer({ isSilent: viewers > 5 }));
      const { description, adapter, adapterUrl } = await findTarget(new URL(broken.url));
      return await runScenario({
        scenario: { ...viewersOnly({ durationMs: 2500, viewers, criteria: [STARTED] }), guard: QUIET_GUARD },
        target: description,
        adapter,
        adapterUrl,
        folder: stepFolder,
        size: { seed: 1 },
        workers: 1,
        hasCanary: false,
      });
    },
  });
  expect(escalation).toMatchObject({ end: 'knee found', heldAt: 5, failedAt: 6, exitCode: 0, scalability: null });
  expect(escalation.steps.map(({ viewers }) => viewers)).toEqual([4, 6, 5]);
  expect(escalation.brokenBy.map(({ id }) => id)).toEqual(['started']);
  expect(Math.round(escalation.marginPercent ?? 0)).toBe(25);
  const kept = JSON.parse(await readFile(join(out, 'escalation.json'), 'utf8')) as { steps: { folder: string }[] };
  expect(kept.steps.map(({ folder: name }) => name)).toContain('step-02-6');
});

test('a step that shows what was buffered is refused', async () => {
  const plan = { levels: [1], viewersMax: 1, resolutionPercent: 5, kneeRuns: 1, goalViewers: 1 };
  const options = {
    plan,
    stepMs: 5000,
    folder: join(folder, 'short'),
    limitOf: () => '',
    runStep: () => Promise.reject(new Error()),
  };
  await expect(runEscalation(options)).rejects.toThrow(/at least 20 s/);
});

test.concurrent('a real browser plays what virtual viewers play, also where other origins may not; or it is skipped by name', async () => {
  // The planted server names no other origin: the browser watches through the lab.
  const { run } = await runTiny(server.url, viewersOnly({ durationMs: 8000, viewers: 2 }), {}, 'sentinel', {
    sentinels: { count: 1 },
  });
  const text = await readFile(join(folder, 'sentinel', 'sentinels.jsonl'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SentinelLine);
  const comparison = compareSentinels(lines, run);
  if (lines[0]?.type === 'skipped') {
    expect(comparison?.skippedBecause).toMatch(/not installed|does not start/);
    return;
  }
  const session = lines.find(({ type }) => type === 'session');
  expect(session).toMatchObject({ protocol: 'flv', error: null, tier: 'capture' });
  expect(comparison?.pairs.map(({ figure }) => figure)).toEqual(['startup', 'stalled', 'latency']);
  expect(comparison?.pairs[0]?.virtual).toBeGreaterThan(0);
  expect(lines.filter(({ type }) => type === 'sample').length).toBeGreaterThan(2);
});

const STARTED: Criterion = {
  id: 'started',
  title: 'Viewers who got a picture',
  meaning: '',
  source: '',
  plane: 'video',
  isMandatory: true,
  isIndicative: true,
  measure: { kind: 'ratio', numerator: 'play_starts_total', denominator: 'play_attempts_total' },
  op: '>',
  limit: 99,
  unit: 'percent',
  during: 'run',
  samplesMin: 1,
};

async function disposable(opening: Promise<PacedFlvServer>): Promise<PacedFlvServer & AsyncDisposable> {
  const opened = await opening;
  return { ...opened, [Symbol.asyncDispose]: () => opened.close() };
}
