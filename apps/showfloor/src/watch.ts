import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, watch } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceSpec } from './services.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const WORKSPACE_PREFIX = '@showfloor/';
/** An editor saves several files, and one file several times. */
const DEBOUNCE_MS = 150;

/**
 * Restarts a service when a file of its app, or of a package it is made of, changes; rebuilds the web app when its files do.
 * Ends with `signal`.
 */
export function watchSources(
  services: readonly ServiceSpec[],
  restart: (name: string) => void,
  print: (text: string) => void,
  signal: AbortSignal,
): void {
  const usersOf = new Map<string, Set<string>>(); // folder → services
  for (const spec of services) {
    for (const folder of sourceFolders(dirname(dirname(spec.entry)))) {
      usersOf.set(folder, (usersOf.get(folder) ?? new Set()).add(spec.name));
    }
  }
  const due = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const restartDue = (): void => {
    for (const name of due) restart(name);
    due.clear();
  };
  for (const [folder, users] of usersOf) {
    if (!existsSync(folder)) continue;
    watch(folder, { recursive: true, signal }, (_event, file) => {
      if (file === null || !isSource(file)) return;
      print(`changed: ${relative(ROOT, join(folder, file))} → restarting ${[...users].join(', ')}\n`);
      for (const name of users) due.add(name);
      clearTimeout(timer);
      timer = setTimeout(restartDue, DEBOUNCE_MS);
    });
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  buildWebOnChange(print, signal);
}

/** The `src` folders of the app in `appFolder` and of every workspace package it depends on, however far. */
export function sourceFolders(appFolder: string): readonly string[] {
  const found = new Map<string, string>();
  const visit = (folder: string): void => {
    if (found.has(folder)) return;
    found.set(folder, join(folder, 'src'));
    for (const name of workspaceDependencies(folder))
      visit(join(ROOT, 'packages', name.slice(WORKSPACE_PREFIX.length)));
  };
  visit(appFolder);
  return [...found.values()];
}

function workspaceDependencies(folder: string): string[] {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    return Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith(WORKSPACE_PREFIX));
  } catch {
    return []; // no manifest: an app without dependencies (tests)
  }
}

function isSource(file: string): boolean {
  return /\.(ts|json|sql)$/.test(file) && !file.endsWith('.test.ts');
}

/** Vite watches by itself; it ends with us because its standard input closes, or by `signal`. */
function buildWebOnChange(print: (text: string) => void, signal: AbortSignal): void {
  const app = join(ROOT, 'apps/web');
  if (!existsSync(join(app, 'index.html'))) return;
  const vite = join(dirname(createRequire(join(app, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');
  const child: ChildProcess = spawn(
    'setpriv',
    ['--pdeathsig', 'TERM', process.execPath, vite, 'build', '--watch', '--logLevel', 'warn'],
    { cwd: app, stdio: ['ignore', 'pipe', 'pipe'], detached: true, signal, killSignal: 'SIGTERM' },
  );
  child.on('error', (error) => {
    if (!signal.aborted) print(`web: ${error.message}\n`);
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => print(`web: ${chunk.toString()}`));
}
