/**
 * Defects planted on purpose, and the name under which each is caught: an event, and a criterion that is not green. Every row has a
 * server and a run of its own. Beside it, `hls-viewers` and `viewers` look closer at what viewers make of some of them; what is wrong with
 * the generator itself (no CPU, a clock that is off) is in `room-and-shop` and `clock-comparison`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SOAK_RESOURCE_CRITERIA } from '../scenarios/criteria/resource-trends.ts';
import { HLS_CRITERIA, LLHLS_CRITERIA, VIDEO_CRITERIA } from '../scenarios/criteria.ts';
import type { CollectRequest } from '../src/collectors/run-collection.ts';
import type { Criterion, RunResult, Scenario } from '../src/index.ts';
import { type Misbehaviour, startPacedFlvServer } from './paced-flv-server.ts';
import { type HlsMisbehaviour, startPlantedHlsServer } from './planted-hls-server.ts';
import { runAgainst, viewersOnly } from './run-against.ts';

const VIEWERS = 4;
/** With few viewers on purpose: criteria of these scenarios are judged from few samples on. */
const hls = (durationMs: number, mode: 'classic' | 'low-latency' = 'classic'): Scenario => ({
  ...viewersOnly({ durationMs, viewers: VIEWERS, criteria: mode === 'classic' ? HLS_CRITERIA : LLHLS_CRITERIA }),
  groups: {
    viewers: {
      actor: 'hls-viewer',
      timing: { executor: 'constant-vus', vus: VIEWERS, arriveOverMs: 500 },
      options: { profile: 'strict', mode, sampleEvery: 1 },
    },
  },
});

const eventsNamed = ({ run }: RunResult, name: string): number => run.events.filter((one) => one.name === name).length;
const judgementOf = ({ verdict }: RunResult, id: string) =>
  verdict.judgements.find(({ criterion }) => criterion.id === id);

type HlsRow = readonly [
  defect: string,
  server: HlsMisbehaviour,
  scenario: Scenario,
  event: string,
  criterion: string | null,
];

describe.concurrent('an HLS server that', () => {
  test.each<HlsRow>([
    [
      'skips sequence numbers',
      { renumber: { atMs: 2500, by: 2 } },
      hls(5500),
      'hls_sequence_renumbered',
      'hls-renumbered',
    ],
    [
      'repeats sequence numbers',
      { renumber: { atMs: 2500, by: -900 } },
      hls(6000),
      'hls_sequence_regression',
      'hls-regressions',
    ],
    ['serves stale lists', { staleList: { atMs: 2000, forMs: 4000 } }, hls(7000), 'hls_list_stale', 'hls-staleness'],
    ['lies about durations', { realLength: 0.8 }, hls(5000), 'hls_duration_lie', null],
    ['lists what it does not have', { missingFromMs: 1500 }, hls(7000), 'hls_sequence_gap', 'hls-missing'],
    ['accepts and stays silent', { silent: { kind: 'media', atMs: 2000 } }, hls(6500), 'hls_accepted_but_silent', null],
    [
      'stalls for 4 s',
      { stall: { atMs: 2500, forMs: 4000 } },
      hls(8500, 'low-latency'),
      'stall',
      'llhls-rebuffer-ratio',
    ],
  ])('%s', async (_defect, misbehaviour, scenario, event, criterion) => {
    const server = await startPlantedHlsServer(misbehaviour);
    try {
      const result = await runAgainst(server.url, scenario, 1);
      expect(eventsNamed(result, event)).toBeGreaterThanOrEqual(VIEWERS);
      if (criterion !== null) expect(judgementOf(result, criterion)?.outcome).toBe('fail');
      expect(result.verdict.outcome).not.toBe('passed');
    } finally {
      await server.close();
    }
  });
}, 120_000);

describe.concurrent('an FLV server that', () => {
  test.each<
    readonly [defect: string, server: Misbehaviour, durationMs: number, event: string, criterion: string | null]
  >([
    ['accepts and stays silent', { isSilent: true }, 4000, 'flv_accepted_but_silent', null],
    ['stalls for 4 s', { stall: { atMs: 2500, forMs: 4000 } }, 8500, 'stall', 'rebuffer-ratio'],
  ])('%s', async (_defect, misbehaviour, durationMs, event, criterion) => {
    const server = await startPacedFlvServer(misbehaviour);
    try {
      const scenario = viewersOnly({ durationMs, viewers: VIEWERS, criteria: VIDEO_CRITERIA });
      const result = await runAgainst(server.url, scenario, 1);
      expect(eventsNamed(result, event)).toBeGreaterThanOrEqual(VIEWERS);
      if (criterion !== null) expect(judgementOf(result, criterion)?.outcome).toBe('fail');
      expect(result.verdict.outcome).not.toBe('passed');
    } finally {
      await server.close();
    }
  });
}, 120_000);

/** The soak's own criterion, judged from as many samples as a run of seconds has. */
function shortened(id: string): Criterion {
  const criterion = SOAK_RESOURCE_CRITERIA.find((one) => one.id === id);
  if (criterion === undefined) throw new Error(`there is no criterion ${id}`);
  return { ...criterion, samplesMin: 5, during: 'run', isMandatory: true };
}

function collecting(source: NonNullable<CollectRequest['sources']>[number]): CollectRequest {
  return { sources: [source], everyMs: 500 };
}

describe.concurrent('what only collectors see', () => {
  async function startLeaking(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
    const main = fileURLToPath(new URL('./leaking-flv-main.ts', import.meta.url));
    const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, url: line.toString().trim() };
  }

  test('a server that leaks memory', async () => {
    const { child, url } = await startLeaking();
    try {
      const scenario = viewersOnly({ durationMs: 8000, viewers: 2, criteria: [shortened('memory-slope')] });
      const source = { kind: 'process', name: 'media', where: `pid=${child.pid}` } as const;
      const result = await runAgainst(url, scenario, 1, {}, collecting(source));
      const judgement = judgementOf(result, 'memory-slope');
      expect(judgement?.outcome).toBe('fail');
      // Ten megabytes a second; a busy machine may let it leak more slowly.
      expect(judgement?.value).toBeGreaterThan(2000);
      expect(result.verdict.exitCode).toBe(1);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('a collector that dies: no data is never green', async () => {
    const server = await startPacedFlvServer();
    const ready = createServer((_request, response) => response.end('ready'));
    await new Promise<void>((done) => ready.listen(0, '127.0.0.1', done));
    setTimeout(() => {
      ready.closeAllConnections();
      ready.close();
    }, 3500);
    try {
      const criterion: Criterion = {
        ...shortened('memory-slope'),
        id: 'always-ready',
        measure: { kind: 'sample', metric: 'ready', reduce: 'min', collectors: ['health'] },
        op: '>=',
        limit: 1,
        unit: 'count',
        samplesMin: 1,
      };
      const where = `http://127.0.0.1:${(ready.address() as AddressInfo).port}/`;
      const scenario = viewersOnly({ durationMs: 9000, viewers: 2, criteria: [criterion] });
      const source = { kind: 'health', name: 'platform', where } as const;
      const result = await runAgainst(server.url, scenario, 1, {}, collecting(source));
      expect(judgementOf(result, 'always-ready')).toMatchObject({
        outcome: 'inconclusive',
        reason: expect.stringMatching(/health platform was silent/),
      });
      expect(result.verdict.exitCode).toBe(4);
    } finally {
      await server.close();
    }
  });
}, 120_000);
