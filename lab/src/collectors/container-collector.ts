/**
 * A container by its cgroup v2 folder, e.g. `/sys/fs/cgroup/system.slice/docker-<id>.scope`
 * (https://docs.kernel.org/admin-guide/cgroup-v2.html). Counted as `docker stats` counts: 100 % CPU is one core, memory is
 * without the file cache that can be dropped.
 */
import { totalmem } from 'node:os';
import { monotonicMs } from '../clock.ts';
import { CollectError, type Collector, MEGABYTE, onlyFinite } from './collector.ts';
import { parseNetDev } from './host-collector.ts';
import { countDescriptors, descriptorLimit, keyedNumbers, PROC, readText } from './proc-files.ts';

/** Descriptors are counted for so many processes; with more, they are left out. */
const PROCESSES_MAX = 200;

/** `folder` is the container's cgroup. */
export function containerCollector(source: string, folder: string, proc = PROC): Collector {
  let earlier: { readonly atMs: number; readonly usedMs: number } | null = null;
  return {
    collector: 'container',
    source,
    scrape: () => {
      const file = (name: string): string => readText(`${folder}/${name}`) ?? '';
      const usage = keyedNumbers(file('cpu.stat')).get('usage_usec');
      if (usage === undefined) throw new CollectError(`${folder} is no cgroup (v2) of a container that runs`);
      const now = { atMs: monotonicMs(), usedMs: usage / 1000 };
      const before = earlier;
      earlier = now;
      const cpu = before === null ? null : ((now.usedMs - before.usedMs) / Math.max(1, now.atMs - before.atMs)) * 100;
      const pids = file('cgroup.procs').split('\n').filter(Boolean).map(Number);
      return [
        {
          metrics: onlyFinite({
            cpu_pct: cpu,
            ...memory(file),
            pids: wholeNumber(file('pids.current')),
            processes: pids.length,
            ...blocks(file('io.stat')),
            ...descriptors(pids, proc),
            ...network(pids[0], proc),
          }),
        },
      ];
    },
  };
}

function memory(file: (name: string) => string): Record<string, number> {
  const inactive = keyedNumbers(file('memory.stat')).get('inactive_file') ?? 0;
  const used = wholeNumber(file('memory.current')) - inactive;
  const limit = wholeNumber(file('memory.max')); // `max`: none
  return {
    mem_mb: used / MEGABYTE,
    mem_pct: (used / (Number.isFinite(limit) ? limit : totalmem())) * 100,
    swap_mb: wholeNumber(file('memory.swap.current')) / MEGABYTE,
  };
}

function blocks(text: string): Record<string, number> {
  const sum = (key: string): number =>
    [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((total, [, bytes]) => total + Number(bytes), 0);
  return text === '' ? {} : { block_read_mb: sum('rbytes') / MEGABYTE, block_write_mb: sum('wbytes') / MEGABYTE };
}

function descriptors(pids: readonly number[], proc: string): Record<string, number> {
  if (pids.length === 0 || pids.length > PROCESSES_MAX) return {};
  const counts = pids.map((pid) => countDescriptors(pid, proc));
  if (counts.includes(null)) return {};
  const shares = pids.map((pid, index) => (counts[index] ?? 0) / (descriptorLimit(pid, proc) ?? Number.NaN));
  return {
    fds: counts.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    fds_limit_pct: Math.max(...shares) * 100,
  };
}

/** The network namespace of its first process; with the host's network these are the host's figures, as in docker stats. */
function network(pid: number | undefined, proc: string): Record<string, number> {
  const interfaces = parseNetDev(readText(`${proc}/${pid ?? 0}/net/dev`) ?? '').filter(({ name }) => name !== 'lo');
  if (interfaces.length === 0) return {};
  const sum = (key: 'rxBytes' | 'txBytes'): number => interfaces.reduce((total, one) => total + one[key], 0) / MEGABYTE;
  return { net_rx_mb: sum('rxBytes'), net_tx_mb: sum('txBytes') };
}

function wholeNumber(text: string): number {
  return /^\d+\s*$/.test(text) ? Number(text) : Number.NaN;
}
