import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXIT_USAGE, MEDIA_NODE_OPTIONS } from '@showfloor/service-kit';
import type { PortName, StartConfig } from './config.ts';
import { PORT_VARIABLES } from './config.ts';
import type { ChildProgram } from './supervised-child.ts';

/** A server process of Showfloor, as data: the supervisor knows nothing else about it. */
export type ServiceSpec = {
  readonly name: string;
  /** Its main module. */
  readonly entry: string;
  /** Gets `DATABASE_URL`, and starts once the database serves. The others never see it. */
  readonly usesDatabase: boolean;
  /** Gets `REDIS_URL`, when there is one. The others never see it. */
  readonly usesRedis?: boolean;
  /** Options of Node that its process runs with. */
  readonly nodeOptions?: readonly string[];
  /** Gets the secrets of this start: the seller's link, and the demo show's stream key. */
  readonly ownsAccess: boolean;
};

/** Every service, in the order in which they are drained: what viewers write to first, what they watch last. */
export const SERVICES: readonly ServiceSpec[] = [
  {
    name: 'realtime-server',
    entry: entryOf('realtime-server'),
    usesDatabase: false,
    usesRedis: true,
    ownsAccess: false,
  },
  { name: 'commerce-server', entry: entryOf('commerce-server'), usesDatabase: true, ownsAccess: true },
  { name: 'worker', entry: entryOf('worker'), usesDatabase: true, ownsAccess: false },
  {
    name: 'media-server',
    entry: entryOf('media-server'),
    nodeOptions: MEDIA_NODE_OPTIONS,
    usesDatabase: false,
    ownsAccess: false,
  },
];

/** The clip that keeps the demo show on air. */
export const DEMO_CLIP = fileURLToPath(new URL('../assets/demo-clip.flv', import.meta.url));
/** The demo show's name in every URL. */
export const DEMO_PLAYBACK_ID = 'demo';
export const DEMO_PUBLISHER = 'demo-publisher';

/** Random per start; commerce keeps hashes only. */
export type StartSecrets = {
  /** Token of the one-time link: the demo's seller, or without a demo the owner of the shop. */
  readonly signInToken: string;
  /** Secret of the demo show's stream key; null without a demo. */
  readonly demoStreamSecret: string | null;
};

const START_TIMEOUT_MS = 60_000; // migrations of a large shop
const FAILURES_BEFORE_READY_MAX = 5;

function entryOf(app: string): string {
  return fileURLToPath(new URL(`../../${app}/src/main.ts`, import.meta.url));
}

/** What every process of ours gets: the caller's environment, with ports, folder and caches decided. */
function commonEnvironment(config: StartConfig): Record<string, string> {
  const { DATABASE_URL: _, REDIS_URL: __, ...inherited } = config.environment;
  // libpq's variables would win over what is left out of a URL; with a database of our own none of them is meant for us.
  const kept = Object.entries(inherited).filter(([name]) => config.DATABASE_URL !== '' || !/^PG[A-Z]+$/.test(name));
  const ports = (Object.keys(PORT_VARIABLES) as PortName[]).map((name) => [name, String(config[name])]);
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(ports),
    HOST: config.HOST,
    DATA_DIR: config.DATA_DIR,
    LOG_LEVEL: config.LOG_LEVEL,
    // A third less CPU at each start but the first, which writes it as the processes end.
    NODE_COMPILE_CACHE: inherited.NODE_COMPILE_CACHE || `${config.DATA_DIR}/cache/node`,
  };
}

function accessEnvironment({ signInToken, demoStreamSecret }: StartSecrets): Record<string, string> {
  if (demoStreamSecret === null) return { COMMERCE_OWNER_SIGNIN_TOKEN: signInToken };
  return {
    COMMERCE_DEMO: 'true',
    COMMERCE_DEMO_STREAM_SECRET: demoStreamSecret,
    COMMERCE_DEMO_SIGNIN_TOKEN: signInToken,
  };
}

/** How to run a service. */
export function serviceProgram(
  spec: ServiceSpec,
  config: StartConfig,
  databaseUrl: string,
  secrets: StartSecrets,
): ChildProgram {
  const env = commonEnvironment(config);
  if (spec.usesDatabase) env.DATABASE_URL = databaseUrl;
  if (spec.usesRedis === true) env.REDIS_URL = config.REDIS_URL;
  if (spec.ownsAccess) Object.assign(env, accessEnvironment(secrets));
  return {
    name: spec.name,
    command: process.execPath,
    args: [...(spec.nodeOptions ?? []), spec.entry],
    env,
    cwd: process.cwd(),
    stopSignal: 'SIGTERM',
    rules: { refusalCode: EXIT_USAGE, failuresBeforeReadyMax: FAILURES_BEFORE_READY_MAX },
    startTimeoutMs: START_TIMEOUT_MS,
  };
}

/** How to run the demo publisher. Its key travels in the environment: other users of the machine can read an argv. */
export function demoPublisherProgram(config: StartConfig, streamSecret: string, clip = DEMO_CLIP): ChildProgram {
  return {
    name: DEMO_PUBLISHER,
    command: process.execPath,
    args: [fileURLToPath(new URL('./demo-publisher.ts', import.meta.url))],
    env: {
      ...commonEnvironment(config),
      SHOWFLOOR_PUBLISH_URL: `rtmp://${localHost(config.HOST)}:${config.MEDIA_RTMP_PORT}/live/${DEMO_PLAYBACK_ID}`,
      SHOWFLOOR_PUBLISH_FILE: clip,
      SHOWFLOOR_STREAM_KEY: streamSecret,
    },
    cwd: process.cwd(),
    stopSignal: 'SIGTERM',
    rules: { refusalCode: null, failuresBeforeReadyMax: Number.MAX_SAFE_INTEGER }, // the shop does not need it
    startTimeoutMs: START_TIMEOUT_MS,
  };
}

/** Every server's own table of variables, as it prints it itself. */
export function allVariables(): string {
  return SERVICES.map(({ name, entry }) => {
    const { stdout } = spawnSync(process.execPath, [entry, '--help'], { encoding: 'utf8' });
    return `${name}\n${stdout.trimEnd()}\n`;
  }).join('\n');
}

/** The address under which this machine reaches its own listeners on `host`. */
export function localHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
