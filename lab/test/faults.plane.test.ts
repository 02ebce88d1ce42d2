import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import type { ScheduledFault } from '../src/faults/fault.ts';
import type { ProcessBindings } from '../src/faults/process-control.ts';
import { TcpProxy } from '../src/faults/tcp-proxy.ts';
import type { RunResult, Scenario } from '../src/index.ts';
import { mergedTrend } from '../src/run-folder/run-figures.ts';
import { startPacedFlvServer } from './paced-flv-server.ts';
import { runAgainst, total, viewersOnly } from './run-against.ts';

// A measurement is made up to three times where the machine is crowded.
vi.setConfig({ testTimeout: 150_000 });

const VIEWERS = 4;

function withFault(fault: ScheduledFault, durationMs = 9000): Scenario {
  return { ...viewersOnly({ durationMs, viewers: VIEWERS, sampleEvery: 1 }), faults: [fault] };
}

const events = ({ run }: RunResult, name: string) => run.events.filter((event) => event.name === name);
const stamp = (result: RunResult, name: string): number => events(result, name)[0]?.atMs ?? Number.NaN;

/** The lab says itself when it was too busy to measure; on a crowded machine the measurement is then made again. */
async function trusted(measure: () => Promise<RunResult>): Promise<RunResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await measure();
    if (result.verdict.invalidBecause === null || attempt === 3) return result;
  }
}

const STRICT_GUARD = { loopDelayP99MsMax: 50, timerLatenessP99MsMax: 50, workerCpuPercentMax: 80 };

describe.concurrent('known delays', () => {
  /** The least delay: a player without a buffer falls behind with every frame that a busy machine sends late. */
  async function leastDelay(latencyMs: number): Promise<number> {
    const server = await startPacedFlvServer();
    const proxy = await TcpProxy.open({ host: '127.0.0.1', port: Number(new URL(server.url).port), seed: 1 });
    proxy.apply(latencyMs === 0 ? [] : [{ kind: 'latency', latencyMs, direction: 'to-client' }]);
    try {
      const url = new URL(server.url);
      url.port = String(proxy.port);
      const scenario = viewersOnly({ durationMs: 7000, viewers: 2, sampleEvery: 1 });
      const { run } = await trusted(() => runAgainst(url.href, { ...scenario, guard: STRICT_GUARD }, 1));
      return mergedTrend(run, 'latency_capture_ms')?.percentileMs(0) ?? Number.NaN;
    } finally {
      await proxy.close();
      await server.close();
    }
  }

  const undelayed = leastDelay(0);
  test.each([500, 1000, 3000])('%d ms injected by the proxy are measured within 50 ms', async (latencyMs) => {
    const [near, far] = await Promise.all([undelayed, leastDelay(latencyMs)]);
    expect(Math.abs(far - near - latencyMs)).toBeLessThanOrEqual(50);
  });
});

test('a partition of two seconds: stamped, verified, and a stall of two seconds within 100 ms for everybody', async () => {
  const server = await startPacedFlvServer();
  try {
    const scenario = withFault({
      name: 'cut',
      atMs: 3000,
      durationMs: 2000,
      fault: { kind: 'partition' },
      on: ['video'],
    });
    const result = await trusted(() => runAgainst(server.url, { ...scenario, guard: STRICT_GUARD }));
    const [injectedMs, healedMs] = [stamp(result, 'fault_injected'), stamp(result, 'fault_healed')];
    expect(Math.abs(injectedMs - 3000)).toBeLessThanOrEqual(100);
    expect(Math.abs(healedMs - injectedMs - 2000)).toBeLessThanOrEqual(100);
    expect(events(result, 'fault_active')[0]?.detail).toEqual({ fault: 'cut', by: 'the probe was not answered' });
    const stalls = events(result, 'stall').filter(({ detail }) => Number(detail.duration_ms) > 1000);
    expect(stalls).toHaveLength(VIEWERS);
    for (const { detail } of stalls) {
      expect(Math.abs(Number(detail.duration_ms) - (healedMs - injectedMs))).toBeLessThanOrEqual(100);
    }
    expect(total(result, 'recovery_viewers_total')).toBe(VIEWERS);
    expect(total(result, 'recovery_disturbed_total')).toBe(VIEWERS);
    expect(total(result, 'recovered_5s_total')).toBe(VIEWERS);
    expect(mergedTrend(result.run, 'recovery_ms')?.maxMs).toBeLessThan(1000);
    expect(total(result, 'flv_reconnects_total')).toBe(0);
    expect(result.run.manifest.faults?.[0]).toMatchObject({ name: 'cut', skippedBecause: null });
  } finally {
    await server.close();
  }
});

describe.concurrent('faults of the network', () => {
  test.each<[ScheduledFault['fault'], RegExp]>([
    [{ kind: 'latency', latencyMs: 300 }, /answered after [67]\d\d ms/],
    [{ kind: 'reset' }, /turned away/],
    [{ kind: 'bandwidth', bytesPerSecond: 4000 }, /bytes in/],
    [{ kind: 'slicer', pieceBytes: 200, gapMs: 5 }, /bytes in/],
  ])('%o is verified by a probe of its own', async (fault, by) => {
    const server = await startPacedFlvServer();
    try {
      const scheduled: ScheduledFault = { name: 'f', atMs: 2000, durationMs: 4000, fault, on: ['video'] };
      const result = await runAgainst(server.url, withFault(scheduled, 7500), 1);
      expect(events(result, 'fault_active')[0]?.detail.by).toMatch(by);
      expect(events(result, 'fault_healed')).toHaveLength(1);
      expect(total(result, 'faults_verified_total')).toBe(1);
    } finally {
      await server.close();
    }
  });

  test('a fault without effect is named, and nobody recovers from it', async () => {
    const server = await startPacedFlvServer();
    try {
      const fault = { kind: 'bandwidth', bytesPerSecond: 1e9 } as const;
      const scheduled: ScheduledFault = { name: 'f', atMs: 2000, durationMs: 1000, fault, on: ['video'] };
      const result = await runAgainst(server.url, withFault(scheduled, 4000));
      expect(events(result, 'fault_unverified')).toHaveLength(1);
      expect([total(result, 'faults_planned_total'), total(result, 'faults_verified_total')]).toEqual([1, 0]);
      expect(total(result, 'recovery_viewers_total')).toBe(0);
    } finally {
      await server.close();
    }
  });

  test('a plane that the target lacks, and a process that nobody named: skipped, with the reason', async () => {
    const server = await startPacedFlvServer();
    try {
      const scenario = withFault(
        { name: 'room', atMs: 1000, durationMs: 500, fault: { kind: 'partition' }, on: ['realtime'] },
        3000,
      );
      const killed: ScheduledFault = {
        name: 'killed',
        atMs: 2000,
        durationMs: 500,
        fault: { kind: 'process-kill', process: 'media-server' },
        on: ['video'],
      };
      const result = await runAgainst(server.url, { ...scenario, faults: [...(scenario.faults ?? []), killed] });
      expect(events(result, 'fault_skipped').map(({ detail }) => detail)).toEqual([
        { fault: 'room', reason: 'the target has no realtime plane' },
        { fault: 'killed', reason: 'no process was named: --process media-server=<pid>' },
      ]);
      expect(events(result, 'fault_injected')).toEqual([]);
    } finally {
      await server.close();
    }
  });
});

describe.concurrent('faults of a process', () => {
  const MAIN = fileURLToPath(new URL('./paced-flv-main.ts', import.meta.url));

  async function startProcess(port = 0): Promise<{ readonly child: ChildProcess; readonly url: string }> {
    const child = spawn(process.execPath, [MAIN, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, url: line.toString().trim() };
  }

  async function runWith(
    kind: 'process-pause' | 'process-kill',
    bindings: (child: ChildProcess, url: string) => ProcessBindings,
    atMs: number,
    durationMs: number,
  ): Promise<RunResult> {
    const { child, url } = await startProcess();
    try {
      const fault = { kind, process: 'server' } as const;
      const scenario = withFault({ name: 'down', atMs, durationMs: 2000, fault, on: ['video'] }, durationMs);
      return await runAgainst(url, scenario, 2, bindings(child, url));
    } finally {
      child.kill('SIGKILL');
    }
  }

  test('paused: stops answering, goes on where it was', async () => {
    const result = await runWith('process-pause', ({ pid = 0 }) => ({ server: { pid } }), 3000, 9000);
    expect(events(result, 'fault_active')).toHaveLength(1);
    expect(events(result, 'fault_healed')).toHaveLength(1);
    expect(total(result, 'recovered_5s_total')).toBe(VIEWERS);
    const outageMs = mergedTrend(result.run, 'fault_outage_ms')?.maxMs ?? Number.NaN;
    expect(outageMs).toBeGreaterThan(1900);
    expect(outageMs).toBeLessThan(3500);
  });

  test('killed, and started again by the command: viewers reconnect and see a new picture', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'showfloor-lab-'));
    const pidFile = join(folder, 'pid');
    try {
      const result = await runWith(
        'process-kill',
        ({ pid = 0 }, url) => ({
          server: { pid, start: `exec ${process.execPath} ${MAIN} ${new URL(url).port} & echo $! > ${pidFile}` },
        }),
        7000, // the stream must be older than what a server repeats to those who come back
        15_000,
      );
      expect(events(result, 'fault_active')[0]?.detail.by).toBe('the process is gone');
      expect(stamp(result, 'fault_healed')).toBeGreaterThanOrEqual(9000);
      expect(total(result, 'recovery_viewers_total')).toBe(VIEWERS);
      expect(total(result, 'recovered_10s_total')).toBe(VIEWERS);
      expect(total(result, 'flv_reconnects_total')).toBeGreaterThanOrEqual(VIEWERS);
    } finally {
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
});
