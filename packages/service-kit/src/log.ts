import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output: an event name in the past tense plus ids and numbers, e.g.
 * `log.info({ streamId, widthPx }, 'stream.started')`. Fields that may hold a secret are cut out wherever they stand.
 */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    messageKey: 'event',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[secret]',
    },
  });
}

const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'key',
  'param',
  'password',
  'secret',
  'streamKey',
  'tcUrl',
  'token',
  'accessToken',
  'refreshToken',
] as const;
