import { spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '@showfloor/service-kit';

/** `flock --nonblock` says with this that another process holds the lock. */
const LOCKED_EXIT_CODE = 1;

/** Holds a data folder for this process; `release` gives it up (our death does too). */
export type DataFolderLock = { readonly release: () => void };

/**
 * Makes the folder, sees that it can be written to, and takes its lock. The lock belongs to the kernel (flock on
 * `supervisor.lock`), so that no crash leaves it behind and it holds across containers; the pid in the file is for the
 * reader. Throws {@link StartError}.
 */
export function lockDataFolder(folder: string): DataFolderLock {
  makeWritable(folder);
  const path = join(folder, 'supervisor.lock');
  const descriptor = openLock(path, folder);
  // The child shares our open file: the lock it takes stays ours after it has ended.
  const result = spawnSync('flock', ['--nonblock', '--conflict-exit-code', String(LOCKED_EXIT_CODE), '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
  });
  if (result.error !== undefined) {
    closeSync(descriptor);
    throw new StartError('the program flock is missing: install util-linux');
  }
  if (result.status === LOCKED_EXIT_CODE) {
    closeSync(descriptor);
    const pid = readFileSync(path, 'utf8').trim();
    throw new StartError(
      `Showfloor is already running on ${folder}${pid === '' ? '' : ` (pid ${pid})`}: stop it first, or choose another folder with --data-dir`,
    );
  }
  if (result.status !== 0) {
    closeSync(descriptor);
    throw new StartError(
      `${folder} cannot be locked: ${String(result.stderr).trim()}; choose a folder on a local disk`,
    );
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`, 0);
  return {
    release: () => {
      ftruncateSync(descriptor);
      closeSync(descriptor);
    },
  };
}

function openLock(path: string, folder: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch {
    throw new StartError(
      `${folder} is used by another user: start Showfloor as that user, give it to yourself with chown -R, or choose another folder with --data-dir`,
    );
  }
}

/** Like `mkdir -p`. Node's own recursive mkdir never returns below /proc, where nothing can be made. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

function makeWritable(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    const trial = join(folder, `.write-test.${process.pid}`); // root passes every access check, also on /proc
    writeFileSync(trial, '');
    rmSync(trial);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOSPC') throw new StartError(`no space is left on the disk of ${folder}: free some, about 200 MB`);
    throw new StartError(
      `the data folder ${folder} cannot be written to (${code}): choose another with --data-dir or DATA_DIR`,
    );
  }
}
