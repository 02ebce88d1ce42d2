/** A process that the user named, and what may be done to it. No other process is ever touched. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the user says which process it is: by its pid, by commands, or both. Commands run in a shell; they are not kept. */
export type ProcessBinding = {
  readonly pid?: number;
  /** The pid is looked for: who listens at the plane of this name (`find-process.ts`). */
  readonly isAuto?: true;
  /** Used instead of a signal where there is one. */
  readonly stop?: string;
  /** May go on running: it is left alone, also after the run. */
  readonly start?: string;
  /** Something of the lab itself, such as its own publisher: used instead of signals and commands. */
  readonly own?: { readonly stop: () => void; readonly start: () => void };
};

/** By the names that scenarios use. */
export type ProcessBindings = Readonly<Record<string, ProcessBinding>>;

/** Why nothing could be done. */
export class ProcessControlError extends Error {
  override readonly name = 'ProcessControlError';
}

/** A command to stop something must end within this time. */
export const STOP_COMMAND_MS_MAX = 10_000;
const GONE_POLL_MS = 20;

/** One process. A pid that has been given to another process since the run began is refused. */
export class ProcessControl {
  readonly #binding: ProcessBinding;
  readonly #identity: string | null;
  #isPaused = false;

  constructor(binding: ProcessBinding) {
    this.#binding = binding;
    this.#identity = binding.pid === undefined ? null : (procStat(binding.pid)?.startTime ?? null);
  }

  /** Without a command to start it again, it must come back by itself. */
  get canStart(): boolean {
    return this.#binding.start !== undefined || this.#binding.own !== undefined;
  }

  get hasPid(): boolean {
    return this.#binding.pid !== undefined;
  }

  /** Throws {@link ProcessControlError}. */
  pause(): void {
    this.#signal('SIGSTOP');
    this.#isPaused = true;
    process.once('exit', this.#resumeAtExit);
  }

  /** Continues it, if `pause` stopped it. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    process.off('exit', this.#resumeAtExit);
    this.#signal('SIGCONT');
  }

  /** By the command, or else by the signal. Throws {@link ProcessControlError}. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#binding.own !== undefined) this.#binding.own.stop();
    else if (this.#binding.stop === undefined) this.#signal(signal);
    else await runStopCommand(this.#binding.stop);
  }

  start(): void {
    this.#binding.own?.start();
    if (this.#binding.start === undefined || this.#binding.own !== undefined) return;
    const child = spawn('sh', ['-c', this.#binding.start], { detached: true, stdio: 'ignore' });
    child.on('error', () => {}); // then the target does not come back, and the probe says so
    child.unref();
  }

  /** Whether the named pid runs no longer; null without one, or where the kernel does not tell. */
  isGone(): boolean | null {
    if (this.#binding.pid === undefined || this.#identity === null) return null;
    const stat = procStat(this.#binding.pid);
    return stat === null || stat.state === 'Z' || stat.startTime !== this.#identity;
  }

  isStopped(): boolean | null {
    if (this.#binding.pid === undefined) return null;
    const stat = procStat(this.#binding.pid);
    return stat === null ? null : stat.state === 'T';
  }

  readonly #resumeAtExit = (): void => this.resume();

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#binding;
    if (pid === undefined) throw new ProcessControlError('no pid was given for it');
    if (this.isGone() === true) throw new ProcessControlError(`process ${pid} is not the one it was, or gone`);
    try {
      process.kill(pid, signal);
    } catch (error) {
      throw new ProcessControlError(
        `${signal} to process ${pid}: ${error instanceof Error ? error.message : 'failed'}`,
      );
    }
  }
}

/** Resolves true once the condition holds, false when the time is over. */
export async function holdsWithin(condition: () => boolean, ms: number): Promise<boolean> {
  for (let leftMs = ms; leftMs > 0; leftMs -= GONE_POLL_MS) {
    if (condition()) return true;
    await sleep(GONE_POLL_MS);
  }
  return condition();
}

async function runStopCommand(command: string): Promise<void> {
  const child = spawn('sh', ['-c', command], { stdio: 'ignore', timeout: STOP_COMMAND_MS_MAX, killSignal: 'SIGKILL' });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', (error) => reject(new ProcessControlError(`the command to stop it: ${error.message}`)));
  child.once('exit', (code, signal) => {
    if (code === 0) resolve();
    else reject(new ProcessControlError(`the command to stop it ended with ${code ?? signal ?? 'nothing'}`));
  });
  await promise;
}

/** State letter and start time of a process (proc(5)); null when there is none, or no /proc. */
function procStat(pid: number): { readonly state: string; readonly startTime: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the name may hold anything, also brackets
    return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
  } catch {
    return null;
  }
}
