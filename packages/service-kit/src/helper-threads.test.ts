import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('./helper-threads.ts', import.meta.url));

/** Niceness is field 19 of a thread's `stat`; names of threads may hold spaces. */
const SCRIPT = `
import { readdirSync, readFileSync } from 'node:fs';
import { yieldToMainThread } from ${JSON.stringify(MODULE)};
const found = yieldToMainThread();
const nice = {};
for (const thread of readdirSync('/proc/self/task')) {
  const stat = readFileSync('/proc/self/task/' + thread + '/stat', 'utf8');
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  (nice[name] ??= []).push(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
}
console.log(JSON.stringify({ found, nice, main: nice[readFileSync('/proc/self/comm', 'utf8').trim()] }));
`;

test.runIf(process.platform === 'linux')(
  'helper threads have a low priority, the main thread has not',
  () => {
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8' });
    const { found, nice, main } = JSON.parse(run.stdout) as {
      found: number;
      nice: Record<string, number[]>;
      main: number[];
    };
    expect(found).toBeGreaterThan(0);
    expect(nice.V8Worker).toEqual(Array.from({ length: found }, () => 10));
    expect(main).toEqual([0]);
  },
  60_000,
);
