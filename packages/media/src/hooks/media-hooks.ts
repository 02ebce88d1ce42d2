import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaHookAction, MediaHookRequest } from '@showfloor/protocol';
import type { Logger } from '@showfloor/service-kit';
import type { MediaMetrics } from '../media-metrics.ts';
import { signedPost } from './signed-post.ts';

/** What is told after the fact; `on_publish` is a question and has its own way. */
export type ToldAction = Exclude<MediaHookAction, 'on_publish'>;
export const TOLD_ACTIONS = ['on_unpublish', 'on_play', 'on_stop', 'on_dvr'] as const satisfies readonly ToldAction[];

/** Something that happened, in SRS's words; never with a key or a token (`param` and `tcUrl` are left out). */
export type MediaHook = Readonly<
  { action: ToldAction } & Pick<MediaHookRequest, 'client_id' | 'ip' | 'app' | 'stream' | 'cwd' | 'file'>
>;

/**
 * How hooks of one kind are sent. Those about viewers come by the thousand when a show begins: they are few at a time, tried once,
 * and let go when too many wait. Those about publishers are rare and worth a retry.
 */
type LaneLimits = Readonly<{ queueMax: number; parallelMax: number; retryAfterMs: readonly number[] }>;
const LANES = {
  publishers: { queueMax: 1_000, parallelMax: 2, retryAfterMs: [1_000, 5_000, 15_000] },
  viewers: { queueMax: 1_000, parallelMax: 4, retryAfterMs: [] },
} as const satisfies Readonly<Record<string, LaneLimits>>;
const LANE_OF: Readonly<Record<ToldAction, keyof typeof LANES>> = {
  on_unpublish: 'publishers',
  on_dvr: 'publishers',
  on_play: 'viewers',
  on_stop: 'viewers',
};
const TIMEOUT_MS = 3_000;

export type HookPosterOptions = Readonly<{
  /** Hooks go to `{baseUrl}/{action}`. */
  baseUrl: string;
  secret: string;
  /** Others are not sent at all. */
  wanted: ReadonlySet<ToldAction>;
  metrics: MediaMetrics;
  log: Logger;
  limits?: Partial<Record<keyof typeof LANES, Partial<LaneLimits>>>;
}>;

/**
 * Posts hooks in the background: nobody ever waits for an answer, and no answer changes anything. Bounded by lane; at the bound
 * the newest is let go and counted.
 */
export class HookPoster {
  readonly #options: HookPosterOptions;
  readonly #lanes: Readonly<Record<keyof typeof LANES, Lane>>;

  constructor(options: HookPosterOptions) {
    this.#options = options;
    this.#lanes = { publishers: this.#lane('publishers'), viewers: this.#lane('viewers') };
  }

  send(hook: MediaHook): void {
    if (this.#options.wanted.has(hook.action)) this.#lanes[LANE_OF[hook.action]].add(hook);
  }

  /** Sends what waits for at most `withinMs`, without further retries; what is left is let go and counted. */
  async drain(withinMs: number): Promise<void> {
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.drain(withinMs)));
  }

  #lane(name: keyof typeof LANES): Lane {
    const { baseUrl, secret, metrics, log, limits } = this.#options;
    return new Lane(
      { ...LANES[name], ...limits?.[name] },
      {
        post: async (hook, signal) => {
          const url = `${baseUrl}/${hook.action}`;
          const result = await signedPost({ url, secret, body: hook, timeoutMs: TIMEOUT_MS, signal });
          if (result.kind === 'no_answer') return 'failed';
          if (result.status < 300) return 'delivered';
          return result.status < 500 && result.status !== 429 && result.status !== 408 ? 'refused' : 'failed';
        },
        onDone: ({ action, stream }, outcome) => {
          metrics.hookPosts.inc({ action, outcome });
          if (outcome !== 'delivered' && name === 'publishers')
            log.warn({ action, stream, outcome }, 'hook.not_delivered');
        },
        onLength: (length) => metrics.hookQueue.set({ lane: name }, length),
      },
    );
  }
}

type Outcome = 'delivered' | 'refused' | 'failed' | 'dropped_full' | 'dropped_stopping';
type LaneWork = Readonly<{
  post: (hook: MediaHook, signal: AbortSignal) => Promise<'delivered' | 'refused' | 'failed'>;
  onDone: (hook: MediaHook, outcome: Outcome) => void;
  onLength: (length: number) => void;
}>;

/** A bounded queue and the few who work on it. */
class Lane {
  readonly #limits: LaneLimits;
  readonly #work: LaneWork;
  readonly #queue: MediaHook[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** Ends the pauses before retries when draining begins. */
  readonly #wake = new AbortController();

  constructor(limits: LaneLimits, work: LaneWork) {
    this.#limits = limits;
    this.#work = work;
  }

  add(hook: MediaHook): void {
    if (this.#queue.length >= this.#limits.queueMax || this.#stop.signal.aborted) {
      this.#work.onDone(hook, this.#stop.signal.aborted ? 'dropped_stopping' : 'dropped_full');
      return;
    }
    this.#queue.push(hook);
    this.#work.onLength(this.#queue.length);
    if (this.#running.size >= this.#limits.parallelMax) return;
    const running = this.#run().finally(() => this.#running.delete(running)); // never rejects
    this.#running.add(running);
  }

  async drain(withinMs: number): Promise<void> {
    this.#wake.abort();
    const timer = setTimeout(() => this.#stop.abort(), withinMs);
    await Promise.all(this.#running);
    clearTimeout(timer);
    this.#stop.abort();
    for (const hook of this.#queue.splice(0)) this.#work.onDone(hook, 'dropped_stopping');
    this.#work.onLength(0);
  }

  async #run(): Promise<void> {
    for (let hook = this.#queue.shift(); hook !== undefined; hook = this.#queue.shift()) {
      this.#work.onLength(this.#queue.length);
      this.#work.onDone(hook, await this.#deliver(hook));
      if (this.#stop.signal.aborted) return;
    }
  }

  async #deliver(hook: MediaHook): Promise<Outcome> {
    for (const retryAfterMs of [...this.#limits.retryAfterMs, null]) {
      const outcome = await this.#work.post(hook, this.#stop.signal);
      if (this.#stop.signal.aborted && outcome === 'failed') return 'dropped_stopping';
      if (outcome !== 'failed' || retryAfterMs === null || this.#wake.signal.aborted) return outcome;
      await sleep(retryAfterMs, undefined, { signal: this.#wake.signal }).catch(() => undefined); // woken to drain
    }
    return 'failed';
  }
}
