import { writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output: an event name in the past tense plus ids and numbers, e.g.
 * `log.info({ streamId, widthPx }, 'stream.started')`. Fields that may hold a secret are cut out wherever they stand.
 */
export function createLogger(service: string, level: string): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'event',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[secret]',
    },
  };
  return pino(options, { write: writeLine });
}

const STDOUT = 1;
/** A reader that has stalled may hold us up for so long, then its lines are dropped: a log must not stop a plane. */
const STALLED_READER_MS = 20;
const pause = new Int32Array(new SharedArrayBuffer(4));
let droppedLines = 0;

/** Log lines that found no reader; exported as `log_lines_dropped_total`. */
export function droppedLogLines(): number {
  return droppedLines;
}

/**
 * Writes one line at once. Not pino's own destination: its flush after a fatal line never returns once the reader (the
 * supervisor) is dead, and the process would outlive it for ever.
 */
function writeLine(line: string): void {
  let rest = Buffer.from(line);
  let waitedMs = 0;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(STDOUT, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waitedMs >= STALLED_READER_MS) {
        droppedLines += 1;
        return;
      }
      Atomics.wait(pause, 0, 0, 1);
      waitedMs += 1;
    }
  }
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
