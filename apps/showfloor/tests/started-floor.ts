import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PORT_VARIABLES } from '../src/config.ts';
import { readStateFile } from '../src/state-file.ts';

const ENTRY = fileURLToPath(new URL('./stand-in-start.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Services of a test: a name and the stand-in that plays it. */
export type StandIns = Readonly<Record<string, 'plain' | 'database' | 'broken'>>;

/** A supervisor under test; whoever started it calls `end`. */
export type StartedFloor = {
  readonly dataDir: string;
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code (or the signal's name). */
  readonly exited: Promise<number | string>;
  readonly untilReady: () => Promise<void>;
  /** Pid of a child by name, once it is ready. */
  readonly pidOf: (name: string) => Promise<number>;
  readonly end: () => Promise<void>;
};

/** Ends floors, which may share a folder, sees that nothing is left of them, and removes their folders. */
export async function endFloors(floors: readonly StartedFloor[]): Promise<void> {
  await Promise.all(floors.map((floor) => floor.end()));
  for (const { dataDir, output } of floors) {
    await waitFor(`every process to end; output:\n${output()}`, () => processesOf(dataDir).length === 0, 10_000);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** True while the process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Free ports for every port variable. */
export async function freePortVariables(): Promise<Record<string, string>> {
  const servers = Object.keys(PORT_VARIABLES).map(() => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => String((server.address() as { port: number }).port));
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return Object.fromEntries(Object.keys(PORT_VARIABLES).map((name, index) => [name, ports[index] ?? '0']));
}

export function makeDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'showfloor-supervisor-'));
}

/** Starts stand-ins under the real supervisor. */
export async function startFloor(options: {
  services: StandIns;
  dataDir?: string;
  env?: Record<string, string>;
}): Promise<StartedFloor> {
  const args = Object.entries(options.services).flatMap(([name, kind]) => {
    const entry = fileURLToPath(new URL(`./stand-in-${kind}.ts`, import.meta.url));
    return ['--service', `${name}=${entry}${kind === 'database' ? ',database' : ''}`];
  });
  return launch([ENTRY, ...args], options.dataDir ?? makeDataDir(), options.env);
}

/** Runs the real command line. */
export function startCommand(
  args: readonly string[],
  dataDir: string,
  env?: Record<string, string>,
): Promise<StartedFloor> {
  return launch([MAIN, ...args], dataDir, env);
}

async function launch(args: string[], dataDir: string, extra: Record<string, string> = {}): Promise<StartedFloor> {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const cache = join(tmpdir(), 'showfloor-test-compile-cache'); // one for all: writing it is what a first start pays for
  const env = {
    ...inherited,
    ...(await freePortVariables()),
    NODE_COMPILE_CACHE: cache,
    DATA_DIR: dataDir,
    ...extra,
  };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    dataDir,
    process: child,
    output: () => output,
    exited,
    untilReady: async () => {
      await waitFor('the status block', () => {
        if (isOver()) throw new Error(`the supervisor ended:\n${output}`);
        return output.includes('Showfloor is ready');
      });
    },
    pidOf: (name) =>
      waitFor(`${name} to be ready`, () => {
        const found = readStateFile(dataDir)?.children[name];
        return found?.state === 'ready' && found.pid !== null ? found.pid : false;
      }),
    end: async () => {
      if (!isOver()) child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Pids of every process that has this data folder in its arguments or environment: all of a floor, PostgreSQL included. */
export function processesOf(dataDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) =>
      ['cmdline', 'environ'].some((file) => {
        try {
          return readFileSync(`/proc/${name}/${file}`, 'utf8').includes(dataDir);
        } catch {
          return false; // ended while we were reading
        }
      }),
    )
    .map(Number);
}

/** Polls until `look` gives something; a value, not a hope. */
export async function waitFor<T>(
  what: string,
  look: () => T | false | Promise<T | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== false) return found;
    if (Date.now() > deadlineMs) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
