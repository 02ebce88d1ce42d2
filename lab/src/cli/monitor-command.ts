/** `monitor`: what the collectors see of a platform, on the dashboard and in a folder. Sends nobody unless asked to. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import type { AlertEvent } from '../alerts/alert.ts';
import { CollectorSetupError } from '../collectors/start-collectors.ts';
import { DashboardPortError } from '../dashboard/start-dashboard.ts';
import { formatClock, parseDurationMs } from '../engine/duration.ts';
import { runScenario } from '../engine/run-scenario.ts';
import { runMonitor } from '../monitor/monitor.ts';
import { PROBE_MS_DEFAULT, probeScenario } from '../monitor/probe-scenario.ts';
import { EndpointError } from '../outputs/prometheus-endpoint.ts';
import { RunWriteError, UnusableFolderError } from '../run-folder/run-writer.ts';
import { type FoundTarget, findTarget } from '../target/load-target.ts';
import { TargetUnreachableError } from '../target/target.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { addCollectFlags, type CollectFlags, collectRequest, openPrometheus } from './collect-flags.ts';
import { addDashboardFlag, type DashboardFlags, openAt } from './dashboard-flags.ts';
import { onInterrupt } from './interrupt.ts';
import { openWatchers } from './run-watchers.ts';
import { parseTargetUrl } from './target-url.ts';

const RUNS = fileURLToPath(new URL('../../runs/', import.meta.url));
const MS_MIN = 1000;
const PROBES_MAX = 20;

type MonitorFlags = CollectFlags &
  DashboardFlags & {
    readonly target: URL;
    readonly kind?: string;
    readonly every?: number;
    readonly duration?: number;
    readonly probeViewers?: number;
    readonly out?: string;
  };

/** `monitor --target URL`. */
export function monitorCommand(): Command {
  return addDashboardFlag(addCollectFlags(new Command('monitor')))
    .description('watch a platform on the dashboard, without a load')
    .option('-t, --target <url>', 'as for run', parseTargetUrl, new URL('http://127.0.0.1:3000'))
    .option('--kind <adapter>', 'skip detection and use this adapter of lab/targets')
    .option('--every <time>', 'how often the collectors look, the same as --collect-every (default: 5s)', parseTime)
    .option('--duration <time>', 'end after this; otherwise Ctrl-C ends it', parseTime)
    .option('--probe-viewers <n>', 'also send so many viewers of each kind, as canaries', parseProbes)
    .option('-o, --out <dir>', 'folder to make (default: lab/runs/monitor-<time>)')
    .action(async (flags: MonitorFlags) => {
      process.exitCode = await monitor(flags);
    });
}

async function monitor(asked: MonitorFlags): Promise<number> {
  const everyMs = asked.every ?? asked.collectEvery;
  const flags = {
    ...asked,
    dashboard: asked.dashboard ?? true,
    ...(everyMs === undefined ? {} : { collectEvery: everyMs }),
  };
  const folder = resolve(flags.out ?? resolve(RUNS, `monitor-${timeStamp(new Date())}`));
  const interrupt = onInterrupt();
  try {
    const found = await findTarget(flags.target, flags.kind);
    const { kind, url, subject } = found.description;
    console.log(`watching ${kind} ${url}, ${subject}\nfolder: ${folder}`);
    if (flags.probeViewers === undefined) await watch(found, flags, folder, interrupt.signal);
    else await watchWithViewers(found, flags, flags.probeViewers, folder, interrupt.signal);
    return EXIT_CODES.passed;
  } catch (error) {
    const code = EXITS.find(([kind]) => error instanceof kind)?.[1];
    if (code === undefined || !(error instanceof Error)) throw error;
    console.error(`lab: ${error.message}`);
    return code;
  } finally {
    interrupt.forget();
  }
}

const EXITS = [
  [TargetUnreachableError, EXIT_CODES.unreachable],
  [DashboardPortError, EXIT_CODES.usage],
  [EndpointError, EXIT_CODES.usage],
  [CollectorSetupError, EXIT_CODES.usage],
  [UnusableFolderError, EXIT_CODES.usage],
  [RunWriteError, EXIT_CODES.invalid],
] as const;

type Watching = MonitorFlags & { readonly dashboard: NonNullable<DashboardFlags['dashboard']> };

async function watch(found: FoundTarget, flags: Watching, folder: string, signal: AbortSignal): Promise<void> {
  const { everyMs, sources = [] } = collectRequest(flags);
  const dashboard = await openAt(flags.dashboard, 'monitor');
  try {
    const metrics = await openPrometheus(flags);
    try {
      const { elapsedMs, lines, alerts } = await runMonitor({
        target: found.description,
        sources,
        ...(everyMs === undefined ? {} : { everyMs }),
        ...(flags.duration === undefined ? {} : { durationMs: flags.duration }),
        folder,
        signal,
        dashboard,
        sampled: (line) => metrics.observer.sampled?.(line),
        onSources: (present, absent) => console.log(describeSources(present, absent)),
        onAlert: (alert) => console.log(describeAlert(alert)),
      });
      console.log(`watched for ${formatClock(elapsedMs)}: ${lines} lines in samples.jsonl, ${alerts} alerts`);
    } finally {
      await metrics.close();
    }
  } finally {
    await dashboard.close();
  }
}

/** A run that judges nothing: its folder is a run folder, and `report` makes a page of it. */
async function watchWithViewers(
  { description, adapter, adapterUrl }: FoundTarget,
  flags: Watching,
  viewers: number,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const scenario = probeScenario(viewers, flags.duration ?? PROBE_MS_DEFAULT);
  const watchers = await openWatchers(flags, scenario);
  try {
    const { verdict } = await runScenario({
      scenario,
      target: description,
      adapter,
      adapterUrl,
      folder,
      size: { seed: 1 },
      workers: 1,
      signal,
      observer: watchers.observer,
      collect: collectRequest(flags),
    });
    watchers.finish(verdict);
    console.log(`watched; a page of it: npm run lab -- report ${folder}`);
  } finally {
    await watchers.close();
  }
}

type Named = { readonly kind: string; readonly name: string };

function describeSources(present: readonly Named[], absent: readonly Named[]): string {
  const list = (sources: readonly Named[]): string => sources.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  const missing = absent.length === 0 ? '' : `; not there: ${list(absent)}`;
  return `collecting from ${present.length === 0 ? 'this machine only' : list(present)}${missing}`;
}

function describeAlert({ name, atMs, source, title, value, threshold }: AlertEvent): string {
  if (name === 'alert_cleared') return `${formatClock(atMs)} over: ${source}: ${title}`;
  const figures = value === null ? '' : ` (${Math.round(value * 100) / 100}, limit ${threshold})`;
  return `${formatClock(atMs)} ALERT ${source}: ${title}${figures}`;
}

function timeStamp(now: Date): string {
  return now
    .toISOString()
    .replace(/[-:]|\.\d+Z/g, '')
    .replace('T', '-');
}

function parseTime(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < MS_MIN) throw new InvalidArgumentError('It must be a time of at least 1 s, e.g. 5s or 30m.');
  return ms;
}

function parseProbes(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > PROBES_MAX) {
    throw new InvalidArgumentError(
      `It must be a whole number from 1 to ${PROBES_MAX}: more is a load, which is a run.`,
    );
  }
  return count;
}
