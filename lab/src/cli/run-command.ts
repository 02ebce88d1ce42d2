import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { CollectorSetupError } from '../collectors/start-collectors.ts';
import { DashboardPortError } from '../dashboard/start-dashboard.ts';
import { PlanError } from '../engine/arrivals.ts';
import { parseDurationMs } from '../engine/duration.ts';
import { runScenario } from '../engine/run-scenario.ts';
import type { Scenario } from '../engine/scenario.ts';
import { FaultNetworkError } from '../faults/fault-network.ts';
import type { ProcessBindings } from '../faults/process-control.ts';
import { EndpointError } from '../outputs/prometheus-endpoint.ts';
import { writeReport } from '../report/write-report.ts';
import { summariseRepetitions } from '../run-folder/repetitions.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { RunWriteError, UnusableFolderError } from '../run-folder/run-writer.ts';
import { type FoundTarget, findTarget, listTargetKinds } from '../target/load-target.ts';
import { TargetUnreachableError } from '../target/target.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { addCollectFlags, type CollectFlags, collectRequest } from './collect-flags.ts';
import { addDashboardFlag, type DashboardFlags } from './dashboard-flags.ts';
import { addCommand, addProcess, mergeBindings } from './process-flags.ts';
import { createProgressView } from './progress-view.ts';
import { repetitionReport } from './repetition-report.ts';
import { openWatchers } from './run-watchers.ts';
import { addParameter, configured, type ScenarioModule, type ScenarioParameters } from './scenario-parameters.ts';
import { terminalReport } from './terminal-report.ts';

const LAB = fileURLToPath(new URL('../../', import.meta.url));
/** One Ctrl-C reaches the lab twice when npm runs it; a second one that is meant comes later. */
const SECOND_SIGNAL_AFTER_MS = 500;
const SCENARIOS = resolve(LAB, 'scenarios');

type RunFlags = CollectFlags & DashboardFlags & {
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
  return addDashboardFlag(addCollectFlags(new Command('run')))
    .description('run a scenario against a target and judge it')
    .argument('<scenario>', 'a name from lab/scenarios, or the path of a scenario file')
    .option(
      '-t, --target <url>',
      'web origin of the platform, or full URL of an FLV stream or an HLS playlist',
      parseUrl,
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
      'a process that the faults of the scenario may pause or kill; repeatable',
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
  if (flags.repeat > 1 && flags.process !== undefined) {
    return refuse(
      '--repeat and --process: a process that was killed has another pid in the next repetition; use --command',
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
    return await execute(scenario, await findTarget(flags.target, flags.kind), flags);
  } catch (error) {
    if (error instanceof TargetUnreachableError) return refuse(error.message, EXIT_CODES.unreachable);
    if (USAGE_ERRORS.some((kind) => error instanceof kind)) {
      return refuse((error as Error).message, EXIT_CODES.usage);
    }
    if (error instanceof RunWriteError) return refuse(error.message, EXIT_CODES.invalid);
    throw error;
  }
}

async function execute(scenario: Scenario, found: FoundTarget, flags: RunFlags): Promise<number> {
  const folder = resolve(flags.out ?? resolve(LAB, 'runs', `${scenario.name}-${timeStamp(new Date())}`));
  const interrupt = new AbortController();
  let interruptedAtMs = Number.NEGATIVE_INFINITY;
  const onSignal = (): void => {
    const sinceMs = performance.now() - interruptedAtMs;
    if (interrupt.signal.aborted && sinceMs > SECOND_SIGNAL_AFTER_MS) process.exit(EXIT_CODES.interrupted);
    if (!interrupt.signal.aborted) interruptedAtMs = performance.now();
    interrupt.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    if (flags.repeat === 1) return (await runOnce(scenario, found, flags, folder, interrupt.signal)).exitCode;
    return await runRepeatedly(scenario, found, flags, folder, interrupt.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function runOnce(
  scenario: Scenario,
  found: FoundTarget,
  flags: RunFlags,
  folder: string,
  signal: AbortSignal,
): Promise<RunVerdict> {
  const view = createProgressView(process.stdout, scenario, found.description, signal);
  const watchers = await openWatchers(flags, scenario);
  try {
    const { verdict, run } = await runScenario({
      scenario,
      target: found.description,
      adapter: found.adapter,
      adapterUrl: found.adapterUrl,
      folder,
      size: {
        seed: flags.seed,
        ...(flags.viewers === undefined ? {} : { viewers: flags.viewers }),
        ...(flags.duration === undefined ? {} : { durationMs: flags.duration }),
        ...(flags.timeScale === undefined ? {} : { timeScale: flags.timeScale }),
      },
      ...(flags.workers === undefined ? {} : { workers: flags.workers }),
      processes: mergeBindings(flags.process, flags.command),
      signal,
      onProgress: view.update,
      observer: watchers.observer,
      collect: collectRequest(flags),
    });
    view.end();
    watchers.finish(verdict);
    const reportPath = await writeReport(run, verdict);
    console.log(terminalReport(run, verdict, reportPath));
    return verdict;
  } finally {
    view.end();
    await watchers.close();
  }
}

/** Same plan, same seed: what differs is what the target and the machine did. */
async function runRepeatedly(
  scenario: Scenario,
  found: FoundTarget,
  flags: RunFlags,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  const runs: { folder: string; verdict: RunVerdict }[] = [];
  for (let number = 1; number <= flags.repeat && !signal.aborted; number += 1) {
    const name = `repetition-${number}`;
    runs.push({ folder: name, verdict: await runOnce(scenario, found, flags, resolve(folder, name), signal) });
  }
  const summary = summariseRepetitions(runs, flags.repeat);
  const path = resolve(folder, 'repetitions.json');
  await writeFile(path, `${JSON.stringify(summary, null, 2)}\n`);
  console.log(repetitionReport(summary, path));
  return summary.exitCode;
}

async function loadScenario(name: string, parameters: ScenarioParameters = {}): Promise<Scenario | null> {
  const path = /\.[cm]?[jt]s$/.test(name) ? resolve(name) : resolve(SCENARIOS, `${name}.ts`);
  if (!existsSync(path)) return null;
  let module: ScenarioModule;
  try {
    module = (await import(pathToFileURL(path).href)) as ScenarioModule;
  } catch (error) {
    throw new ScenarioError(`${path} cannot be loaded: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  if (module.scenario === undefined) return null;
  const made = configured(module, parameters);
  if ('unknown' in made) {
    const choice = made.known.length === 0 ? 'nothing can be set' : `what can be set: ${made.known.join(', ')}`;
    throw new ScenarioError(`${name} knows no ${made.unknown.join(', ')}; ${choice}`);
  }
  const { scenario } = made;
  const missing = SCENARIO_FIELDS.filter((field) => scenario?.[field] === undefined);
  if (missing.length === 0) return scenario as Scenario;
  throw new ScenarioError(`${path} is no scenario: it has no ${missing.join(', ')}`);
}

const SCENARIO_FIELDS = ['name', 'purpose', 'durationMs', 'viewers', 'groups', 'criteria'] as const;

/** A scenario file that cannot be used. */
class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

const USAGE_ERRORS = [
  EndpointError,
  CollectorSetupError,
  UnusableFolderError,
  ScenarioError,
  PlanError,
  FaultNetworkError,
  DashboardPortError,
];

async function listScenarios(): Promise<string[]> {
  const files = (await readdir(SCENARIOS)).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3));
  const found = await Promise.all(files.map(async (name) => ((await loadScenario(name)) === null ? [] : [name])));
  return found.flat().sort();
}

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

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('It must be an http or https URL, e.g. http://127.0.0.1:3000');
  }
  return url;
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
