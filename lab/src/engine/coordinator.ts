/** The main thread of a run: starts the workers, merges their seconds, watches their health, writes the folder. */
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../clock.ts';
import { seriesKey } from '../metrics/series-key.ts';
import { SliceMerger } from '../metrics/slice.ts';
import type { Manifest } from '../run-folder/manifest.ts';
import type { RunWriter, SelfRecord } from '../run-folder/run-writer.ts';
import { Crew } from './crew.ts';
import { breachedLimits, type GuardLimits, type SelfSample, worstSelfSample } from './guard.ts';
import { type Phase, type Plan, vusOfWorker } from './plan.ts';
import { SHARED_ROOM_BYTES } from './shared-room.ts';
import { NO_VU, type Stage } from './stage.ts';
import type { StockCheck } from './stock-check.ts';
import type { CoordinatorMessage, WorkerMessage, WorkerTask } from './worker-messages.ts';

/** Where the run stands, once per second. `total` is everything so far. */
export type Progress = {
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly phase: Phase['name'] | 'draining';
  readonly plannedVus: number;
  readonly gauges: Readonly<Record<string, number>>;
  readonly total: SliceMerger;
  /** The second that was just closed. */
  readonly second: SliceMerger;
  /** What the generator saw of itself in that second. */
  readonly self: SelfSample;
  readonly taintedSeconds: number;
};

type Options = {
  readonly plan: Plan;
  readonly workers: number;
  readonly writer: RunWriter;
  readonly stock: StockCheck;
  readonly guard: GuardLimits;
  readonly task: Pick<
    WorkerTask,
    'runId' | 'seed' | 'groups' | 'target' | 'groupTargets' | 'adapterUrl' | 'clockOffsetMs'
  >;
  readonly onProgress: (progress: Progress) => void;
  /** Acts along the timeline: faults, steering. Its signal aborts when the run is over; it then cleans up and resolves. */
  readonly conduct?: (stage: Stage) => Promise<void>;
};

type OpenSecond = { readonly merger: SliceMerger; readonly self: SelfSample[]; readonly reported: Set<number> };

const START_AFTER_MS = 200;
/** Virtual users that have not left by then are cut off; the run then says that the generator broke. */
const DRAIN_MS_MAX = 15_000;

/** One run. */
export class Coordinator {
  readonly #options: Options;
  readonly #workers = new Map<number, Worker>();
  readonly #crew: Crew;
  readonly #open = new Map<number, OpenSecond>();
  readonly #failures: string[] = [];
  readonly #total = new SliceMerger();
  #startAtMs = 0;
  #nextSecond = 0;
  #extra = new SliceMerger();
  #extraSelf = worstSelfSample([]);
  #stored = new SliceMerger();
  #storedSelf: SelfRecord[] = [];
  #taintedSeconds = 0;
  #droppedEvents = 0;
  #nextDropped = 0;
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
    this.#crew = new Crew(options.plan, options.workers, (worker, message) => {
      this.#workers.get(worker)?.postMessage(message);
      return this.#workers.has(worker);
    });
  }

  /** Resolves when every worker is done, or was cut off. */
  async run(signal: AbortSignal): Promise<NonNullable<Manifest['end']>> {
    const { plan, workers } = this.#options;
    const room = new SharedArrayBuffer(SHARED_ROOM_BYTES);
    const starts = Array.from({ length: workers }, (_, index) => this.#startWorker(index, room));
    await Promise.all(starts.map(({ ready }) => ready));
    this.#startAtMs = monotonicMs() + START_AFTER_MS;
    this.#tellAll({ type: 'start', startAtMs: this.#startAtMs });
    const onAbort = (): void => {
      this.#isStopping = true;
      this.#tellAll({ type: 'stop' });
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const done = Promise.all(starts.map((worker) => worker.done));
    const isOver = new AbortController();
    const conducted = this.#options.conduct?.(this.#stage(AbortSignal.any([signal, isOver.signal])));
    const deadline = this.#deadline(plan.durationMs, signal);
    await Promise.race([done, deadline.passed]);
    deadline.cancel();
    isOver.abort();
    await conducted;
    signal.removeEventListener('abort', onAbort);
    await this.#cutOff();
    while (this.#open.size > 0) this.#closeSecond();
    this.#store();
    return {
      atWallMs: Date.now(),
      elapsedMs: Math.round(monotonicMs() - this.#startAtMs),
      isInterrupted: signal.aborted,
      workerFailures: this.#failures,
      droppedEvents: this.#droppedEvents,
    };
  }

  /** What the generator saw of a thread of its own that has no virtual users. */
  addSelf(self: SelfSample): void {
    this.#extraSelf = worstSelfSample([self, this.#extraSelf]);
  }

  #stage(signal: AbortSignal): Stage {
    return {
      startAtMs: this.#startAtMs,
      signal,
      event: (name, atMs, detail) => this.#options.writer.writeEvents([{ name, vu: NO_VU, atMs, detail }]),
      record: (data) => this.#extra.add(data),
      tellFault: (fault, stage, atMs) => this.#tellAll({ type: 'fault', fault, stage, atMs }),
      steer: (group, by) => this.#crew.steer(group, by, monotonicMs() - this.#startAtMs),
    };
  }

  #startWorker(index: number, room: SharedArrayBuffer): { ready: Promise<void>; done: Promise<void> } {
    const { plan, workers, task } = this.#options;
    const vus = vusOfWorker(plan, index, workers);
    const workerData: WorkerTask = { ...task, index, vus, durationMs: plan.durationMs, room };
    const worker = new Worker(new URL('./worker-main.ts', import.meta.url), { workerData });
    this.#workers.set(index, worker);
    const ready = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'ready') ready.resolve();
      else if (message.type === 'slice') this.#onSlice(index, message);
      else this.#workers.delete(index);
    });
    worker.on('error', (error: Error) => this.#failures.push(`worker ${index}: ${error.message}`));
    worker.on('exit', () => {
      if (this.#workers.delete(index)) this.#failures.push(`worker ${index} ended before its virtual users`);
      ready.resolve();
      done.resolve();
      this.#closeSeconds();
    });
    return { ready: ready.promise, done: done.promise };
  }

  #tellAll(message: CoordinatorMessage): void {
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  #onSlice(index: number, message: Extract<WorkerMessage, { type: 'slice' }>): void {
    const second = this.#open.get(message.second) ?? { merger: new SliceMerger(), self: [], reported: new Set() };
    this.#open.set(message.second, second);
    const { checked, oversold } = this.#options.stock.add(message.data.counters);
    second.merger.add(message.data);
    const counters = { shop_units_checked_total: checked, oversold_units_total: oversold };
    second.merger.add({ trends: {}, gauges: {}, counters });
    second.self.push(message.self);
    second.reported.add(index);
    this.#droppedEvents += message.droppedEvents;
    this.#options.writer.writeEvents(message.events);
    this.#closeSeconds();
  }

  /** Closes the seconds that every living worker has reported, in order. */
  #closeSeconds(): void {
    for (;;) {
      const second = this.#open.get(this.#nextSecond);
      if (second === undefined) return;
      if ([...this.#workers.keys()].some((index) => !second.reported.has(index))) return;
      this.#closeSecond();
    }
  }

  #closeSecond(): void {
    const index = this.#nextSecond;
    this.#nextSecond += 1;
    const second = this.#open.get(index);
    this.#open.delete(index);
    if (second === undefined) return;
    this.#addDropped(index, second.merger);
    second.merger.add(this.#extra.toData());
    this.#extra = new SliceMerger();
    const data = second.merger.toData();
    const self = worstSelfSample([...second.self, this.#extraSelf]);
    this.#extraSelf = worstSelfSample([]);
    const breaches = breachedLimits(self, this.#options.guard);
    if (breaches.length > 0) this.#taintedSeconds += 1;
    this.#stored.add(data, 'replace');
    this.#storedSelf.push({ ...self, second: index, breaches });
    if (((index + 1) * 1000) % this.#options.plan.sliceMs === 0) this.#store();
    this.#total.add(data, 'replace');
    this.#report((index + 1) * 1000, data.gauges, second.merger, self);
  }

  /** Arrivals that the plan had nobody for count in the second in which they came. */
  #addDropped(second: number, merger: SliceMerger): void {
    for (; ; this.#nextDropped += 1) {
      const drop = this.#options.plan.dropped[this.#nextDropped];
      if (drop === undefined || drop.atMs >= (second + 1) * 1000) return;
      const counters = {
        [seriesKey('arrivals_total', { group: drop.group })]: 1,
        [seriesKey('dropped_iterations_total', { group: drop.group })]: 1,
      };
      merger.add({ trends: {}, gauges: {}, counters });
    }
  }

  #store(): void {
    const first = this.#storedSelf[0];
    if (first === undefined) return;
    this.#options.writer.writeSlice(first.second * 1000, this.#stored, this.#storedSelf);
    this.#stored = new SliceMerger();
    this.#storedSelf = [];
  }

  #report(elapsedMs: number, gauges: Progress['gauges'], second: SliceMerger, self: SelfSample): void {
    const { plan, onProgress } = this.#options;
    const phase = plan.phases.find(({ fromMs, toMs }) => fromMs < elapsedMs && elapsedMs <= toMs)?.name;
    onProgress({
      elapsedMs,
      durationMs: plan.durationMs,
      phase: this.#isStopping ? 'draining' : (phase ?? 'draining'),
      plannedVus: this.#crew.count(elapsedMs),
      gauges,
      total: this.#total,
      second,
      self,
      taintedSeconds: this.#taintedSeconds,
    });
  }

  /** Passes when the run should long be over; an interrupt brings it forward. */
  #deadline(durationMs: number, signal: AbortSignal): { passed: Promise<void>; cancel: () => void } {
    const passed = Promise.withResolvers<void>();
    let timer = setTimeout(passed.resolve, START_AFTER_MS + durationMs + DRAIN_MS_MAX);
    const hurry = (): void => {
      clearTimeout(timer);
      timer = setTimeout(passed.resolve, DRAIN_MS_MAX);
    };
    if (signal.aborted) hurry();
    signal.addEventListener('abort', hurry, { once: true });
    return {
      passed: passed.promise,
      cancel: () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', hurry);
      },
    };
  }

  async #cutOff(): Promise<void> {
    const left = [...this.#workers.entries()];
    this.#workers.clear();
    for (const [index, worker] of left) {
      this.#failures.push(`worker ${index} did not end within ${DRAIN_MS_MAX / 1000} s`);
      await worker.terminate();
    }
  }
}
