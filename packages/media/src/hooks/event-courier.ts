import { setTimeout as sleep } from 'node:timers/promises';
import type { PublisherRefused, RestreamStateChanged, StreamEvent } from '@showfloor/protocol';
import type { Logger } from '@showfloor/service-kit';
import type { MediaMetrics } from '../media-metrics.ts';
import { signedPost } from './signed-post.ts';

const QUEUE_MAX = 1_000;
const TIMEOUT_MS = 5_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;
/** While the process stops there is no time for a longer backoff. */
const RETRY_DRAINING_MS = 250;

type CarriedEvent = StreamEvent | RestreamStateChanged | PublisherRefused;

/** `name` is the metric label; `url` takes the signed POST. */
export type EventTarget = Readonly<{ name: string; url: string }>;

/**
 * Carries events to one target, in order and at least once: retried with backoff and jitter until taken or refused for
 * good (4xx). The queue is bounded; at the bound the oldest event is let go and counted.
 */
export class EventCourier {
  readonly #target: EventTarget;
  readonly #options: { secret: string; metrics: MediaMetrics; log: Logger; retryFirstMs?: number };
  readonly #queue: CarriedEvent[] = [];
  readonly #stop = new AbortController();
  /** Ends the backoff of the moment when draining begins. */
  readonly #wake = new AbortController();
  #running: Promise<void> | null = null;
  #isDraining = false;

  constructor(
    target: EventTarget,
    options: { secret: string; metrics: MediaMetrics; log: Logger; retryFirstMs?: number },
  ) {
    this.#target = target;
    this.#options = options;
  }

  /** Queues an event; sending goes on in the background. */
  send(event: CarriedEvent): void {
    this.#queue.push(event);
    if (this.#queue.length > QUEUE_MAX) {
      this.#queue.shift();
      this.#count('dropped_full');
    }
    this.#gauge();
    this.#running ??= this.#run(); // never rejects: signedPost and sleep's abort are handled
  }

  /** Events not taken yet. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /**
   * Sends what is queued for at most `withinMs`, then stops like `close`. A target that does not answer at all is given up at
   * once: it is stopping too. What is let go is counted.
   */
  async drain(withinMs: number): Promise<void> {
    this.#isDraining = true;
    this.#wake.abort();
    const timer = setTimeout(() => this.close(), withinMs);
    await this.#running;
    clearTimeout(timer);
    this.close();
    if (this.#queue.length > 0) this.#count('dropped_stopping', this.#queue.length);
  }

  /** Stops sending; what is queued is let go. */
  close(): void {
    this.#stop.abort();
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const event = this.#queue[0];
      if (event === undefined) break;
      const result = await this.#deliver(event);
      if (result === 'done') {
        // The bound may have removed it meanwhile.
        if (this.#queue[0] === event) this.#queue.shift();
        failures = 0;
        this.#gauge();
        continue;
      }
      if (this.#isDraining && result === 'no_answer') break;
      await this.#backOff(failures);
      failures += 1;
    }
    this.#running = null;
  }

  async #backOff(failures: number): Promise<void> {
    const first = this.#options.retryFirstMs ?? RETRY_FIRST_MS;
    const fullMs = this.#isDraining ? RETRY_DRAINING_MS : Math.min(RETRY_MAX_MS, first * 2 ** Math.min(failures, 16));
    const { signal } = this.#isDraining ? this.#stop : this.#wake;
    await sleep(fullMs * (0.75 + Math.random() / 4), undefined, { signal }).catch(() => undefined); // stopped or woken
  }

  /** `no_answer`: nobody there, or not in time. */
  async #deliver(event: CarriedEvent): Promise<'done' | 'failed' | 'no_answer'> {
    const { url, name } = this.#target;
    const result = await signedPost({
      url,
      secret: this.#options.secret,
      body: event,
      timeoutMs: TIMEOUT_MS,
      id: event.id,
      signal: this.#stop.signal,
    });
    const status = result.kind === 'answer' ? result.status : 0;
    if (status >= 200 && status < 300) {
      this.#count('delivered');
      return 'done';
    }
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429 && status !== 404;
    this.#count(isFinal ? 'refused' : 'failed');
    if (isFinal) this.#options.log.warn({ target: name, status, type: event.type, id: event.id }, 'event.refused');
    if (isFinal) return 'done';
    return result.kind === 'answer' ? 'failed' : 'no_answer';
  }

  #count(outcome: string, events = 1): void {
    this.#options.metrics.eventDeliveries.inc({ target: this.#target.name, outcome }, events);
  }

  #gauge(): void {
    this.#options.metrics.eventQueue.set({ target: this.#target.name }, this.#queue.length);
  }
}
