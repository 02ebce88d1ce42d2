import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from './free-ports.ts';
import { processTree } from './processes.ts';
import { waitFor } from './wait-for.ts';

const ROOT = resolve(import.meta.dirname, '..');
const READY_TIMEOUT_MS = 40_000;
const STOP_TIMEOUT_MS = 15_000;

/** The processes of a running system that a test may kill. */
export type PlaneName =
  | 'commerce-server'
  | 'realtime-server'
  | 'media-server'
  | 'worker'
  | 'postgres'
  | 'demo-publisher';

/** A whole Showfloor on free ports with its own data folder, as `npm start` runs it. `stop` ends it and removes the folder. */
export type Floor = {
  readonly dataDir: string;
  readonly webUrl: string;
  readonly videoUrl: string;
  readonly realtimeUrl: string;
  readonly rtmpUrl: string;
  /** Admin listeners by process: /metrics and /health. */
  readonly admin: Readonly<Record<'commerce' | 'realtime' | 'media' | 'worker', string>>;
  readonly supervisorPid: number;
  /** Everything the supervisor has printed so far. */
  readonly output: () => string;
  /** Unix-socket folder of its PostgreSQL, for `pg`'s `host`. */
  readonly databaseUrl: () => string;
  readonly pidOf: (plane: PlaneName) => number;
  /** Sends SIGKILL and resolves with the pid that died. */
  readonly kill: (plane: PlaneName) => number;
  /** Resolves with the new pid once the plane runs again and says it is ready. */
  readonly restarted: (plane: PlaneName, oldPid: number) => Promise<number>;
  /** Runs another command of `showfloor` beside it, with the same ports and folder; resolves with what it printed. */
  readonly command: (...args: string[]) => string;
  readonly stop: () => Promise<void>;
};

/**
 * Starts the system and resolves once every process says it is ready. `env` adds or overrides variables. A `dataDir` of the
 * caller's is kept by `stop`.
 */
export async function startFloor(
  options: { demo?: boolean; env?: Record<string, string>; dataDir?: string } = {},
): Promise<Floor> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'sf-e2e-'));
  const [web = 0, realtime = 0, rtmp = 0, video = 0, media = 0, commerce = 0, realtimeAdmin = 0, worker = 0] =
    await freePorts(8);
  const main = join(ROOT, 'apps/showfloor/src/main.ts');
  const env = {
    ...environment(),
    COMMERCE_PORT: String(web),
    REALTIME_PORT: String(realtime),
    MEDIA_RTMP_PORT: String(rtmp),
    MEDIA_HTTP_PORT: String(video),
    MEDIA_ADMIN_PORT: String(media),
    COMMERCE_ADMIN_PORT: String(commerce),
    REALTIME_ADMIN_PORT: String(realtimeAdmin),
    WORKER_ADMIN_PORT: String(worker),
    DATA_DIR: dataDir,
    NO_COLOR: '1',
    ...options.env,
  };
  const demo = options.demo === false ? ['--no-demo'] : [];
  const child = spawn(process.execPath, [main, 'start', ...demo], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error('the supervisor did not start');
  const admin = {
    commerce: local(commerce),
    realtime: local(realtimeAdmin),
    media: local(media),
    worker: local(worker),
  };
  const floor: Floor = {
    dataDir,
    webUrl: local(web),
    videoUrl: local(video),
    realtimeUrl: local(realtime),
    rtmpUrl: `rtmp://127.0.0.1:${rtmp}/live`,
    admin,
    supervisorPid: pid,
    output: () => output,
    databaseUrl: () => databaseUrlOf(pidOf(pid, 'commerce-server')),
    pidOf: (plane) => pidOf(pid, plane),
    kill: (plane) => {
      const victim = pidOf(pid, plane);
      process.kill(victim, 'SIGKILL');
      return victim;
    },
    restarted: (plane, oldPid) =>
      waitFor(
        `${plane} to be restarted`,
        async () => {
          const next = pidOf(pid, plane);
          if (next === oldPid) return false;
          return (await everyPlaneReady(admin)) ? next : false;
        },
        30_000,
      ),
    command: (...args) => spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' }).stdout,
    stop: async () => {
      await stop(child);
      if (options.dataDir === undefined)
        rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
  try {
    await waitFor(
      'every process to be ready',
      () => {
        if (child.exitCode !== null) throw new Error(`the supervisor ended with ${child.exitCode}`);
        return everyPlaneReady(admin);
      },
      READY_TIMEOUT_MS,
    );
  } catch (error) {
    await floor.stop();
    throw new Error(`${String(error)}\n--- output of the supervisor\n${output}`);
  }
  return floor;
}

async function everyPlaneReady(admin: Floor['admin']): Promise<boolean> {
  const answers = await Promise.all(Object.values(admin).map((url) => fetch(`${url}/health/ready`)));
  return answers.every((answer) => answer.status === 200);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}

function local(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** The test runner's own variables would confuse the processes under test. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(VITEST|TEST|NODE_ENV|DATABASE_URL)/.test(entry[0]),
    ),
  );
}

const PATTERNS: Partial<Record<PlaneName, RegExp>> = {
  postgres: /^\S*\/postgres\s.*-D/,
  'demo-publisher': /demo-publisher\.ts/,
};

/** Pid of a plane below the supervisor. Throws when it is not running. */
function pidOf(supervisor: number, plane: PlaneName): number {
  const pattern = PATTERNS[plane] ?? new RegExp(`apps/${plane}/src/main\\.ts`);
  const found = processTree(supervisor).find(({ pid, command }) => pid !== supervisor && pattern.test(command));
  if (found === undefined) throw new Error(`${plane} is not running`);
  return found.pid;
}

function databaseUrlOf(commercePid: number): string {
  const variable = readFileSync(`/proc/${commercePid}/environ`, 'utf8')
    .split('\0')
    .find((entry) => entry.startsWith('DATABASE_URL='));
  if (variable === undefined) throw new Error('commerce-server has no DATABASE_URL');
  return variable.slice('DATABASE_URL='.length);
}
