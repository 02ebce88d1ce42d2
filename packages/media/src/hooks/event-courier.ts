import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamEvent } from '@showfloor/protocol';
import type { Logger } from '@showfloor/service-kit';
import type { MediaMetrics } from '../media-metrics.ts';
import { signedPost } from './signed-post.ts';

const QUEUE_MAX = 1_000;
const TIMEOUT_MS = 5_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;

/** `name` is the metric label; `url` takes the signed POST. */
export type EventTarget = Readonly<{ name: string; url: string }>;

/**
 * Carries stream events to one target, in order and at least once: retried with backoff and jitter until taken or refused for
 * good (4xx). The queue is bounded; at the bound the oldest event is let go and counted.
 */
export class EventCourier {
  readonly #target: EventTarget;
  readonly #options: { secret: string; metrics: MediaMetrics; log: Logger; retryFirstMs?: number };
  readonly #queue: StreamEvent[] = [];
  readonly #stop = new AbortController();
  #isRunning = false;

  constructor(
    target: EventTarget,
    options: { secret: string; metrics: MediaMetrics; log: Logger; retryFirstMs?: number },
  ) {
    this.#target = target;
    this.#options = options;
  }

  /** Queues an event; sending goes on in the background. */
  send(event: StreamEvent): void {
    this.#queue.push(event);
    if (this.#queue.length > QUEUE_MAX) {
      this.#queue.shift();
      this.#count('dropped_full');
    }
    this.#gauge();
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run(); // never rejects: signedPost and sleep's abort are handled
  }

  /** Events not taken yet. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** Stops sending; what is queued is let go. */
  close(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const event = this.#queue[0];
      if (event === undefined) break;
      const isDone = await this.#deliver(event);
      if (isDone) {
        // The bound may have removed it meanwhile.
        if (this.#queue[0] === event) this.#queue.shift();
        failures = 0;
        this.#gauge();
        continue;
      }
      const first = this.#options.retryFirstMs ?? RETRY_FIRST_MS;
      const delayMs = Math.min(RETRY_MAX_MS, first * 2 ** Math.min(failures, 16)) * (0.75 + Math.random() / 4);
      failures += 1;
      await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined); // stopped: see condition
    }
    this.#isRunning = false;
  }

  async #deliver(event: StreamEvent): Promise<boolean> {
    const { url, name } = this.#target;
    const result = await signedPost({
      url,
      secret: this.#options.secret,
      body: event,
      timeoutMs: TIMEOUT_MS,
      id: event.id,
    });
    const status = result.kind === 'answer' ? result.status : 0;
    if (status >= 200 && status < 300) {
      this.#count('delivered');
      return true;
    }
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429 && status !== 404;
    this.#count(isFinal ? 'refused' : 'failed');
    if (isFinal) this.#options.log.warn({ target: name, status, type: event.type, id: event.id }, 'event.refused');
    return isFinal;
  }

  #count(outcome: string): void {
    this.#options.metrics.eventDeliveries.inc({ target: this.#target.name, outcome });
  }

  #gauge(): void {
    this.#options.metrics.eventQueue.set({ target: this.#target.name }, this.#queue.length);
  }
}
