/** Files of /proc as values (proc(5)). Text in, values out; `read…` functions answer null for what is gone or forbidden. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the tests replace by a folder of recorded files. */
export const PROC = '/proc';
/** USER_HZ: what /proc counts CPU time in, 100 on every Linux that Node runs on. */
export const TICKS_PER_SECOND = 100;
const BYTES_PER_KB = 1024;

/** Of `/proc/<pid>/stat`. Times in ticks; `startTicks` since boot. */
export type ProcStat = {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly parentPid: number;
  readonly cpuTicks: number;
  readonly threads: number;
  readonly startTicks: number;
};

/** Null when the text is something else. The name may hold anything, also brackets and spaces. */
export function parseProcStat(text: string): ProcStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3]); // proc(5) counts from 1, and the state is 3
  const stat = {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state: fields[0] ?? '',
    parentPid: number(4),
    cpuTicks: number(14) + number(15),
    threads: number(20),
    startTicks: number(22),
  };
  return open > 0 && Number.isFinite(stat.startTicks) ? stat : null;
}

/** Memory of `/proc/<pid>/status`, in bytes. */
export type ProcMemory = {
  readonly anonymousBytes: number;
  readonly fileBytes: number;
  readonly sharedBytes: number;
  readonly swapBytes: number;
};

/** Kernel threads have none: zeros. */
export function parseProcMemory(text: string): ProcMemory {
  const values = keyedNumbers(text);
  const bytes = (key: string): number => (values.get(key) ?? 0) * BYTES_PER_KB;
  return {
    anonymousBytes: bytes('RssAnon'),
    fileBytes: bytes('RssFile'),
    sharedBytes: bytes('RssShmem'),
    swapBytes: bytes('VmSwap'),
  };
}

/** `Key:   123 kB` or `key: 123` per line, without the unit; /proc/meminfo, status and io are all of this form. */
export function keyedNumbers(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, key = '', value = ''] of text.matchAll(/^(\S+?):?\s+(\d+)(?:\s|$)/gm)) found.set(key, Number(value));
  return found;
}

/** Every process there is now. One pass over /proc. */
export function readProcesses(proc = PROC): ProcStat[] {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const stat = parseProcStat(readText(`${proc}/${pid}/stat`) ?? '');
    return stat === null ? [] : [stat];
  });
}

/** A process and all that it started, itself first. Empty when it is not there. */
export function treeOf(processes: readonly ProcStat[], pid: number): ProcStat[] {
  const root = processes.find((process) => process.pid === pid);
  if (root === undefined) return [];
  const tree = [root];
  for (const parent of tree) {
    const children = processes.filter(({ parentPid, pid: child }) => parentPid === parent.pid && child !== pid);
    tree.push(...children.filter((child) => !tree.includes(child)));
  }
  return tree;
}

/** Null: no such file, or no permission. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Number of open descriptors; null without permission. */
export function countDescriptors(pid: number, proc = PROC): number | null {
  try {
    return readdirSync(`${proc}/${pid}/fd`).length;
  } catch {
    return null;
  }
}

/** Soft limit of open files; null when it is unlimited or cannot be read. */
export function descriptorLimit(pid: number, proc = PROC): number | null {
  const found = /^Max open files\s+(\d+)/m.exec(readText(`${proc}/${pid}/limits`) ?? '');
  return found === null ? null : Number(found[1]);
}

/** The process that listens on a TCP port of this host; null when there is none, or it belongs to somebody else. */
export function pidListeningOn(port: number, proc = PROC): number | null {
  const inodes = ['tcp', 'tcp6'].flatMap((name) => listeningInodes(readText(`${proc}/net/${name}`) ?? '', port));
  if (inodes.length === 0) return null;
  const targets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of readdirSync(proc).filter((name) => /^\d+$/.test(name))) {
    if (descriptorTargets(`${proc}/${pid}/fd`).some((target) => targets.has(target))) return Number(pid);
  }
  return null;
}

const STATE_LISTEN = '0A';

/** Inodes of the sockets in `/proc/net/tcp` that listen on this port. */
export function listeningInodes(text: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[3] === STATE_LISTEN && (fields[1] ?? '').endsWith(`:${hexPort}`) ? [fields[9] ?? ''] : [];
  });
}

function descriptorTargets(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return []; // somebody else's process
  }
}
