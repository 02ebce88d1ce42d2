import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CollectRequest } from '../src/collectors/run-collection.ts';
import type { ProcessBindings } from '../src/faults/process-control.ts';
import { type Criterion, type RunResult, runScenario, type Scenario } from '../src/index.ts';
import { findTarget } from '../src/target/load-target.ts';

/** A scenario of strict viewers only, all there within half a second. */
export function viewersOnly(options: {
  readonly durationMs: number;
  readonly viewers: number;
  readonly criteria?: readonly Criterion[];
  readonly sampleEvery?: number;
}): Scenario {
  return {
    name: 'viewers-only',
    purpose: 'Viewers of one stream.',
    durationMs: options.durationMs,
    viewers: options.viewers,
    groups: {
      viewers: {
        actor: 'flv-viewer',
        timing: { executor: 'constant-vus', vus: options.viewers, arriveOverMs: 500 },
        options: { profile: 'strict', sampleEvery: options.sampleEvery ?? 2 },
      },
    },
    criteria: options.criteria ?? [],
    // The machine that runs the tests is busy with other tests; the guard has a test of its own.
    guard: { loopDelayP99MsMax: 400, timerLatenessP99MsMax: 400, workerCpuPercentMax: 101 },
  };
}

/** Runs a scenario against a URL in a folder that is removed afterwards. */
export async function runAgainst(
  url: string,
  scenario: Scenario,
  workers = 2,
  processes: ProcessBindings = {},
  collect: CollectRequest = {},
): Promise<RunResult> {
  const parent = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  try {
    const { description, adapter, adapterUrl } = await findTarget(new URL(url));
    const folder = join(parent, 'run');
    return await runScenario({
      scenario,
      target: description,
      adapter,
      adapterUrl,
      folder,
      size: { seed: 1 },
      workers,
      processes,
      collect,
    });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

/** Sum of a counter over the whole run. */
export function total({ run }: RunResult, metric: string): number {
  return run.lines
    .flatMap(({ counters }) => Object.entries(counters))
    .filter(([key]) => key === metric || key.startsWith(`${metric}{`))
    .reduce((sum, [, value]) => sum + value, 0);
}
