import { join } from 'node:path';
import { styleText } from 'node:util';
import { RotatingFile } from './rotating-file.ts';
import { FloodGate, formatLogLine, isShown, type Level, parseLogLine, stricterLevel } from './terminal-lines.ts';

export type ChildConsoleOptions = {
  readonly dataDir: string;
  /** LOG_LEVEL. */
  readonly level: Level;
  /** Show every line, not only warnings and errors. */
  readonly isVerbose: boolean;
  readonly colour: boolean;
  readonly write: (text: string) => void;
};

const SUPERVISOR = 'supervisor';
const NAME_WIDTH = 15;

/** Where the words of the processes go: all of them to `logs/<process>.log`, what matters to the terminal. */
export class ChildConsole {
  readonly #options: ChildConsoleOptions;
  readonly #files = new Map<string, RotatingFile>(); // one per process
  readonly #gate = new FloodGate();
  readonly #threshold: Level;
  #isDraining = false;

  constructor(options: ChildConsoleOptions) {
    this.#options = options;
    this.#threshold = options.isVerbose ? 'trace' : stricterLevel(options.level, 'warn');
  }

  /** A line that process `name` wrote. What it says while it starts is told once, with its end, by `died`. */
  line(name: string, stream: 'stdout' | 'stderr', line: string, isServing: boolean): void {
    const parsed = parseLogLine(name, stream, line);
    const isPlain = name === 'postgres' || line.startsWith('{');
    this.#file(name).writeLine(isPlain ? line : asJson(name, parsed.level, 'process.wrote', { stream, text: line }));
    if (!isShown(parsed.level, this.#threshold)) return;
    if (!this.#options.isVerbose && ((stream === 'stderr' && !isServing) || this.#isDraining)) return;
    const { show, hiddenBefore } = this.#gate.admit(name, Date.now());
    if (hiddenBefore > 0) this.#say(`… ${hiddenBefore} more lines of ${name} in logs/${name}.log`);
    if (show || this.#options.isVerbose) this.#say(formatLogLine(name, parsed, new Date(), this.#options.colour));
  }

  /** Process `name` serves, `ageMs` after our own start. */
  ready(name: string, ageMs: number, isAgain: boolean): void {
    this.#record('info', 'child.ready', { child: name, age_ms: ageMs });
    const mark = this.#paint('green', '✓');
    if (isAgain) this.#say(`${mark} ${name} serves again`);
    else this.#say(`  ${mark} ${name.padEnd(NAME_WIDTH)} ${this.#paint('gray', `${(ageMs / 1000).toFixed(1)} s`)}`);
  }

  /** Process `name` ended by itself and will be started again. */
  died(name: string, how: string, retryInMs: number): void {
    this.#record('warn', 'child.died', { child: name, how, retry_in_ms: retryInMs });
    const delay = (Math.max(0, retryInMs) / 1000).toFixed(1);
    this.#say(`${this.#paint('yellow', '!')} ${name} ended (${how}); it starts again in ${delay} s, the others go on`);
  }

  /** From now on processes end because we ask them to: what they say about it stays in their files. */
  draining(): void {
    this.#isDraining = true;
    this.#record('info', 'supervisor.draining', {});
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  #record(level: Level, event: string, fields: Record<string, unknown>): void {
    this.#file(SUPERVISOR).writeLine(asJson(SUPERVISOR, level, event, fields));
  }

  #file(name: string): RotatingFile {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const file = new RotatingFile(join(this.#options.dataDir, 'logs', `${name}.log`));
    this.#files.set(name, file);
    return file;
  }

  #say(line: string): void {
    this.#options.write(`${line}\n`);
  }

  #paint(style: 'green' | 'yellow' | 'gray', text: string): string {
    return this.#options.colour ? styleText(style, text, { validateStream: false }) : text;
  }
}

function asJson(service: string, level: Level, event: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ level, time: new Date().toISOString(), service, event, ...fields });
}
