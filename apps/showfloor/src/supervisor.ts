import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError, EXIT_FAILED, EXIT_USAGE, StartError } from '@showfloor/service-kit';
import type { ChildConsole } from './child-console.ts';
import type { ChildExit, ChildState } from './child-state.ts';
import { runtimeDirectory, type StartConfig } from './config.ts';
import { checkDatabaseUrl } from './postgres/check-database-url.ts';
import { prepareEmbeddedPostgres } from './postgres/embedded-postgres.ts';
import {
  DEMO_CLIP,
  DEMO_PUBLISHER,
  demoPublisherProgram,
  type ServiceSpec,
  type StartSecrets,
  serviceProgram,
} from './services.ts';
import { writeStateFile } from './state-file.ts';
import { type ChildProgram, SupervisedChild } from './supervised-child.ts';

/** What to run, and where to tell about it. */
export type SupervisorOptions = {
  readonly config: StartConfig;
  /** In the order in which they are drained. */
  readonly services: readonly ServiceSpec[];
  readonly withDemo: boolean;
  readonly console: ChildConsole;
  readonly demoClip?: string;
};

const SECRET_BYTES = 24;

/** Why the whole system cannot go on: one message, and the exit code of the command. */
export class SupervisorFailure extends Error {
  override readonly name = 'SupervisorFailure';
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

const POSTGRES = 'postgres';
/** The next process is asked to end after this, even if the one before is still draining. */
const DRAIN_STEP_MS = 800;
const CHILDREN_DEADLINE_MS = 7_000;
const POSTGRES_DEADLINE_MS = 9_000;
const DEMO_ON_AIR_WAIT_MS = 5_000;

/**
 * Starts PostgreSQL and the processes of Showfloor and keeps each alive on its own. The owner calls `start` once, `stop` to
 * end everything, and watches `failure`.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, SupervisedChild>();
  readonly #abort = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  readonly #seenReady = new Set<string>();
  readonly #startedMs = Date.now();
  #stopping: Promise<void> | null = null;
  readonly secrets: StartSecrets;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#failure.promise.catch(() => undefined); // looked at by whoever waits
    const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
    this.secrets = { signInToken: secret(), demoStreamSecret: options.withDemo ? secret() : null };
  }

  /** Resolves when every process serves. Rejects with {@link SupervisorFailure} or StartError, or when `stop` is called. */
  async start(): Promise<void> {
    const { services } = this.#options;
    const withoutDatabase = services.filter(({ usesDatabase }) => !usesDatabase);
    for (const spec of withoutDatabase) this.#startService(spec, '');
    const databaseUrl = await this.#orFailure(this.#openDatabase());
    for (const spec of services) if (spec.usesDatabase) this.#startService(spec, databaseUrl);
    await this.#orFailure(Promise.all(services.map(({ name }) => this.#untilReady(name))));
    await this.#startDemo();
  }

  /** True once the demo publisher streams. */
  get isDemoOnAir(): boolean {
    return this.#children.get(DEMO_PUBLISHER)?.state.kind === 'ready';
  }

  /** True from the first call of `stop` on. */
  get isStopping(): boolean {
    return this.#stopping !== null;
  }

  /** Milliseconds since this supervisor was made. */
  get ageMs(): number {
    return Date.now() - this.#startedMs;
  }

  /** Rejects when something ends the whole system after it was ready; never resolves. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  /** Restarts one service in order (its files changed). */
  restart(name: string): void {
    this.#children.get(name)?.restart();
  }

  /** Drains and ends everything, within 10 s. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends everything at once; PostgreSQL recovers from its log at the next start. */
  force(): void {
    for (const [name, child] of this.#children) child.kill(name === POSTGRES ? 'SIGQUIT' : 'SIGKILL');
  }

  async #stop(): Promise<void> {
    this.#options.console.draining();
    this.#abort.abort();
    this.#failure.reject(new SupervisorFailure('stopped', 0));
    const names = [DEMO_PUBLISHER, ...this.#options.services.map(({ name }) => name)];
    const children = names.map((name) => this.#children.get(name)).filter((child) => child !== undefined);
    const killAll = setTimeout(() => {
      for (const child of children) child.kill();
    }, CHILDREN_DEADLINE_MS);
    const ends: Promise<void>[] = [];
    for (const child of children) {
      const end = child.stop();
      ends.push(end);
      await within(end, DRAIN_STEP_MS);
    }
    await Promise.all(ends);
    clearTimeout(killAll);
    await this.#stopPostgres();
    this.#options.console.close();
  }

  async #stopPostgres(): Promise<void> {
    const child = this.#children.get(POSTGRES);
    if (child === undefined) return;
    const end = child.stop();
    const leftMs = POSTGRES_DEADLINE_MS - CHILDREN_DEADLINE_MS;
    if (await within(end, leftMs)) return;
    child.kill('SIGQUIT');
    if (await within(end, 500)) return;
    child.kill();
    await end;
  }

  async #openDatabase(): Promise<string> {
    const { config } = this.#options;
    if (config.DATABASE_URL !== '') {
      await checkDatabaseUrl(config.DATABASE_URL);
      return config.DATABASE_URL;
    }
    const postgres = await prepareEmbeddedPostgres(config.DATA_DIR, runtimeDirectory(), this.#abort.signal);
    this.#abort.signal.throwIfAborted();
    this.#run(postgres.program);
    await this.#untilReady(POSTGRES);
    return postgres.databaseUrl;
  }

  #startService(spec: ServiceSpec, databaseUrl: string): void {
    this.#run(serviceProgram(spec, this.#options.config, databaseUrl, this.secrets));
  }

  /** The shop is open without its demo: we wait for it, but not for long. */
  async #startDemo(): Promise<void> {
    const { demoStreamSecret } = this.secrets;
    if (demoStreamSecret === null) return;
    this.#run(demoPublisherProgram(this.#options.config, demoStreamSecret, this.#options.demoClip ?? DEMO_CLIP));
    await this.#orFailure(within(this.#untilReady(DEMO_PUBLISHER), DEMO_ON_AIR_WAIT_MS));
  }

  #run(program: ChildProgram): void {
    if (this.#stopping !== null) return;
    const { name } = program;
    const child: SupervisedChild = new SupervisedChild(program, {
      onState: (state) => this.#onState(child, state),
      onLine: (stream, line) => this.#options.console.line(name, stream, line, child.state.kind === 'ready'),
    });
    this.#children.set(name, child);
    child.start();
  }

  #onState(child: SupervisedChild, state: ChildState): void {
    const { name } = child.program;
    const { console } = this.#options;
    writeStateFile(this.#options.config.DATA_DIR, [...this.#children.values()]);
    switch (state.kind) {
      case 'ready':
        console.ready(name, this.ageMs, this.#seenReady.has(name));
        this.#seenReady.add(name);
        break;
      case 'waiting':
        console.died(name, describeExit(state, child), state.untilMs - Date.now());
        break;
      case 'gave_up':
        this.#failure.reject(giveUpFailure(child, state.reason, state.exit, this.#options.config.DATA_DIR));
        break;
      default:
        break;
    }
  }

  async #untilReady(name: string): Promise<void> {
    await this.#children.get(name)?.until(({ kind }) => kind === 'ready');
  }

  #orFailure<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure.promise]);
  }
}

function giveUpFailure(
  child: SupervisedChild,
  reason: 'refused' | 'failed',
  exit: ChildExit,
  dataDir: string,
): SupervisorFailure {
  const { name } = child.program;
  const words = child.lastErrorLines.filter((line) => line.trim() !== '');
  if (reason === 'refused') return new SupervisorFailure(words.join('\n') || `${name} refused to start`, EXIT_USAGE);
  return new SupervisorFailure(
    `${name} does not start (${exitText(exit)}): ${causeLine(words)}; see ${join(dataDir, 'logs', `${name}.log`)}`,
    EXIT_FAILED,
  );
}

function describeExit(state: ChildState, child: SupervisedChild): string {
  const words = child.lastErrorLines;
  const exit = child.lastExit === null ? 'ended' : exitText(child.lastExit);
  return state.kind === 'waiting' && words.length > 0 ? `${exit}: ${causeLine(words)}` : exit;
}

function exitText(exit: ChildExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal;
}

/** The line that names the cause: an error's first line, PostgreSQL's FATAL, else the last words. */
function causeLine(lines: readonly string[]): string {
  const cause = lines.find((line) => /^\w*Error\b|FATAL:|PANIC:/.test(line.trim()) || /\b(FATAL|PANIC):/.test(line));
  return (cause ?? lines.at(-1) ?? 'it said nothing').trim();
}

/** True when `work` ended within `delayMs`. Rejects as it does. */
async function within(work: Promise<unknown>, delayMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), delayMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Which error to show, and with which exit code, for anything that ended a start. */
export function failureOf(error: unknown): SupervisorFailure {
  if (error instanceof SupervisorFailure) return error;
  if (error instanceof StartError || error instanceof ConfigError)
    return new SupervisorFailure(error.message, EXIT_USAGE);
  return new SupervisorFailure(error instanceof Error ? (error.stack ?? error.message) : String(error), EXIT_FAILED);
}
