import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** True when Debian's redis-server is installed; suites that need it are named as skipped otherwise (a failure in CI). */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (process.env.CI === 'true' && !hasRedis) throw new Error('redis-server is missing: apt-get install redis-server');

/** A Redis of the test's own, on a loopback port that stays its own while it is down; it keeps nothing. */
export type RedisUnderTest = {
  readonly url: string;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Again, empty, at the same address. */
  readonly restart: () => Promise<void>;
  /** One command by redis-cli's protocol, its answer as text lines. */
  readonly cli: (...args: string[]) => string[];
  readonly close: () => Promise<void>;
};

export async function startRedis(): Promise<RedisUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-under-test-'));
  const port = await freePort();
  let child = await launch(port, folder);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    restart: async () => {
      await kill();
      child = await launch(port, folder);
    },
    cli: (...args) => {
      const { stdout } = spawnSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' });
      return stdout.split('\n').filter((line) => line !== '');
    },
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, folder: string): Promise<ChildProcess> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Ready to accept connections')) break;
  }
  if (child.exitCode !== null) throw new Error('redis-server did not start');
  child.stdout.resume();
  return child;
}

/** Below the kernel's range for outgoing connections, so that nobody takes it while Redis is down. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
