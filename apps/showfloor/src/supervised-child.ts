import { type ChildProcess, spawn } from 'node:child_process';
import { type ChildEvent, type ChildExit, type ChildRules, type ChildState, nextChildState } from './child-state.ts';
import { LineSplitter } from './line-splitter.ts';

/** How to run one process and when to call it ready. */
export type ChildProgram = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly rules: ChildRules;
  /** Longer than this from start to ready and it is killed and tried again. */
  readonly startTimeoutMs: number;
  /** Runs before each start; a rejection counts as a failed start, with its message. */
  readonly prepare?: () => Promise<void>;
  /** Resolves when the process serves; `signal` aborts when it has ended. Absent: it says `{type:'ready'}` over IPC. */
  readonly probe?: (signal: AbortSignal) => Promise<void>;
};

export type ChildListener = {
  readonly onState: (state: ChildState) => void;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
};

/** After its end, its last words may still be in the pipe. */
const LAST_WORDS_MS = 300;
const LAST_LINES_MAX = 20;

/**
 * One process in its own process group, kept alive by the rules of `nextChildState`. The owner calls `stop` (or `kill`)
 * before it forgets this object.
 */
export class SupervisedChild {
  readonly program: ChildProgram;
  readonly #listener: ChildListener;
  #state: ChildState = { kind: 'idle' };
  #process: ChildProcess | null = null;
  #timer: NodeJS.Timeout | undefined;
  #startedCount = 0;
  #lastLines: string[] = [];
  #lastExit: ChildExit | null = null;
  readonly #waiters = new Set<() => void>();

  constructor(program: ChildProgram, listener: ChildListener) {
    this.program = program;
    this.#listener = listener;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** Pid of the running process, or null. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Starts beyond the first. */
  get restarts(): number {
    return Math.max(0, this.#startedCount - 1);
  }

  /** How the latest run ended, or null. */
  get lastExit(): ChildExit | null {
    return this.#lastExit;
  }

  /** What the latest run wrote to standard error, at most 20 lines. */
  get lastErrorLines(): readonly string[] {
    return this.#lastLines;
  }

  start(): void {
    this.#apply({ type: 'start' });
  }

  /** Ends it in order and starts it again at once. */
  restart(): void {
    this.#apply({ type: 'restart' });
  }

  /** Asks it to end; resolves when it has. Says nothing about how long that takes: see `kill`. */
  async stop(): Promise<void> {
    this.#apply({ type: 'stop' });
    await this.until((state) => state.kind === 'idle');
  }

  /** Ends its whole process group at once. */
  kill(signal: 'SIGKILL' | 'SIGQUIT' = 'SIGKILL'): void {
    const pid = this.pid;
    if (pid !== null) signalGroup(pid, signal);
  }

  /** Resolves when the state fulfils `condition`. */
  async until(condition: (state: ChildState) => boolean): Promise<void> {
    while (!condition(this.#state)) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #apply(event: ChildEvent): void {
    const before = this.#state;
    if (event.type === 'exited') this.#lastExit = event.exit;
    const { state, action } = nextChildState(before, event, Date.now(), this.program.rules);
    this.#state = state;
    if (state !== before) clearTimeout(this.#timer);
    switch (action?.type) {
      case 'spawn':
        void this.#spawn();
        break;
      case 'terminate':
        this.#process?.kill(this.program.stopSignal);
        break;
      case 'kill':
        this.kill();
        break;
      case 'wait':
        this.#timer = setTimeout(() => this.#apply({ type: 'wait_over' }), action.delayMs);
        break;
      case undefined:
        break;
    }
    if (state === before) return;
    this.#listener.onState(state);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }

  async #spawn(): Promise<void> {
    this.#startedCount += 1;
    this.#lastLines = [];
    this.#timer = setTimeout(() => this.#apply({ type: 'start_timed_out' }), this.program.startTimeoutMs);
    try {
      await this.program.prepare?.();
    } catch (error) {
      this.#hear('stderr', error instanceof Error ? error.message : String(error));
      this.#apply({ type: 'exited', exit: { code: 1, signal: null } });
      return;
    }
    if (this.#state.kind !== 'starting') {
      this.#apply({ type: 'exited', exit: { code: 0, signal: null } }); // stopped while it was being prepared
      return;
    }
    const ended = new AbortController();
    const child = spawn(this.program.command, this.program.args, {
      cwd: this.program.cwd,
      env: this.program.env,
      detached: true, // its own group: Ctrl-C in the terminal is ours to pass on, in order
      stdio: this.program.probe === undefined ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.#readLines(child);
    child.on('message', (message) => {
      if (isReadyMessage(message)) this.#ready(child);
    });
    this.program.probe?.(ended.signal).then(
      () => this.#ready(child),
      () => undefined, // it ended first: the exit says all
    );
    child.once('error', (error) => {
      this.#hear('stderr', error.message);
      if (child.pid === undefined) this.#ended(child, ended, { code: 127, signal: null });
    });
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL'); // whatever it had started
      const lastWords = setTimeout(finish, LAST_WORDS_MS);
      child.once('close', finish);
      const apply = (): void => this.#ended(child, ended, { code, signal });
      function finish(): void {
        clearTimeout(lastWords);
        child.off('close', finish);
        apply();
      }
    });
  }

  #ready(child: ChildProcess): void {
    if (this.#process === child) this.#apply({ type: 'became_ready' });
  }

  #ended(child: ChildProcess, ended: AbortController, exit: ChildExit): void {
    ended.abort();
    if (this.#process !== child) return;
    this.#process = null;
    this.#apply({ type: 'exited', exit });
  }

  #readLines(child: ChildProcess): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const splitter = new LineSplitter((line) => this.#hear(stream, line));
      child[stream]?.on('data', (chunk: Buffer) => splitter.write(chunk));
      child[stream]?.once('end', () => splitter.end());
      child[stream]?.on('error', () => splitter.end()); // the other end broke off: its exit follows
    }
  }

  #hear(stream: 'stdout' | 'stderr', line: string): void {
    if (stream === 'stderr') this.#lastLines = [...this.#lastLines, line].slice(-LAST_LINES_MAX);
    this.#listener.onLine(stream, line);
  }
}

function isReadyMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // gone already: as wanted
  }
}
