import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLastState } from './state-file.ts';

/** Processes that have lost their supervisor drain by themselves; so long we let them. */
const DRAIN_MS = 1_500;
const POLL_MS = 25;

/**
 * Ends what a killed supervisor has left on this folder, so that its ports are free again. The caller holds the lock of the
 * folder, so nobody else's processes are meant. PostgreSQL is seen to where it is started.
 */
export async function endOrphans(dataDir: string): Promise<void> {
  const pids = Object.entries(readLastState(dataDir)?.children ?? {})
    .filter(([name]) => name !== 'postgres')
    .map(([, { pid }]) => pid)
    .filter((pid) => pid !== null);
  const deadlineMs = Date.now() + DRAIN_MS;
  for (
    let left = pids.filter((pid) => isOurs(pid, dataDir));
    left.length > 0;
    left = left.filter((pid) => isOurs(pid, dataDir))
  ) {
    if (Date.now() > deadlineMs) for (const pid of left) killGroup(pid);
    await sleep(POLL_MS);
  }
}

/** Pids are given out again: only a process that was started with our folder is ours. A zombie has no environment. */
function isOurs(pid: number, dataDir: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(`\0DATA_DIR=${dataDir}\0`);
  } catch {
    return false; // gone, or another user's
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it ended just now
  }
}
