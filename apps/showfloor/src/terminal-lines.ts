import { styleText } from 'node:util';

/** A log level, as pino names it. */
export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
/** Least first. */
const LEVELS: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** A log line of a process, understood. */
export type LogLine = { readonly level: Level; readonly text: string };

const TEXT_CHARS_MAX = 400;
const HIDDEN_FIELDS = new Set(['level', 'time', 'service', 'event', 'pid', 'hostname']);

/** Reads a line of our servers (JSON), of PostgreSQL, or of anything else. */
export function parseLogLine(service: string, stream: 'stdout' | 'stderr', line: string): LogLine {
  if (service === 'postgres') return parsePostgresLine(line);
  if (line.startsWith('{')) {
    try {
      return readJsonLine(JSON.parse(line) as Record<string, unknown>);
    } catch {
      // not JSON after all, or cut
    }
  }
  return { level: stream === 'stderr' ? 'warn' : 'info', text: cut(line) };
}

/** True when a line of `level` belongs in a terminal that shows `threshold` and above. */
export function isShown(level: Level, threshold: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(threshold);
}

/** The stricter of two levels. */
export function stricterLevel(one: Level, other: Level): Level {
  return isShown(one, other) ? one : other;
}

/** A line for people: time, process, level, text. */
export function formatLogLine(service: string, line: LogLine, now: Date, colour: boolean): string {
  const time = now.toISOString().slice(11, 19);
  const label = line.level.toUpperCase().padEnd(5);
  if (!colour) return `${time} ${service.padEnd(15)} ${label} ${line.text}`;
  const hue = LEVELS.indexOf(line.level) >= LEVELS.indexOf('error') ? 'red' : line.level === 'warn' ? 'yellow' : 'gray';
  const options = { validateStream: false };
  return `${styleText('gray', time, options)} ${service.padEnd(15)} ${styleText(hue, label, options)} ${line.text}`;
}

function readJsonLine(fields: Record<string, unknown>): LogLine {
  const level = LEVELS.find((name) => name === fields.level) ?? 'info';
  const details = Object.entries(fields)
    .filter(([name]) => !HIDDEN_FIELDS.has(name))
    .map(([name, value]) => (name === 'err' ? describeError(value) : `${name}=${describe(value)}`));
  const event = typeof fields.event === 'string' ? fields.event : '(no event)';
  return { level, text: cut([event, ...details].join(' ')) };
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Type and message; the stack is in the log file. */
function describeError(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `error=${describe(value)}`;
  const { type, message } = value as { type?: unknown; message?: unknown };
  return `${typeof type === 'string' ? type : 'Error'}: ${typeof message === 'string' ? message : describe(value)}`;
}

const POSTGRES_LEVELS: Readonly<Record<string, Level>> = {
  PANIC: 'error',
  WARNING: 'warn',
  // These go to the client, whose process says what they mean.
  ERROR: 'info',
  FATAL: 'info',
};

function parsePostgresLine(line: string): LogLine {
  const severity = /\s([A-Z]+):\s{1,2}/.exec(line)?.[1] ?? '';
  return { level: POSTGRES_LEVELS[severity] ?? 'info', text: cut(line) };
}

function cut(text: string): string {
  const clean = text.replaceAll(/\p{Cc}+/gu, ' ').trim(); // a log line must not steer the terminal
  return clean.length > TEXT_CHARS_MAX ? `${clean.slice(0, TEXT_CHARS_MAX)}…` : clean;
}

const FLOOD_WINDOW_MS = 10_000;
const FLOOD_LINES_MAX = 20;

/** Lets 20 lines per 10 s of each process through and counts the others. */
export class FloodGate {
  readonly #windows = new Map<string, { startedMs: number; shown: number; hidden: number }>(); // one per process

  /** Whether to show a line now, and how many were hidden in the window that has just ended. */
  admit(service: string, nowMs: number): { readonly show: boolean; readonly hiddenBefore: number } {
    const known = this.#windows.get(service);
    if (known === undefined || nowMs - known.startedMs >= FLOOD_WINDOW_MS) {
      this.#windows.set(service, { startedMs: nowMs, shown: 1, hidden: 0 });
      return { show: true, hiddenBefore: known?.hidden ?? 0 };
    }
    if (known.shown >= FLOOD_LINES_MAX) {
      known.hidden += 1;
      return { show: false, hiddenBefore: 0 };
    }
    known.shown += 1;
    return { show: true, hiddenBefore: 0 };
  }
}
