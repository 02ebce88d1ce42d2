/** Runs the canary beside the crowd and hands on what it saw, second by second. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SelfSample } from '../engine/guard.ts';
import type { WorkerMessage, WorkerTask } from '../engine/worker-messages.ts';
import type { SliceData } from '../metrics/slice.ts';
import type { CanaryTask } from './canary-main.ts';
import type { CanaryPlan } from './canary-plan.ts';

/** One second of it: a line of `canary.jsonl`. */
export type CanarySecond = { readonly second: number; readonly data: SliceData; readonly self: SelfSample };

/** It has nothing to lose: after this long it is ended. */
const LEAVE_MS_MAX = 3000;

/** One process. Its owner calls `stop`. */
export class CanaryProcess {
  readonly #child: ChildProcess;
  readonly #onSecond: (second: CanarySecond) => void;
  readonly #ready = Promise.withResolvers<boolean>();
  readonly #ended: Promise<void>;

  constructor(
    plan: CanaryPlan,
    task: Omit<WorkerTask, 'room' | 'index' | 'vus' | 'groups'>,
    onSecond: (second: CanarySecond) => void,
  ) {
    this.#onSecond = onSecond;
    this.#child = fork(fileURLToPath(new URL('./canary-main.ts', import.meta.url)), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#ended = new Promise((done) => this.#child.once('exit', () => done()));
    this.#child.once('exit', () => this.#ready.resolve(false));
    this.#child.once('error', () => this.#ready.resolve(false));
    this.#child.on('message', (message: WorkerMessage) => this.#onMessage(message));
    const whole: CanaryTask = { ...task, index: 0, vus: plan.vus, groups: plan.groups };
    this.#child.send(whole);
  }

  /** Resolves when it can start; false when it broke: then the run has no canary, and the report says so. */
  get ready(): Promise<boolean> {
    return this.#ready.promise;
  }

  /** `startAtMs` is monotonic: one clock for all processes of a host. */
  start(startAtMs: number): void {
    if (this.#child.connected) this.#child.send({ type: 'start', startAtMs });
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.send({ type: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS_MAX);
    await this.#ended;
    clearTimeout(timer);
  }

  #onMessage(message: WorkerMessage): void {
    if (message.type === 'ready') this.#ready.resolve(true);
    if (message.type === 'slice') this.#onSecond({ second: message.second, data: message.data, self: message.self });
  }
}
