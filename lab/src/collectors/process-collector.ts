/** A process and its children, from /proc: CPU, memory, swap, descriptors, tasks, disk. */
import { totalmem } from 'node:os';
import { monotonicMs } from '../clock.ts';
import { CollectError, type Collector, MEGABYTE, onlyFinite, type Reading } from './collector.ts';
import {
  countDescriptors,
  descriptorLimit,
  keyedNumbers,
  PROC,
  type ProcStat,
  parseProcMemory,
  pidListeningOn,
  readProcesses,
  readText,
  TICKS_PER_SECOND,
  treeOf,
} from './proc-files.ts';

/** CPU is told by ticks of 10 ms: a table this old changes no figure. */
const TABLE_MS_MAX = 20;

/**
 * Which process. `port`: who listens there; `command`: the first whose command line holds this text, of the family of
 * `besidePort` (the children of the parent of who listens there) where that is given.
 */
export type ProcessQuery =
  | { readonly pid: number }
  | { readonly port: number }
  | { readonly command: string; readonly besidePort?: number };

/** Watches it; a process that is replaced by another (restart) is found again, but by its pid. */
export function processCollector(
  source: string,
  query: ProcessQuery,
  proc = PROC,
  table: () => readonly ProcStat[] = () => readProcesses(proc),
): Collector {
  const meter = new TreeMeter(proc);
  let known: ProcStat | null = null;
  let restarts = 0;
  return {
    collector: 'process',
    source,
    scrape: () => {
      const processes = table();
      const stillThere = known !== null && processes.some((process) => isSame(process, known));
      if (!stillThere) {
        const found = findProcess(query, processes, proc);
        if (known !== null && found !== null) restarts += 1;
        if (found === null || ('pid' in query && known !== null)) throw new CollectError(missing(query, known));
        known = found;
      }
      const tree = treeOf(processes, known?.pid ?? 0);
      const { metrics } = meter.read(tree, totalmem());
      return [{ metrics: { ...metrics, restarts }, labels: { pid: String(known?.pid) } } satisfies Reading];
    },
  };
}

/** The same table for all who ask within a moment: one pass over /proc serves every watched process. */
export function sharedProcessTable(proc = PROC): () => readonly ProcStat[] {
  let table: readonly ProcStat[] = [];
  let readAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = monotonicMs();
    if (nowMs - readAtMs > TABLE_MS_MAX) {
      table = readProcesses(proc);
      readAtMs = nowMs;
    }
    return table;
  };
}

function isSame(process: ProcStat, known: ProcStat | null): boolean {
  return process.pid === known?.pid && process.startTicks === known.startTicks && process.state !== 'Z';
}

function missing(query: ProcessQuery, known: ProcStat | null): string {
  if ('pid' in query) return `process ${query.pid} is ${known === null ? 'not there' : 'gone'}`;
  if ('port' in query) return `no process of ours to see listens on port ${query.port}`;
  return `no process with ${query.command} in its command line`;
}

function findProcess(query: ProcessQuery, processes: readonly ProcStat[], proc: string): ProcStat | null {
  const byPid = (pid: number | null): ProcStat | null => processes.find((process) => process.pid === pid) ?? null;
  if ('pid' in query) return byPid(query.pid);
  if ('port' in query) return byPid(pidListeningOn(query.port, proc));
  const { command, besidePort } = query;
  const sibling = besidePort === undefined ? null : byPid(pidListeningOn(besidePort, proc));
  if (besidePort !== undefined && sibling === null) return null;
  const family = sibling === null ? processes : treeOf(processes, sibling.parentPid);
  const own = process.pid;
  return family.find(({ pid }) => pid !== own && commandLine(pid, proc).includes(command)) ?? null;
}

function commandLine(pid: number, proc: string): string {
  return (readText(`${proc}/${pid}/cmdline`) ?? '').replaceAll('\0', ' ');
}

type Earlier = { readonly atMs: number; readonly ticksOf: ReadonlyMap<string, number> };

/** Figures of a set of processes; CPU between two readings. */
export class TreeMeter {
  readonly #proc: string;
  #earlier: Earlier | null = null;

  constructor(proc = PROC) {
    this.#proc = proc;
  }

  /** `memoryLimit` in bytes. What a process of the set may not show is left out. */
  read(tree: readonly ProcStat[], memoryLimit: number): { readonly metrics: Record<string, number> } {
    const proc = this.#proc;
    const memories = tree.map(({ pid }) => parseProcMemory(readText(`${proc}/${pid}/status`) ?? ''));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const anonymous = sum(memories.map(({ anonymousBytes }) => anonymousBytes));
    const file = Math.max(0, ...memories.map(({ fileBytes }) => fileBytes));
    const shared = Math.max(0, ...memories.map(({ sharedBytes }) => sharedBytes));
    const used = anonymous + file + shared;
    const descriptors = tree.map(({ pid }) => ({
      count: countDescriptors(pid, proc),
      limit: descriptorLimit(pid, proc),
    }));
    const io = tree.map(({ pid }) => keyedNumbers(readText(`${proc}/${pid}/io`) ?? ''));
    const ofAll = (values: readonly (number | null | undefined)[]): number | null =>
      values.some((value) => value === null || value === undefined) ? null : sum(values as number[]);
    const shares = descriptors.map(({ count, limit }) => (count === null || limit === null ? null : count / limit));
    return {
      metrics: onlyFinite({
        cpu_pct: this.#cpuPercent(tree),
        mem_mb: used / MEGABYTE,
        mem_pct: (used / memoryLimit) * 100,
        pids: sum(tree.map(({ threads }) => threads)),
        processes: tree.length,
        swap_mb: sum(memories.map(({ swapBytes }) => swapBytes)) / MEGABYTE,
        fds: ofAll(descriptors.map(({ count }) => count)),
        fds_limit_pct: shares.includes(null) ? null : Math.max(...(shares as number[])) * 100,
        block_read_mb: megabytes(ofAll(io.map((values) => values.get('read_bytes')))),
        block_write_mb: megabytes(ofAll(io.map((values) => values.get('write_bytes')))),
      }),
    };
  }

  /** Processes that ended in between took their last CPU with them; those that came count from their birth. */
  #cpuPercent(tree: readonly ProcStat[]): number | null {
    const now = { atMs: monotonicMs(), ticksOf: new Map(tree.map((one) => [identity(one), one.cpuTicks])) };
    const earlier = this.#earlier;
    this.#earlier = now;
    if (earlier === null) return null;
    const ticks = [...now.ticksOf].reduce((sum, [id, used]) => sum + used - (earlier.ticksOf.get(id) ?? 0), 0);
    return ((ticks / TICKS_PER_SECOND) * 1000 * 100) / Math.max(1, now.atMs - earlier.atMs);
  }
}

function identity({ pid, startTicks }: ProcStat): string {
  return `${pid}@${startTicks}`;
}

function megabytes(bytes: number | null): number | null {
  return bytes === null ? null : bytes / MEGABYTE;
}
