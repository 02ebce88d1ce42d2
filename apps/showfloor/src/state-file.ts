import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTicksOf } from './process-table.ts';
import type { SupervisedChild } from './supervised-child.ts';

/** What `supervisor.json` in the data folder tells: who runs, for `doctor` and for scripts. No secrets. */
export type SupervisorState = {
  readonly pid: number;
  readonly children: Readonly<
    Record<
      string,
      {
        readonly state: string;
        readonly pid: number | null;
        /** When that process was started: see `startTicksOf`. Absent in files of earlier versions. */
        readonly startTicks?: number | null;
        readonly restarts: number;
      }
    >
  >;
};

const STATE_FILE = 'supervisor.json';

/** Writes the state whole or not at all; a full disk must not end the supervisor, so a failure is passed over. */
export function writeStateFile(dataDir: string, children: readonly SupervisedChild[]): void {
  const path = join(dataDir, STATE_FILE);
  const state: SupervisorState = {
    pid: process.pid,
    children: Object.fromEntries(
      children.map(({ program, state: { kind }, pid, restarts }) => [
        program.name,
        { state: kind, pid, startTicks: pid === null ? null : startTicksOf(pid), restarts },
      ]),
    ),
  };
  try {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch {
    // shown by doctor as "not running"; the processes themselves need no file
  }
}

/** The state of the supervisor that runs on this folder, or null when none does. */
export function readStateFile(dataDir: string): SupervisorState | null {
  const state = readLastState(dataDir);
  return state !== null && isSupervisor(state.pid) ? state : null;
}

/** What the latest supervisor on this folder, alive or dead, has written; null when there is nothing. */
export function readLastState(dataDir: string): SupervisorState | null {
  try {
    return JSON.parse(readFileSync(join(dataDir, STATE_FILE), 'utf8')) as SupervisorState;
  } catch {
    return null;
  }
}

/** The pid may be somebody else's by now. */
function isSupervisor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('start');
  } catch {
    return false;
  }
}
