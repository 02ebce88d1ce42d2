import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@showfloor/service-kit';
import { POSTGRES_MAJOR, type PostgresBinaries } from './binaries.ts';
import { fileOwner, type PostgresIdentity, runAs } from './identity.ts';

/** A dead postmaster stays a zombie for a moment, and one that lost its supervisor is still shutting down. */
const LEFTOVER_WAIT_MS = 10_000;
const LEFTOVER_POLL_MS = 50;
const OUTPUT_CHARS_MAX = 4_000;

/**
 * Sees that `folder` holds a database that this PostgreSQL can open, making it when there is none. A killed initdb leaves
 * a folder that looks valid, so it works beside and the result is renamed once it is on disk. Resolves with whether the
 * database is new. Throws {@link StartError}.
 */
export async function ensureCluster(
  folder: string,
  binaries: PostgresBinaries,
  identity: PostgresIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  const draft = `${folder}.tmp`;
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    checkVersion(folder);
    takeOwnership(folder, identity);
    return false;
  }
  rmSync(draft, { recursive: true, force: true });
  await runInitdb(draft, binaries, identity, signal);
  renameSync(draft, folder); // initdb has synced what is inside
  syncFolder(dirname(folder));
  return true;
}

/**
 * Makes a folder that only `identity` (and root) may enter; where that is another user, the folder above becomes passable.
 * Throws {@link StartError} when it belongs to somebody else.
 */
export function makePrivateFolder(folder: string, identity: PostgresIdentity): void {
  const owner = fileOwner(identity);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    if (owner === null) return;
    chownSync(folder, owner.uid, owner.gid);
    const parent = dirname(folder);
    const { uid, mode } = statSync(parent);
    if (uid !== owner.uid) chmodSync(parent, (mode & 0o777) | 0o011); // pass through, not look inside
  } catch (error) {
    throw new StartError(
      `${folder} belongs to another user (${(error as NodeJS.ErrnoException).code}): start Showfloor as that user, give it to yourself with chown -R, or choose another folder with --data-dir`,
    );
  }
}

/**
 * Waits until nothing runs in the database folder any more and removes the pid file of a dead postmaster: its number may
 * belong to somebody else by now, and PostgreSQL would then refuse to start for ever. Safe because we hold the lock of the
 * data folder. Throws {@link StartError} when something will not end.
 */
export async function clearLeftovers(folder: string): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const deadlineMs = Date.now() + LEFTOVER_WAIT_MS;
  const realFolder = realpathSync(folder);
  let asked = false;
  for (let pids = processesIn(realFolder); pids.length > 0; pids = processesIn(realFolder)) {
    if (Date.now() > deadlineMs) {
      throw new StartError(`PostgreSQL still runs in ${folder} (pid ${pids.join(', ')}): stop it, then start again`);
    }
    if (!asked) endPostmaster(pidFile, pids);
    asked = true;
    await sleep(LEFTOVER_POLL_MS);
  }
  rmSync(pidFile, { force: true });
}

function endPostmaster(pidFile: string, pids: readonly number[]): void {
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  if (!pids.includes(pid)) return; // only its children are left: they end by themselves
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // it ended just now
  }
}

/** Every process of PostgreSQL works in its database folder; a zombie has none. */
function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`) === folder;
      } catch {
        return false; // ended, or not ours
      }
    })
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function checkVersion(folder: string): void {
  let version: number;
  try {
    version = Number(readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim());
  } catch {
    throw new StartError(
      `${folder} is not a PostgreSQL database: move it away, or choose another folder with --data-dir`,
    );
  }
  if (version === POSTGRES_MAJOR) return;
  if (version > POSTGRES_MAJOR) {
    throw new StartError(
      `the database in ${folder} was written by PostgreSQL ${version}, newer than the ${POSTGRES_MAJOR} of this Showfloor: update Showfloor, or set DATABASE_URL`,
    );
  }
  throw new StartError(
    `the database in ${folder} was written by PostgreSQL ${version}: dump it with pg_dump of that version and restore it into ${POSTGRES_MAJOR}, or set DATABASE_URL`,
  );
}

/** Files change hands when the way we run PostgreSQL has changed (namespaces allowed or refused since). */
function takeOwnership(folder: string, identity: PostgresIdentity): void {
  const owner = fileOwner(identity);
  if (owner === null || statSync(folder).uid === owner.uid) return;
  const visit = (path: string): void => {
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    lchownSync(path, owner.uid, owner.gid); // the folder itself last: an interrupted walk is seen and repeated
  };
  visit(folder);
}

async function runInitdb(
  draft: string,
  binaries: PostgresBinaries,
  identity: PostgresIdentity,
  signal: AbortSignal,
): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-locale'];
  const access = ['--username=postgres', '--auth=trust']; // only reachable through a socket in a private folder
  const line = runAs(identity, 'KILL', { command: binaries.initdb, args: ['-D', draft, ...locale, ...access] });
  const output = await new Promise<string | null>((resolve, reject) => {
    const child = spawn(line.command, line.args, {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0 ? null : text));
  });
  if (output !== null) throw new StartError(`the database could not be created in ${draft}: ${lastMessage(output)}`);
}

function lastMessage(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /error|FATAL/.test(line)) ?? lines.at(-1) ?? 'initdb failed').trim();
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
