import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `sun_path` holds 108 bytes with its terminating zero (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;
/** What PostgreSQL puts in the folder. */
const SOCKET_NAME = '.s.PGSQL.5432';

/**
 * The folder of PostgreSQL's socket: `run` in the data folder, or, where that path is too long for a socket, a private one in
 * `runtimeDirectory` (may be empty) or the system's folder for temporary files, the same at each start.
 */
export function chooseSocketFolder(dataDir: string, runtimeDirectory: string): string {
  const own = join(dataDir, 'run');
  if (fits(own)) return own;
  const name = `showfloor-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  for (const parent of [runtimeDirectory, tmpdir(), '/tmp']) {
    const folder = join(parent, name);
    if (parent === '' || !fits(folder)) continue;
    return isOurs(folder) ? folder : mkdtempSync(`${folder}-`);
  }
  return mkdtempSync(`/tmp/${name}-`);
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX;
}

/** In a folder that everybody may write to, a name may have been taken by somebody else. */
function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch {
    try {
      const { uid, mode } = lstatSync(folder);
      const isPrivateFolder = lstatSync(folder).isDirectory() && (mode & 0o077) === 0;
      return isPrivateFolder && (uid === process.getuid?.() || process.getuid?.() === 0);
    } catch {
      return false;
    }
  }
}
