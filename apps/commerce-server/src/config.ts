import { join, resolve } from 'node:path';
import { DEFAULT_HOLD_RULES, DEFAULT_RATES } from '@showfloor/commerce';
import {
  COMMON_VARIABLES,
  type ConfigOf,
  flagVariable,
  integerVariable,
  OUTBOUND_VARIABLES,
  portVariable,
  readConfig,
  textVariable,
  urlVariable,
  type Variable,
} from '@showfloor/service-kit';

const HOLD = DEFAULT_HOLD_RULES;
const WEB_DIR = join(import.meta.dirname, '..', '..', 'web', 'dist');
const PER_MINUTE_MAX = 100_000_000;

/** Everything commerce-server reads from its environment; `--help` prints it. */
export const VARIABLES = {
  ...COMMON_VARIABLES,
  ...OUTBOUND_VARIABLES,
  DATABASE_URL: databaseUrl(),
  COMMERCE_PORT: portVariable(3000, 'Web app and API'),
  COMMERCE_ADMIN_PORT: portVariable(3010, 'Metrics and health, on 127.0.0.1 only'),
  REALTIME_PORT: portVariable(3001, 'Where browsers find the realtime plane'),
  MEDIA_HTTP_PORT: portVariable(8080, 'Where browsers find the video plane'),
  MEDIA_RTMP_PORT: portVariable(1935, 'Where encoders publish'),
  COMMERCE_POOL_MAX: integerVariable(50, 5, 500, 'Connections to PostgreSQL'),
  COMMERCE_WEB_DIR: { ...textVariable(WEB_DIR, 'The built web app'), parse: (text: string) => resolve(text) },
  COMMERCE_PUBLIC_ORIGIN: urlVariable('', ['http', 'https'], 'Origin of the web app; empty: as the browser asked'),
  COMMERCE_PUBLIC_VIDEO_URL: urlVariable('', ['http', 'https'], 'Video plane as browsers reach it'),
  COMMERCE_PUBLIC_REALTIME_URL: urlVariable('', ['http', 'https'], 'Realtime plane as browsers reach it'),
  COMMERCE_PUBLIC_RTMP_URL: urlVariable('', ['rtmp', 'rtmps'], 'Server address for encoders'),
  COMMERCE_TRUSTED_PROXIES: listVariable('Addresses of proxies whose X-Forwarded-* headers count, by comma'),
  COMMERCE_CORS_ORIGINS: listVariable('Other origins whose pages may call the API, by comma'),
  COMMERCE_HOLD_SECONDS: integerVariable(HOLD.holdSeconds, 1, 86_400, 'How long a cart line is held'),
  COMMERCE_ACTIVE_HOLDS_MAX: integerVariable(HOLD.activeHoldsMax, 1, 1_000, 'Different products one buyer may hold'),
  COMMERCE_GRACE_SECONDS: integerVariable(120, 0, 3_600, 'How long an interrupted show waits for its publisher'),
  COMMERCE_HOOK_SECRET: hookSecret(),
  COMMERCE_AUTH_RATE_PER_MINUTE: rate(DEFAULT_RATES.auth, 'Sign-ins, registrations and links per address'),
  COMMERCE_GUEST_RATE_PER_MINUTE: rate(DEFAULT_RATES.guest, 'Guest sign-ins and refreshes per address'),
  COMMERCE_API_RATE_PER_MINUTE: rate(DEFAULT_RATES.api, 'Requests per user, or per address of who has not signed in'),
  COMMERCE_OWNER_SIGNIN_TOKEN: textVariable('', 'One-time link token of the owner, at /signin?token=…; empty: none'),
  COMMERCE_DEMO: flagVariable(false, 'Keep a demo shop with the show "demo"'),
  COMMERCE_DEMO_STREAM_SECRET: textVariable('', 'Stream key secret of the demo show (with COMMERCE_DEMO)'),
  COMMERCE_DEMO_SIGNIN_TOKEN: textVariable('', 'One-time link token of the demo seller (with COMMERCE_DEMO)'),
} as const;

export type Config = ConfigOf<typeof VARIABLES>;

export function loadConfig(): Config {
  return readConfig(VARIABLES, process.env, ['COMMERCE_', 'OUTBOUND_']);
}

function rate(fallback: number, doc: string): Variable<number> {
  return integerVariable(fallback, 1, PER_MINUTE_MAX, `${doc}, per minute`);
}

function databaseUrl(): Variable<string> {
  return {
    doc: 'PostgreSQL, e.g. postgres://user:password@host/showfloor',
    fallback: '',
    parse: (text) => {
      if (!/^postgres(ql)?:\/\//.test(text)) throw new Error('a URL that starts with postgres:// is required');
      return text;
    },
  };
}

function hookSecret(): Variable<string> {
  return {
    doc: 'For SRS in place of media-server: its hooks come with ?secret= and this; empty: hooks must be signed',
    fallback: '',
    parse: (text) => {
      if (text !== '' && !/^[\w-]{24,}$/.test(text)) throw new Error('24 or more letters, digits, _ or - are required');
      return text;
    },
  };
}

function listVariable(doc: string): Variable<readonly string[]> {
  return {
    doc,
    fallback: '',
    parse: (text) =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
  };
}
