import { resolve } from 'node:path';
import {
  COMMON_VARIABLES,
  type ConfigOf,
  describeConfig,
  integerVariable,
  readConfig,
  textVariable,
  urlVariable,
  type Variable,
} from '@showfloor/service-kit';

/** A port that several processes must agree on, so the kernel cannot choose it. */
function fixedPort(fallback: number, doc: string): Variable<number> {
  return integerVariable(fallback, 1, 65_535, doc);
}

/** Every port of the system: its variable, its default, who uses it. */
export const PORT_VARIABLES = {
  COMMERCE_PORT: fixedPort(3000, 'Web app and shop API'),
  REALTIME_PORT: fixedPort(3001, 'Chat and live events (Socket.IO)'),
  MEDIA_RTMP_PORT: fixedPort(1935, 'RTMP ingest: where OBS streams to'),
  MEDIA_HTTP_PORT: fixedPort(8080, 'Video for viewers'),
  MEDIA_ADMIN_PORT: fixedPort(1985, 'Admin of media-server'),
  COMMERCE_ADMIN_PORT: fixedPort(3010, 'Admin of commerce-server'),
  REALTIME_ADMIN_PORT: fixedPort(3011, 'Admin of realtime-server'),
  WORKER_ADMIN_PORT: fixedPort(3012, 'Admin of worker'),
} as const;

/** Name of a port variable. */
export type PortName = keyof typeof PORT_VARIABLES;

/** What `start` and `doctor` read. */
export const START_VARIABLES = {
  ...COMMON_VARIABLES,
  ...PORT_VARIABLES,
  DATABASE_URL: urlVariable(
    '',
    ['postgresql', 'postgres'],
    'Your PostgreSQL 15 or newer, e.g. postgresql://user:password@host/database; empty: the embedded one',
  ),
  REDIS_URL: urlVariable(
    '',
    ['redis', 'rediss'],
    'Redis 6.2 or newer over which several realtime nodes share rooms, e.g. redis://user:password@host:6379; empty: one node',
  ),
  COMMERCE_PUBLIC_ORIGIN: urlVariable('', ['http', 'https'], 'Where browsers find the shop, when a proxy is in front'),
} as const;

const PUBLISH_VARIABLES = {
  SHOWFLOOR_STREAM_KEY: textVariable('', 'publish: the stream key, so that it need not stand on the command line'),
} as const;

/** Only the supervisor sets these, for its demo publisher. */
const DEMO_PUBLISHER_VARIABLES = {
  ...PUBLISH_VARIABLES,
  LOG_LEVEL: COMMON_VARIABLES.LOG_LEVEL,
  SHOWFLOOR_PUBLISH_URL: urlVariable('', ['rtmp'], 'Where the demo publisher streams to'),
  SHOWFLOOR_PUBLISH_FILE: textVariable('', 'FLV file it plays'),
} as const;

const PREFIX = 'SHOWFLOOR_';

/** Configuration of `start` and `doctor`; `DATA_DIR` is absolute. */
export type StartConfig = ConfigOf<typeof START_VARIABLES> & {
  /** The whole environment, for the processes we start. */
  readonly environment: Readonly<Record<string, string>>;
};

/** Reads the environment. `dataDir` (from the command line) wins. Throws ConfigError with every problem. */
export function readStartConfig(dataDir?: string): StartConfig {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const config = readConfig({ ...START_VARIABLES, ...PUBLISH_VARIABLES }, environment, [PREFIX]);
  return Object.freeze({ ...config, DATA_DIR: resolve(dataDir ?? config.DATA_DIR), environment });
}

/** The stream key of `publish`, or empty. Throws ConfigError. */
export function readStreamKey(): string {
  return readConfig(PUBLISH_VARIABLES, process.env, [PREFIX]).SHOWFLOOR_STREAM_KEY;
}

/** Configuration of the demo publisher. Throws ConfigError. */
export function readDemoPublisherConfig(): ConfigOf<typeof DEMO_PUBLISHER_VARIABLES> {
  return readConfig(DEMO_PUBLISHER_VARIABLES, process.env, [PREFIX]);
}

/** How to show text in this terminal: colours only where a person looks, and NO_COLOR is respected. */
export function wantsColour(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}

/** A private folder for sockets that systemd gives each user, or empty. */
export function runtimeDirectory(): string {
  return process.env.XDG_RUNTIME_DIR ?? '';
}

/** The variables of `start`, for `--help`. */
export function describeVariables(): string {
  return describeConfig({ ...START_VARIABLES, ...PUBLISH_VARIABLES });
}
