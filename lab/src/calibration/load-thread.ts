/** One worker thread of the engine with any number of viewers against the null server: what calibration turns up and down. */
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../clock.ts';
import type { SelfSample } from '../engine/guard.ts';
import type { PlannedVu } from '../engine/plan.ts';
import type { Group } from '../engine/scenario.ts';
import { SHARED_ROOM_BYTES } from '../engine/shared-room.ts';
import type { CoordinatorMessage, WorkerMessage, WorkerTask } from '../engine/worker-messages.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { TargetDescription } from '../target/target.ts';

/** One second of the thread. */
export type LoadSecond = { readonly self: SelfSample; readonly data: SliceData };

const START_AFTER_MS = 50;
/** A message to the thread is on its way for less than this. */
const NOTICE_MS = 50;
const LENGTH_MS_MAX = 3_600_000;
const ADAPTER = new URL('../../targets/url.ts', import.meta.url).href;

/** Ended before it was told to. */
export class LoadThreadError extends Error {
  override readonly name = 'LoadThreadError';
}

/** Groups of viewers by name; all begin with nobody. Its owner calls `stop`. */
export class LoadThread {
  readonly #worker: Worker;
  readonly #groups: Readonly<Record<string, Group>>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #present = new Map<string, number[]>();
  readonly #seconds: LoadSecond[] = [];
  #wake: (() => void) | null = null;
  #failure: Error | null = null;
  #nextId = 0;
  #startAtMs = 0;

  constructor(groups: Readonly<Record<string, Group>>, target: TargetDescription) {
    this.#groups = groups;
    const workerData: WorkerTask = {
      index: 0,
      runId: 'calibration',
      seed: 1,
      vus: [],
      durationMs: LENGTH_MS_MAX,
      groups,
      target,
      adapterUrl: ADAPTER,
      clockOffsetMs: 0,
      room: new SharedArrayBuffer(SHARED_ROOM_BYTES),
    };
    this.#worker = new Worker(new URL('../engine/worker-main.ts', import.meta.url), { workerData });
    this.#worker.on('message', (message: WorkerMessage) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.once('exit', () => {
      this.#fail(new LoadThreadError('the thread ended'));
      this.#ended.resolve();
    });
  }

  async start(): Promise<void> {
    await this.#ready.promise;
    this.#startAtMs = monotonicMs() + START_AFTER_MS;
    this.#post({ type: 'start', startAtMs: this.#startAtMs });
  }

  /** Lets viewers of a group come, spread over `overMs`, or go at once, until so many are there. */
  set(group: string, count: number, overMs: number): void {
    const present = this.#present.get(group) ?? [];
    this.#present.set(group, present);
    const actor = this.#groups[group]?.actor;
    if (actor === undefined) throw new RangeError(`no group ${group}`);
    if (count < present.length) {
      this.#post({ type: 'leave', ids: present.splice(count) });
      return;
    }
    const nowMs = monotonicMs() - this.#startAtMs + NOTICE_MS;
    const more = count - present.length;
    const vus = Array.from({ length: more }, (_, index): PlannedVu => {
      const id = this.#nextId + index;
      const startAtMs = Math.round(nowMs + (overMs * index) / more);
      return { id, slot: id, group, actor, indexInGroup: present.length + index, startAtMs, stopAtMs: LENGTH_MS_MAX };
    });
    this.#nextId += more;
    present.push(...vus.map(({ id }) => id));
    this.#post({ type: 'join', vus });
  }

  /** The next seconds, as they end. Throws {@link LoadThreadError}. */
  async watch(seconds: number): Promise<LoadSecond[]> {
    this.#seconds.length = 0;
    while (this.#seconds.length < seconds && this.#failure === null) {
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
    if (this.#failure !== null) throw this.#failure;
    return this.#seconds.splice(0, seconds);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended.promise;
  }

  #onMessage(message: WorkerMessage): void {
    if (message.type === 'ready') this.#ready.resolve();
    if (message.type !== 'slice') return;
    this.#seconds.push({ self: message.self, data: message.data });
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#ready.resolve();
    this.#wake?.();
  }

  #post(message: CoordinatorMessage): void {
    this.#worker.postMessage(message);
  }
}
