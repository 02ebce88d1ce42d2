import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { CollectorSetupError } from '../collectors/start-collectors.ts';
import { DashboardPortError } from '../dashboard/start-dashboard.ts';
import { PlanError } from '../engine/arrivals.ts';
import { parseDurationMs } from '../engine/duration.ts';
import { makePlan, type PlanOptions } from '../engine/plan.ts';
import { type RunResult, runScenario } from '../engine/run-scenario.ts';
import type { Scenario } from '../engine/scenario.ts';
import { FaultNetworkError } from '../faults/fault-network.ts';
import { findProcesses, ProcessNotFoundError } from '../faults/find-process.ts';
import type { ProcessBindings } from '../faults/process-control.ts';
import { EndpointError } from '../outputs/prometheus-endpoint.ts';
import { ParityReferenceError } from '../parity/parity-reference.ts';
import { PublishError } from '../publisher/publisher-fleet.ts';
import { REPORT_FORMATS, writeReport } from '../report/write-report.ts';
import { summariseRepetitions } from '../run-folder/repetitions.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { RunWriteError, UnusableFolderError } from '../run-folder/run-writer.ts';
import { listTargetKinds } from '../target/load-target.ts';
import { TargetUnreachableError } from '../target/target.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import {
  addCapacityFlags,
  type CapacityFlags,
  checkCapacity,
  honestyOptions,
  OverCapacityError,
} from './capacity-flags.ts';
import { addCollectFlags, type CollectFlags, collectRequest } from './collect-flags.ts';
import { addDashboardFlag, type DashboardFlags } from './dashboard-flags.ts';
import { type Escalating, escalate, isEscalation } from './escalate.ts';
import { addFormatFlag, type FormatFlag } from './format-flag.ts';
import { onInterrupt } from './interrupt.ts';
import { listScenarios, loadScenario, ScenarioError } from './load-scenario.ts';
import { addParityFlags, checkParity, type ParityFlags, ParityMismatchError } from './parity-flags.ts';
import { addCommand, addProcess, mergeBindings } from './process-flags.ts';
import { createProgressView } from './progress-view.ts';
import { repetitionReport } from './repetition-report.ts';
import { openWatchers } from './run-watchers.ts';
import { addParameter, type ScenarioParameters } from './scenario-parameters.ts';
import { sentinelReport } from './sentinel-report.ts';
import { addStreamFlags, type OpenedStreams, openStreams, type StreamFlags } from './stream-flags.ts';
import { parseTargetUrl } from './target-url.ts';
import { terminalReport } from './terminal-report.ts';

const LAB = fileURLToPath(new URL('../../', import.meta.url));

type RunFlags = CollectFlags &
  CapacityFlags &
  ParityFlags &
  DashboardFlags &
  StreamFlags &
  FormatFlag & {
    readonly target: URL;
    readonly kind?: string;
    readonly out?: string;
    readonly viewers?: number;
    readonly duration?: number;
    readonly timeScale?: number;
    readonly seed: number;
    readonly workers?: number;
    readonly set?: ScenarioParameters;
    readonly process?: ProcessBindings;
    readonly command?: ProcessBindings;
    readonly repeat: number;
  };

/** `run SCENARIO --target URL`. */
export function runCommand(): Command {
  const collecting = addCapacityFlags(addCollectFlags(new Command('run')));
  return addFormatFlag(addStreamFlags(addDashboardFlag(addParityFlags(collecting))), REPORT_FORMATS)
    .description('run a scenario against a target and judge it')
    .argument('<scenario>', 'a name from lab/scenarios, or the path of a scenario file')
    .option(
      '-t, --target <url>',
      'web origin of the platform, or full URL of an FLV stream or an HLS playlist',
      parseTargetUrl,
      new URL('http://127.0.0.1:3000'),
    )
    .option('--kind <adapter>', 'skip detection and use this adapter of lab/targets')
    .option('-o, --out <dir>', 'run folder to make (default: lab/runs/<scenario>-<time>)')
    .option('--viewers <n>', 'size of the run; all groups scale with it', parseCount)
    .option('--duration <time>', 'length of the run, e.g. 60s or 5m; stages shrink with it', parseDuration)
    .option('--time-scale <factor>', 'length as a share of the full length, e.g. 0.1', parseFactor)
    .option('--seed <n>', 'seed of the plan and of every random choice', parseCount, 1)
    .option('--workers <n>', 'worker threads (default: one per core)', parseCount)
    .option(
      '--set <name=number>',
      'a number that the scenario lets you choose, e.g. llhls-share=0.2; repeatable',
      addParameter,
    )
    .option(
      '--repeat <n>',
      'the same plan so many times, each in its own folder; the worst is the verdict',
      parseCount,
      1,
    )
    .option(
      '--process <name=pid>',
      'a process that the faults of the scenario may pause or kill; media-server=auto: who listens there; repeatable',
      addProcess,
    )
    .option(
      '--command <name:verb=command>',
      'how to stop or start such a process, e.g. publisher:start=…; repeatable',
      addCommand,
    )
    .action(async (name: string, flags: RunFlags) => {
      process.exitCode = await run(name, flags);
    });
}

async function run(name: string, flags: RunFlags): Promise<number> {
  if (flags.duration !== undefined && flags.timeScale !== undefined) {
    return refuse('--duration and --time-scale both set the length: use one of them', EXIT_CODES.usage);
  }
  if (flags.repeat > 1 && Object.values(flags.process ?? {}).some(({ pid }) => pid !== undefined)) {
    return refuse(
      '--repeat and --process: a process that was killed has another pid in the next repetition; use auto, or --command',
      EXIT_CODES.usage,
    );
  }
  if (flags.kind !== undefined && !(await listTargetKinds()).includes(flags.kind)) {
    return refuse(
      `there is no adapter ${flags.kind}; there are: ${(await listTargetKinds()).join(', ')}`,
      EXIT_CODES.usage,
    );
  }
  try {
    const scenario = await loadScenario(name, flags.set);
    if (scenario === null) {
      return refuse(`there is no scenario ${name}; there are: ${(await listScenarios()).join(', ')}`, EXIT_CODES.usage);
    }
    const parity = await checkParity(flags, flags.target);
    const streams = await openStreams(scenario, { url: flags.target, kind: flags.kind }, sizeOf(flags), flags);
    try {
      return await execute(scenario, streams, { ...flags, ...(parity === null ? {} : { held: parity }) });
    } finally {
      await streams.close();
    }
  } catch (error) {
    if (error instanceof ParityMismatchError) return refuse(error.message, EXIT_CODES.parity);
    if (error instanceof TargetUnreachableError) return refuse(error.message, EXIT_CODES.unreachable);
    if (USAGE_ERRORS.some((kind) => error instanceof kind)) {
      return refuse((error as Error).message, EXIT_CODES.usage);
    }
    if (error instanceof RunWriteError) return refuse(error.message, EXIT_CODES.invalid);
    throw error;
  }
}

async function execute(scenario: Scenario, streams: OpenedStreams, asked: RunFlags): Promise<number> {
  const folder = resolve(asked.out ?? resolve(LAB, 'runs', `${scenario.name}-${timeStamp(new Date())}`));
  const interrupt = onInterrupt();
  try {
    if (isEscalation(scenario)) return await searchBreakingPoint(scenario, streams, asked, folder, interrupt.signal);
    const flags = await withCapacity(scenario, streams, asked);
    if (flags.repeat === 1) return (await runOnce(scenario, streams, flags, folder, interrupt.signal)).verdict.exitCode;
    return await runRepeatedly(scenario, streams, flags, folder, interrupt.signal);
  } finally {
    interrupt.forget();
  }
}

/** Throws OverCapacityError. */
async function withCapacity(scenario: Scenario, { found }: OpenedStreams, flags: RunFlags): Promise<RunFlags> {
  return { ...flags, capacity: await checkCapacity(scenario, found.description, sizeOf(flags), flags) };
}

/** Each step is a run of its own; one that this machine cannot be trusted with ends the climb. */
function searchBreakingPoint(
  scenario: Escalating['scenario'],
  streams: OpenedStreams,
  flags: RunFlags,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  return escalate({
    scenario,
    folder,
    stepMs: makePlan(scenario, { ...sizeOf(flags), viewers: 1 }).durationMs,
    viewers: flags.viewers,
    subject: `${streams.found.description.url}, ${streams.found.description.subject}`,
    runStep: async (viewers, stepFolder) => {
      try {
        return await runOnce(
          scenario,
          streams,
          await withCapacity(scenario, streams, { ...flags, viewers }),
          stepFolder,
          signal,
        );
      } catch (error) {
        if (error instanceof OverCapacityError) return { refused: error.message };
        throw error;
      }
    },
  });
}

async function runOnce(
  scenario: Scenario,
  streams: OpenedStreams,
  flags: RunFlags,
  folder: string,
  signal: AbortSignal,
): Promise<RunResult> {
  const { found, extras } = streams;
  const processes = await processesOf(streams, flags);
  const view = createProgressView(process.stdout, scenario, found.description, signal);
  const watchers = await openWatchers(flags, scenario);
  try {
    const { verdict, run } = await runScenario({
      scenario,
      target: found.description,
      adapter: found.adapter,
      adapterUrl: found.adapterUrl,
      folder,
      size: sizeOf(flags),
      ...honestyOptions(flags),
      ...(flags.workers === undefined ? {} : { workers: flags.workers }),
      processes,
      extras,
      signal,
      onProgress: view.update,
      observer: watchers.observer,
      collect: collectRequest(flags),
    });
    view.end();
    watchers.finish(verdict);
    const reportPath = await writeReport(run, verdict, flags.format);
    console.log([terminalReport(run, verdict, reportPath), await sentinelReport(run)].join('\n').trimEnd());
    return { verdict, run };
  } finally {
    view.end();
    await watchers.close();
  }
}

/** What the user named wins over the publisher of the lab. A pid is looked for before every run: a killed process has another. */
async function processesOf({ found, processes }: OpenedStreams, flags: RunFlags): Promise<ProcessBindings> {
  const named = { ...processes, ...mergeBindings(flags.process, flags.command) };
  const { bindings, found: pids } = await findProcesses(named, found.description);
  for (const { name, pid, port, command } of pids)
    console.log(`${name}: process ${pid}, listens on ${port}: ${command}`);
  return bindings;
}

function sizeOf({ seed, viewers, duration, timeScale }: RunFlags): PlanOptions {
  return {
    seed,
    ...(viewers === undefined ? {} : { viewers }),
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...(timeScale === undefined ? {} : { timeScale }),
  };
}

/** Same plan, same seed: what differs is what the target and the machine did. */
async function runRepeatedly(
  scenario: Scenario,
  streams: OpenedStreams,
  flags: RunFlags,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  const runs: { folder: string; verdict: RunVerdict }[] = [];
  for (let number = 1; number <= flags.repeat && !signal.aborted; number += 1) {
    const name = `repetition-${number}`;
    runs.push({
      folder: name,
      verdict: (await runOnce(scenario, streams, flags, resolve(folder, name), signal)).verdict,
    });
  }
  const summary = summariseRepetitions(runs, flags.repeat);
  const path = resolve(folder, 'repetitions.json');
  await writeFile(path, `${JSON.stringify(summary, null, 2)}\n`);
  console.log(repetitionReport(summary, path));
  return summary.exitCode;
}

const USAGE_ERRORS = [
  ProcessNotFoundError,
  PublishError,
  OverCapacityError,
  ParityReferenceError,
  EndpointError,
  CollectorSetupError,
  UnusableFolderError,
  ScenarioError,
  PlanError,
  FaultNetworkError,
  DashboardPortError,
];

function refuse(message: string, code: number): number {
  console.error(`lab: ${message}`);
  return code;
}

function timeStamp(now: Date): string {
  return now
    .toISOString()
    .replace(/[-:]|\.\d+Z/g, '')
    .replace('T', '-');
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}

function parseDuration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < 1000) throw new InvalidArgumentError('It must be a time of at least 1 s, e.g. 90s or 5m.');
  return ms;
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (!(factor > 0 && factor <= 100)) throw new InvalidArgumentError('It must be a number above 0, e.g. 0.1.');
  return factor;
}
