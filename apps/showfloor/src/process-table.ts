import { readFileSync } from 'node:fs';

/**
 * When a process was started, in clock ticks since the machine was; null when there is none. Pids are given out again: pid
 * and start together name a process. Field 22 of proc(5) stat.
 */
export function startTicksOf(pid: number): number | null {
  const ticks = Number(statFields(pid)[19]);
  return Number.isSafeInteger(ticks) ? ticks : null;
}

/** The process itself, its parent, and so on up to the first process. */
export function lineageOf(pid: number): ReadonlySet<number> {
  const lineage = new Set<number>();
  for (let each = pid; each > 0 && !lineage.has(each); each = Number(statFields(each)[1] ?? 0)) lineage.add(each);
  return lineage;
}

/** The fields from the third on: the second, the name, may hold spaces and parentheses. Empty when there is no such process. */
function statFields(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
