import { CHAT_RETENTION_DAYS, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, trustedProxies } from '@showfloor/realtime';
import {
  COMMON_VARIABLES,
  type ConfigOf,
  integerVariable,
  portVariable,
  readConfig,
  urlVariable,
  type Variable,
} from '@showfloor/service-kit';

/** Variables of realtime-server; `--help` prints them. */
export const VARIABLES = {
  ...COMMON_VARIABLES,
  REALTIME_PORT: portVariable(3001, 'Socket.IO, signed events from the other planes, /health'),
  REALTIME_ADMIN_PORT: portVariable(3011, 'Metrics and health, loopback only'),
  REALTIME_ALLOWED_ORIGINS: listVariable(
    'Origins of pages that may connect, comma-separated; empty: any origin on the host name that was asked',
    checkOrigin,
  ),
  REALTIME_TRUSTED_PROXIES: listVariable(
    'Addresses or ranges of proxies whose X-Forwarded-For is believed, comma-separated',
    (entry) => trustedProxies([entry]),
  ),
  REALTIME_CONNECTIONS_MAX: integerVariable(
    CONNECTIONS_MAX,
    1,
    1_000_000,
    'Connections at once; more are refused (503)',
  ),
  REALTIME_CONNECTIONS_PER_ADDRESS_MAX: integerVariable(
    CONNECTIONS_PER_ADDRESS_MAX,
    1,
    1_000_000,
    'Connections at once from one address other than loopback; more are refused (429)',
  ),
  REDIS_URL: urlVariable(
    '',
    ['redis', 'rediss'],
    'Redis 6.2 or newer over which several realtime nodes share rooms, e.g. redis://user:password@host:6379; empty: one node',
  ),
  REALTIME_NODE: nodeVariable('Name of this node where several use one DATA_DIR: each then keeps its own journals'),
  REALTIME_CHAT_RETENTION_DAYS: integerVariable(
    CHAT_RETENTION_DAYS,
    1,
    3_650,
    'A chat journal is deleted after this many days without a message',
  ),
} as const;

export type Config = ConfigOf<typeof VARIABLES>;

/** Reads the environment once. Throws `ConfigError` with every problem listed. */
export function loadConfig(): Config {
  return readConfig(VARIABLES, process.env, ['REALTIME_']);
}

/** A name that can be a folder's. */
function nodeVariable(doc: string): Variable<string> {
  return {
    doc,
    fallback: '',
    parse: (text) => {
      if (!/^[a-z0-9-]{0,32}$/.test(text)) throw new Error(`"${text}" is not at most 32 of a-z, 0-9 and -`);
      return text;
    },
  };
}

function listVariable(doc: string, check: (entry: string) => unknown): Variable<readonly string[]> {
  return {
    doc,
    fallback: '',
    parse: (text) => {
      const entries = text.split(',').flatMap((entry) => entry.trim() || []);
      for (const entry of entries) check(entry);
      return entries;
    },
  };
}

function checkOrigin(entry: string): void {
  if (!URL.canParse(entry) || new URL(entry).origin !== entry) {
    throw new Error(`"${entry}" is not an origin like https://shop.example`);
  }
}
