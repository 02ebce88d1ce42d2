import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/** What Node names the threads on which V8 compiles, and marks garbage beside the program. */
const HELPER_NAME = 'V8Worker';
/** A tenth of a busy core, all of an idle one: what waits for such a thread to finish still gets on. */
const HELPER_NICE = 10;

/**
 * Lets V8's helper threads have what the main thread leaves: where cores are few they else take half of one just when thousands of
 * viewers are to be answered. On a single core garbage is collected without helpers, which only wait for each other there. Call it
 * once, at the start. Returns how many threads it found: 0 where the system does not show them (other than Linux).
 */
export function yieldToMainThread(): number {
  if (availableParallelism() === 1) setFlagsFromString('--no-parallel-scavenge'); // read anew for every collection
  if (process.platform !== 'linux') return 0;
  let found = 0;
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      if (readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() !== HELPER_NAME) continue;
      setPriority(Number(thread), HELPER_NICE); // Linux takes the id of a thread, too
      found += 1;
    } catch {}
  }
  return found;
}
