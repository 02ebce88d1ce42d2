import type { Logger } from '@showfloor/service-kit';
import { ErrorReply } from 'redis';
import { countPerInterval } from '../interval-logs.ts';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import { COMMANDS_WAITING_MAX, closeLines, openLines, type RedisLines } from './redis-lines.ts';
import type { RedisScript } from './redis-script.ts';

/** A Redis that does not answer in this time counts as down: nobody in the chat waits for it. */
export const COMMAND_PATIENCE_MS = 500;
/** All of joining: three connections, the scripts, one write. */
const JOIN_PATIENCE_MS = 2_000;
const PING_MS = 1_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 3_000;
/** Only after this long does the next loss begin again with the shortest wait. */
const STEADY_MS = 10_000;
/** A slower answer says little about what time it is there. */
const CLOCK_ROUND_TRIP_MS_MAX = 100;

export type RedisLinkOptions = {
  /** May hold a password: never logged. */
  readonly url: string;
  readonly metrics: RealtimeMetrics;
  readonly log: Logger;
  readonly scripts: readonly RedisScript[];
  /** One small write: a Redis that reads but refuses to write counts as down. */
  readonly probe: readonly string[];
  readonly patienceMs?: number;
  readonly waitingMax?: number;
};

type State =
  | { readonly is: 'apart'; readonly retry: NodeJS.Timeout | null }
  | { readonly is: 'joining' }
  | { readonly is: 'joined'; readonly lines: RedisLines; readonly sinceMs: number; readonly ping: NodeJS.Timeout }
  | { readonly is: 'closed' };

type PartingCause = 'timeout' | 'lost' | 'refused' | 'queue_full' | 'late' | 'close';
type MessageListener = (payload: Buffer) => void;

/** What a command rejects with when Redis did not do it, or not in time. Counted where it happens. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

/**
 * The node's connection to Redis: joined or apart, never in between for others. A command settles within the patience, whatever
 * Redis does; the first that does not parts the link, which ends all that wait and tries anew with growing pauses.
 * `close` ends it for good.
 */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #patienceMs: number;
  readonly #onChange = new Set<(isJoined: boolean) => void>();
  readonly #subscriptions = new Map<string, MessageListener>();
  readonly #waitingForJoin = new Set<() => void>();
  readonly #refusals: ReturnType<typeof countPerInterval>;
  #state: State = { is: 'apart', retry: null };
  #attempts = 0;
  /** Redis's wall clock minus our monotonic one, in ms. */
  #clockOffsetMs = 0;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? COMMAND_PATIENCE_MS;
    this.#refusals = countPerInterval(options.log, 'redis.join_failed');
  }

  get isJoined(): boolean {
    return this.#state.is === 'joined';
  }

  /** Called with true once joined and with false once apart, in this turn of the loop. */
  onChange(listener: (isJoined: boolean) => void): void {
    this.#onChange.add(listener);
  }

  /** Tries to join once and resolves with the outcome known; goes on trying by itself. */
  async start(): Promise<void> {
    await this.#join();
  }

  close(): void {
    this.#part('close');
    if (this.#state.is === 'apart' && this.#state.retry !== null) clearTimeout(this.#state.retry);
    this.#state = { is: 'closed' };
    this.#refusals.close();
    this.#waitingForJoin.clear(); // they stay pending: nobody is left to wait
  }

  /** Sends one command. Rejects with {@link RedisUnavailable}; at once while apart. */
  command(name: string, args: readonly (string | Buffer)[]): Promise<unknown> {
    const { lines } = this.#joinedState() ?? {};
    if (lines === undefined) return Promise.reject(new RedisUnavailable('apart'));
    return this.#timed(name, lines, () => lines.commands.sendCommand([...args]));
  }

  run(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.command(script.name, ['EVALSHA', script.sha, String(keys.length), ...keys, ...args.map(String)]);
  }

  /** The instant, on Redis's clock, at which we stop waiting for a command sent now: a script that runs later refuses. */
  deadlineMs(): number {
    return Math.floor(performance.now() + this.#clockOffsetMs + this.#patienceMs);
  }

  /** A script answered that it came after its deadline: Redis stood still, or its clock was set. */
  ranLate(): void {
    this.#part('late');
  }

  /** Hears `channel` whenever joined. */
  subscribe(channel: string, listener: MessageListener): void {
    this.#subscriptions.set(channel, listener);
    const { lines } = this.#joinedState() ?? {};
    if (lines === undefined) return;
    void this.#timed('subscribe', lines, () => lines.listener.subscribe(channel, listener, true)).catch(ignore);
  }

  /** Waits until joined, then reads; resolves with null when the read failed. `blockMs` is what Redis may take to answer. */
  async read(args: readonly string[], blockMs: number): Promise<unknown> {
    const joined = this.#joinedState() ?? (await this.#joined());
    const { lines } = joined;
    return this.#timed('read', lines, () => lines.reader.sendCommand([...args]), blockMs + this.#patienceMs).catch(
      () => null,
    );
  }

  #joinedState(): Extract<State, { is: 'joined' }> | null {
    return this.#state.is === 'joined' ? this.#state : null;
  }

  async #joined(): Promise<Extract<State, { is: 'joined' }>> {
    for (;;) {
      await new Promise<void>((resolve) => this.#waitingForJoin.add(resolve));
      const joined = this.#joinedState();
      if (joined !== null) return joined;
    }
  }

  async #join(): Promise<void> {
    this.#state = { is: 'joining' };
    let lines: RedisLines | null = null;
    let isLost = false;
    try {
      const { url, waitingMax = COMMANDS_WAITING_MAX } = this.#options;
      const onLost = (error: Error): void => {
        isLost = true;
        if (this.#joinedState()?.lines === lines) this.#part('lost', error);
      };
      lines = await openLines({ url, patienceMs: JOIN_PATIENCE_MS, waitingMax, onLost });
      await this.#prepare(lines);
      if (isLost || this.#state.is !== 'joining') throw new RedisUnavailable('lost while joining');
    } catch (error) {
      if (lines !== null) closeLines(lines);
      if (this.#state.is !== 'joining') return; // closed meanwhile
      this.#options.metrics.redisJoins.inc({ outcome: 'failed' });
      this.#refusals.count({ reason: reasonOf(error) });
      this.#retryLater();
      return;
    }
    this.#options.metrics.redisJoins.inc({ outcome: 'joined' });
    this.#options.log.info({ attempts: this.#attempts }, 'redis.joined');
    const ping = setInterval(() => this.#ping(), PING_MS).unref();
    this.#state = { is: 'joined', lines, sinceMs: performance.now(), ping };
    for (const listener of this.#onChange) listener(true);
    const waiting = [...this.#waitingForJoin];
    this.#waitingForJoin.clear();
    for (const resolve of waiting) resolve();
  }

  /** Everything a join needs of Redis, so that what follows meets one that reads, writes and knows our scripts. */
  async #prepare(lines: RedisLines): Promise<void> {
    const { scripts, probe } = this.#options;
    await this.#timed(
      'prepare',
      lines,
      async () => {
        for (const { source } of scripts) await lines.commands.sendCommand(['SCRIPT', 'LOAD', source]);
        for (const [channel, listener] of this.#subscriptions) await lines.listener.subscribe(channel, listener, true);
        await lines.commands.sendCommand([...probe]);
        await this.#readClock(lines, JOIN_PATIENCE_MS);
      },
      JOIN_PATIENCE_MS,
    );
  }

  /** Again with every ping: over a day clocks drift by seconds. */
  async #readClock(lines: RedisLines, roundTripMsMax: number): Promise<void> {
    const sentMs = performance.now();
    const [seconds, micros] = (await lines.commands.sendCommand(['TIME'])) as unknown as [string, string];
    if (performance.now() - sentMs > roundTripMsMax) return;
    this.#clockOffsetMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - sentMs;
  }

  #ping(): void {
    const { lines } = this.#joinedState() ?? {};
    if (lines === undefined) return;
    void this.#timed('ping', lines, () => this.#readClock(lines, CLOCK_ROUND_TRIP_MS_MAX)).catch(ignore);
    void this.#timed('ping', lines, () => lines.listener.sendCommand(['PING'])).catch(ignore);
    void this.#timed('probe', lines, () => lines.commands.sendCommand([...this.#options.probe])).catch(ignore);
  }

  #timed<T>(name: string, lines: RedisLines, send: () => Promise<T>, patienceMs = this.#patienceMs): Promise<T> {
    const { metrics } = this.#options;
    const startMs = performance.now();
    return new Promise((resolve, reject) => {
      const fail = (cause: PartingCause | 'command', error: unknown): void => {
        metrics.redisFailures.inc({ command: name });
        if (cause !== 'command' && this.#joinedState()?.lines === lines) this.#part(cause, error);
        reject(new RedisUnavailable(reasonOf(error)));
      };
      let late: NodeJS.Immediate | undefined;
      // After a stall of our own loop the timer is first: the answer that waits behind it still counts.
      const timer = setTimeout(() => {
        late = setImmediate(() => fail('timeout', new Error(`no answer to ${name} in ${patienceMs} ms`)));
      }, patienceMs);
      send().then(
        (value) => {
          clearTimeout(timer);
          clearImmediate(late);
          if (name !== 'read') metrics.redisDuration.observe({ command: name }, (performance.now() - startMs) / 1_000);
          resolve(value);
        },
        (error: unknown) => {
          clearTimeout(timer);
          clearImmediate(late);
          fail(causeOf(error), error);
        },
      );
    });
  }

  #part(cause: PartingCause, error?: unknown): void {
    const joined = this.#joinedState();
    if (joined === null) return;
    clearInterval(joined.ping);
    if (performance.now() - joined.sinceMs >= STEADY_MS) this.#attempts = 0;
    this.#retryLater();
    this.#options.metrics.redisPartings.inc({ cause });
    if (cause !== 'close') {
      const reason = error === undefined ? cause : reasonOf(error);
      this.#options.log.warn(
        { cause, reason, joinedMs: Math.round(performance.now() - joined.sinceMs) },
        'redis.parted',
      );
    }
    closeLines(joined.lines);
    for (const listener of this.#onChange) listener(false);
  }

  #retryLater(): void {
    const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#attempts);
    this.#attempts += 1;
    // Not all nodes at once.
    const retry = setTimeout(() => void this.#join(), pauseMs * (0.5 + Math.random() / 2)).unref();
    this.#state = { is: 'apart', retry };
  }
}

/** One key that holds something else is that command's trouble; anything else Redis refuses, it refuses everybody. */
function causeOf(error: unknown): PartingCause | 'command' {
  const text = reasonOf(error);
  if (error instanceof ErrorReply) return text.startsWith('WRONGTYPE') ? 'command' : 'refused';
  return text === 'The queue is full' ? 'queue_full' : 'lost';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message !== '' ? error.message : ((error as NodeJS.ErrnoException).code ?? error.name);
}

/** The answer, or null when Redis did not do it in time: counted by the link, and the caller goes on without. */
export async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RedisUnavailable) return null;
    throw error;
  }
}

function ignore(): void {
  // counted and acted upon where it happened
}
