import { readdirSync, readFileSync } from 'node:fs';

/** Proportional set size of one process: its own memory plus its share of what it has in common with others. */
export type ProcessMemory = { readonly pid: number; readonly name: string; readonly pssBytes: number };

/** Memory of the process `rootPid` and everything below it, largest first. */
export function measureTree(rootPid: number): readonly ProcessMemory[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = readOrEmpty(`/proc/${name}/stat`);
    if (stat !== '') parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at))
      if (at === rootPid) return true;
    return false;
  };
  return [...parents.keys()]
    .filter(isBelow)
    .map((pid) => ({ pid, name: describe(pid), pssBytes: pssBytes(pid) }))
    .sort((a, b) => b.pssBytes - a.pssBytes);
}

function pssBytes(pid: number): number {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function describe(pid: number): string {
  const command = readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return /apps\/([\w-]+)\/src\/main\.ts/.exec(command)?.[1] ?? (command.split(' -')[0] ?? '').split('/').at(-1) ?? '';
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended, or another user's
  }
}
