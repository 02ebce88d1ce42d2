/** What the benchmarks read of the machine, and how they divide it: servers on one core, everything else on another. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** The core that servers run on; load and publisher take the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;
const TICKS_PER_SECOND = 100; // CLK_TCK of every Linux that Node runs on

/** A sentence when the machine cannot run the benchmarks, else null. */
export function whyNot(): string | null {
  if (availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0) return null;
  return 'this benchmark needs Linux with taskset and two cores';
}

/** Moves this process, where publishers run, to the core that is not measured. */
export function moveToLoadCore(): void {
  spawnSync('taskset', ['-a', '-cp', String(LOAD_CORE), String(process.pid)]);
}

/** User and system time of a process, all threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Time that the two cores were busy with anything. */
export function coresBusySeconds(): number {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  let ticks = 0;
  for (const core of [SERVER_CORE, LOAD_CORE]) {
    const fields = lines.find((text) => text.startsWith(`cpu${core} `))?.split(' ') ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields.slice(1).map(Number);
    ticks += user + nice + system + irq + softIrq;
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** Describes the machine for a document. */
export function machineName(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}`;
}
