import {
  COMMON_VARIABLES,
  type ConfigOf,
  integerVariable,
  portVariable,
  readConfig,
  urlVariable,
  type Variable,
} from '@showfloor/service-kit';

/** Everything the worker reads from its environment; `--help` prints it. */
export const VARIABLES = {
  ...COMMON_VARIABLES,
  DATABASE_URL: databaseUrl(),
  WORKER_ADMIN_PORT: portVariable(3012, 'Metrics and health, on 127.0.0.1 only'),
  WORKER_POOL_MAX: integerVariable(20, 4, 200, 'Connections to PostgreSQL'),
  REALTIME_PORT: portVariable(3001, 'Port of the realtime plane on this machine'),
  MEDIA_ADMIN_PORT: portVariable(1985, 'Port of the media plane’s admin listener on this machine'),
  WORKER_MEDIA_ADMIN_URL: urlVariable(
    '',
    ['http', 'https'],
    'Media plane’s admin listener; empty: this machine, at MEDIA_ADMIN_PORT',
  ),
  WORKER_REALTIME_URL: urlVariable('', ['http', 'https'], 'Realtime plane; empty: this machine, at REALTIME_PORT'),
} as const;

export type Config = ConfigOf<typeof VARIABLES>;

export function loadConfig(): Config {
  return readConfig(VARIABLES, process.env, ['WORKER_']);
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
