import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@showfloor/service-kit';
import { lineageOf, startTicksOf } from './process-table.ts';
import { readLastState } from './state-file.ts';

/** Processes that have lost their supervisor drain by themselves; so long we let them. */
const DRAIN_MS = 1_500;
/** Who is still there so long after being killed will not go by itself. */
const KILL_MS = 2_000;
const POLL_MS = 25;

/**
 * Ends what a killed supervisor has left on this folder, so that its ports are free again. The caller holds the lock of the
 * folder, so nobody else's processes are meant. PostgreSQL is seen to where it is started. Throws {@link StartError} when one
 * cannot be ended.
 */
export async function endOrphans(dataDir: string): Promise<void> {
  const untouchable = lineageOf(process.pid);
  let left = Object.entries(readLastState(dataDir)?.children ?? {})
    .filter(([name]) => name !== 'postgres')
    .flatMap(([, { pid, startTicks }]) => (pid === null || untouchable.has(pid) ? [] : [{ pid, startTicks }]));
  const drainedMs = Date.now() + DRAIN_MS;
  for (;;) {
    left = left.filter(({ pid, startTicks }) => isOurs(pid, startTicks, dataDir));
    const first = left[0];
    if (first === undefined) return;
    const nowMs = Date.now();
    if (nowMs > drainedMs + KILL_MS) {
      throw new StartError(
        `a process of an earlier start on ${dataDir} (pid ${first.pid}) does not end: end it with "kill -9 ${first.pid}", then start again`,
      );
    }
    if (nowMs > drainedMs) for (const { pid } of left) killGroup(pid);
    await sleep(POLL_MS);
  }
}

/**
 * Pids are given out again: ours is only the process that was started when the file says, and with our folder. A zombie
 * has no environment.
 */
function isOurs(pid: number, startTicks: number | null | undefined, dataDir: string): boolean {
  if (typeof startTicks !== 'number' || startTicksOf(pid) !== startTicks) return false;
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
    // it ended just now, or leads no group: whoever waits for it says so in time
  }
}
