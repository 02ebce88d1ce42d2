/** The null server in a process of its own, and what it says of itself. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NullServerMessage } from './null-server-main.ts';

/** One second of the null server. */
export type NullServerSecond = Omit<Extract<NullServerMessage, { type: 'second' }>, 'type'>;

/** How often it writes to viewers of FLV: what servers under load merge packets to. */
const TICK_MS = 50;
/** Over one of these it no longer outruns the viewers: what is measured then is the null server. */
const CPU_PERCENT_MAX = 90;
const TICK_LATE_MS_MAX = 50;

/** Could not be started, or ended by itself. */
export class NullServerError extends Error {
  override readonly name = 'NullServerError';
}

/** A running one; its owner calls `stop`. */
export class NullServerProcess {
  readonly flvUrl: string;
  readonly hlsUrl: string;
  readonly #child: ChildProcess;
  #seconds: NullServerSecond[] = [];

  constructor(child: ChildProcess, { flvUrl, hlsUrl }: Extract<NullServerMessage, { type: 'listening' }>) {
    this.#child = child;
    this.flvUrl = flvUrl;
    this.hlsUrl = hlsUrl;
    child.on('message', (message: NullServerMessage) => {
      if (message.type === 'second') this.#seconds.push(message);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Seconds since the last call. */
  take(): NullServerSecond[] {
    return this.#seconds.splice(0);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill('SIGKILL'); // it holds nothing that could be lost
    await ended;
  }
}

/** Starts it. Throws {@link NullServerError}. */
export function startNullServerProcess(execArgv: readonly string[] = []): Promise<NullServerProcess> {
  const child = fork(fileURLToPath(new URL('./null-server-main.ts', import.meta.url)), [String(TICK_MS)], {
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((done, fail) => {
    child.once('error', (error) => fail(new NullServerError(error.message)));
    child.once('exit', (code) => fail(new NullServerError(`the null server ended with ${code}`)));
    child.once('message', (message: NullServerMessage) => {
      if (message.type === 'listening') done(new NullServerProcess(child, message));
    });
  });
}

/** Whether it was ahead of the viewers in these seconds; without a second, nobody knows. */
export function isAhead(seconds: readonly NullServerSecond[]): boolean {
  return (
    seconds.length > 0 &&
    seconds.every(
      ({ cpuPercent, worstTickLateMs, cutOff }) =>
        cpuPercent <= CPU_PERCENT_MAX && worstTickLateMs <= TICK_LATE_MS_MAX && cutOff === 0,
    )
  );
}
