import { setTimeout as sleep } from 'node:timers/promises';
import type { Floor, PlaneName } from './floor.ts';

/**
 * Keeps a plane down: kills it, and each process the supervisor starts in its place, until `end` is called. `end` resolves
 * once the plane is back and ready.
 */
export function keepDown(floor: Floor, plane: PlaneName): { readonly end: () => Promise<void> } {
  let isOver = false;
  let last = floor.kill(plane);
  const loop = (async () => {
    while (!isOver) {
      try {
        const pid = floor.pidOf(plane);
        if (pid !== last) {
          process.kill(pid, 'SIGKILL');
          last = pid;
        }
      } catch {
        // not running: as it should be
      }
      await sleep(20);
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await loop;
      await floor.restarted(plane, last);
    },
  };
}
