import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '@showfloor/service-kit';
import { afterEach, expect, test } from 'vitest';
import { endOrphans } from '../src/orphans.ts';
import { startTicksOf } from '../src/process-table.ts';
import { makeDataDir } from './started-floor.ts';

const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(`../src/${name}`, import.meta.url)));

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A process started with this data folder, as a service of the shop is; `detached`: in a group of its own. */
async function sleeper(dataDir: string, detached: boolean): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['60'], { env: { ...process.env, DATA_DIR: dataDir }, detached, stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  return child as ChildProcess & { readonly pid: number };
}

function leave(dataDir: string, pid: number, startTicks: number | null): void {
  const children = { chat: { state: 'ready', pid, restarts: 0, startTicks } };
  writeFileSync(join(dataDir, 'supervisor.json'), JSON.stringify({ pid: 1, children }));
}

test('what a killed supervisor left is ended', async () => {
  const dataDir = makeDataDir();
  const child = await sleeper(dataDir, true);
  leave(dataDir, child.pid, startTicksOf(child.pid));
  const ended = once(child, 'exit');
  await endOrphans(dataDir);
  expect((await ended)[1]).toBe('SIGKILL');
});

test('a process that has got the pid since then is left alone', async () => {
  const dataDir = makeDataDir();
  const child = await sleeper(dataDir, true);
  for (const startTicks of [(startTicksOf(child.pid) ?? 0) - 1, null]) {
    leave(dataDir, child.pid, startTicks);
    await endOrphans(dataDir);
  }
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
});

test('never ends itself or those it was started by, whatever the file says', async () => {
  const dataDir = makeDataDir();
  const program = `
    import { writeFileSync } from 'node:fs';
    import { endOrphans } from ${source('orphans.ts')};
    import { startTicksOf } from ${source('process-table.ts')};
    const pids = { self: process.pid, parent: process.ppid };
    const children = Object.fromEntries(
      Object.entries(pids).map(([name, pid]) => [name, { state: 'ready', pid, restarts: 0, startTicks: startTicksOf(pid) }]),
    );
    writeFileSync(${JSON.stringify(join(dataDir, 'supervisor.json'))}, JSON.stringify({ pid: 1, children }));
    await endOrphans(${JSON.stringify(dataDir)});
    console.log('node goes on');`;
  const shell = spawn('sh', ['-c', '"$NODE" --input-type=module -e "$PROGRAM"; echo the shell goes on'], {
    env: { ...process.env, DATA_DIR: dataDir, NODE: process.execPath, PROGRAM: program },
    detached: true,
  });
  started.push(shell);
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  shell.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(shell, 'close');
  expect(output).toBe('node goes on\nthe shell goes on\n');
}, 20_000);

test('what cannot be ended stops the start with its pid, instead of waiting for ever', async () => {
  const dataDir = makeDataDir();
  const child = await sleeper(dataDir, false);
  leave(dataDir, child.pid, startTicksOf(child.pid));
  const failure = await endOrphans(dataDir).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StartError);
  expect(String(failure)).toContain(`pid ${child.pid}`);
}, 20_000);
