import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Floor } from './floor.ts';
import { freePorts } from './free-ports.ts';
import { waitFor } from './wait-for.ts';

const REALTIME_MAIN = resolve(import.meta.dirname, '../apps/realtime-server/src/main.ts');

/** True when Debian's redis-server is installed; suites that need it are named as skipped otherwise (a failure in CI). */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A Redis that keeps nothing, on a loopback port that stays its own while it is down. */
export type Redis = {
  readonly url: string;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Again, empty, at the same address. */
  readonly restart: () => Promise<void>;
};

export async function startRedis(): Promise<Redis> {
  const [port = 0] = await freePorts(1);
  let child = await launch(port);
  const kill = async (): Promise<void> => end(child, 'SIGKILL');
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill();
      child = await launch(port);
    },
  };
}

/** One more realtime node of a floor, with the floor's keys and journals of its own. */
export type RealtimeNode = { readonly url: string; readonly adminUrl: string; readonly stop: () => Promise<void> };

export async function startRealtimeNode(floor: Floor, redis: Redis, name: string): Promise<RealtimeNode> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const env = {
    PATH: process.env.PATH,
    DATA_DIR: floor.dataDir,
    REDIS_URL: redis.url,
    REALTIME_NODE: name,
    REALTIME_PORT: String(port),
    REALTIME_ADMIN_PORT: String(adminPort),
  };
  const child = spawn(process.execPath, [REALTIME_MAIN], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const ready = async (): Promise<boolean> => (await fetch(`${adminUrl}/health/ready`)).status === 200;
  await waitFor('the second realtime node to be ready', ready, 30_000);
  return { url: `http://127.0.0.1:${port}`, adminUrl, stop: () => end(child, 'SIGTERM') };
}

/** Waits until the realtime node says that it has joined the others, or that it is on its own. */
export async function isJoined(adminUrl: string, wanted: boolean): Promise<void> {
  await waitFor(`realtime to say that it ${wanted ? 'has joined the others' : 'is on its own'}`, async () => {
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    return new RegExp(`^realtime_redis_joined(\\{.*\\})? ${wanted ? 1 : 0}$`, 'm').test(metrics);
  });
}

async function launch(port: number): Promise<ChildProcess> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Ready to accept connections')) break;
  }
  child.stdout.resume();
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
