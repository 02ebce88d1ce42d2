/** Runs a load client on its core and measures the server around the client's own window. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { coresBusySeconds, cpuSeconds, LOAD_CORE, residentMb } from './machine.ts';

/** A program that prints `MEASURE` when its window begins and one line of JSON when it ends. */
export type LoadClient = Readonly<{ kind: 'C' | 'Node'; command: string; args: readonly string[] }>;

/** What the server cost in the client's window, and whether anything else was in the way. */
export type Cost = Readonly<{
  /** Shares of one core. */
  serverCpu: number;
  /** Client and publisher together. */
  loadCoreBusy: number;
  /** Of either core, by programs outside the benchmark. */
  foreign: number;
  rssMb: number;
  /** Resident memory when the client began. */
  rssBeforeMb: number;
}>;

const LOAD_CORE_BUSY_MAX = 0.9;
const FOREIGN_MAX = 0.15;

/** Compiles `NAME.c` here and now; null without a compiler. */
export function compileLoadClient(name: string, folder: string): LoadClient | null {
  const binary = join(folder, name);
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  if (spawnSync('gcc', ['-O2', '-o', binary, source]).status !== 0) return null;
  return { kind: 'C', command: binary, args: [] };
}

/** Runs the client against the server with this pid. `R` is the shape of the client's JSON. Rejects when it ends without. */
export async function runLoad<R extends Readonly<{ clientCpu: number; seconds: number }>>(
  client: LoadClient,
  args: readonly (string | number)[],
  serverPid: number,
): Promise<R & Cost> {
  const rssBeforeMb = residentMb(serverPid);
  const command = ['-c', String(LOAD_CORE), client.command, ...client.args, ...args.map(String)];
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  let cpuBefore = 0;
  let own = process.cpuUsage();
  let busy = coresBusySeconds();
  for await (const text of createInterface({ input: child.stdout })) {
    if (text === 'MEASURE') {
      cpuBefore = cpuSeconds(serverPid);
      own = process.cpuUsage();
      busy = coresBusySeconds();
      continue;
    }
    const result = JSON.parse(text) as R;
    const serverCpu = (cpuSeconds(serverPid) - cpuBefore) / result.seconds;
    const { user, system } = process.cpuUsage(own);
    const loadCoreBusy = result.clientCpu + (user + system) / 1e6 / result.seconds;
    const all = (coresBusySeconds() - busy) / result.seconds;
    const foreign = Math.max(0, (all - serverCpu - loadCoreBusy) / 2);
    return { ...result, serverCpu, loadCoreBusy, foreign, rssMb: residentMb(serverPid), rssBeforeMb };
  }
  throw new Error('the load client ended without a result');
}

/** A sentence when the machine, not the server, may be what was measured; else null. */
export function whyTainted({ loadCoreBusy, foreign }: Cost): string | null {
  if (loadCoreBusy <= LOAD_CORE_BUSY_MAX && foreign <= FOREIGN_MAX) return null;
  return `load core ${(loadCoreBusy * 100).toFixed(0)} %, other programs ${(foreign * 100).toFixed(0)} % of each core`;
}
