/**
 * Asks every source every few seconds, at the same moments. Scrapes of one source never overlap; one that hangs is given
 * up and recorded as a gap, and so is every moment at which it still has not come back. The loop records how late it was
 * and what it cost: an observer is part of what it observes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../clock.ts';
import type { Collector, Reading } from './collector.ts';
import type { SAMPLE_METRICS } from './metric-names.ts';
import type { CollectedSample, SampleLine } from './sample.ts';

/** The strategy's interval (3.1, appendix B). */
export const COLLECT_EVERY_MS = 5000;
/** More sources than this are refused: the collecting would be the load. */
export const COLLECTORS_MAX = 64;
/** Lines that one scrape may bring, e.g. one per stream; the rest is left out and its number recorded. */
export const READINGS_MAX = 100;
const TIMEOUT_SHARE = 0.8;
const ERROR_CHARACTERS_MAX = 300;
/** Scrapes that go on when it is over are waited for so long; then their source is closed under them. */
const STOP_MS_MAX = 1000;

/** What to ask, and where the lines go. */
export type CollectOptions = {
  readonly collectors: readonly Collector[];
  /** Default {@link COLLECT_EVERY_MS}. */
  readonly everyMs?: number;
  /** A scrape longer than this is a gap. Default: 80 % of the interval. */
  readonly timeoutMs?: number;
  /** Must be short, and not throw. */
  readonly onSample: (line: SampleLine) => void;
  /** Monotonic moment that `atMs` counts from; default: now. */
  readonly startAtMs?: number;
};

/** `stop` resolves when every scrape has ended or timed out, and every source is closed. */
export type RunningCollectors = { readonly stop: () => Promise<void> };

/** Too many sources, or two of the same name. */
export class CollectorSetupError extends Error {
  override readonly name = 'CollectorSetupError';
}

/** Scrapes at once, then at every interval. Throws {@link CollectorSetupError}. */
export function startCollectors(options: CollectOptions): RunningCollectors {
  const { collectors } = options;
  if (collectors.length > COLLECTORS_MAX) {
    throw new CollectorSetupError(`${collectors.length} sources; at most ${COLLECTORS_MAX} are collected`);
  }
  const names = collectors.map(({ collector, source }) => `${collector} ${source}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CollectorSetupError(`two sources are called ${twice}: name one of them`);
  const loop = new CollectLoop(options);
  loop.start();
  return { stop: () => loop.stop() };
}

type Head = Omit<CollectedSample, 'metrics' | 'histograms' | 'labels'>;
type Source = { readonly collector: Collector; running: Promise<void> | null };

class CollectLoop {
  readonly #options: CollectOptions;
  readonly #everyMs: number;
  readonly #timeoutMs: number;
  readonly #startAtMs: number;
  readonly #sources: readonly Source[];
  readonly #cost = new CostMeter();
  readonly #stopped = new AbortController();
  #firstAtMs = 0;
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;
  #rounds = new Set<Promise<void>>();

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? COLLECT_EVERY_MS;
    this.#timeoutMs = options.timeoutMs ?? this.#everyMs * TIMEOUT_SHARE;
    this.#startAtMs = options.startAtMs ?? monotonicMs();
    this.#sources = options.collectors.map((collector) => ({ collector, running: null }));
  }

  start(): void {
    this.#firstAtMs = monotonicMs();
    this.#round(this.#firstAtMs);
    this.#schedule();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopped.abort();
    await Promise.all(this.#rounds);
    const running = Promise.all(this.#sources.flatMap(({ running: one }) => (one === null ? [] : [one])));
    await Promise.race([running, sleep(STOP_MS_MAX, undefined, { ref: false })]);
    await Promise.allSettled(this.#sources.map(async ({ collector }) => collector.close?.()));
  }

  /** A machine that was asleep for several intervals has one scrape, not several at once. */
  #schedule(): void {
    const now = monotonicMs();
    this.#tick = Math.max(this.#tick + 1, Math.ceil((now - this.#firstAtMs) / this.#everyMs));
    const plannedAtMs = this.#firstAtMs + this.#tick * this.#everyMs;
    this.#timer = setTimeout(() => {
      this.#round(plannedAtMs);
      this.#schedule();
    }, plannedAtMs - now);
  }

  #round(plannedAtMs: number): void {
    const round = this.#scrapeAll(plannedAtMs).finally(() => this.#rounds.delete(round));
    this.#rounds.add(round);
  }

  async #scrapeAll(plannedAtMs: number): Promise<void> {
    for (const group of [0, 1]) {
      const sources = this.#sources.filter(({ collector }) => (collector.group ?? 0) === group);
      await Promise.all(sources.map((source) => this.#scrape(source, group === 0 ? plannedAtMs : monotonicMs())));
    }
    const metrics = this.#cost.take();
    if (metrics !== null) this.#emit(this.#head('collectors', 'lab', monotonicMs()), { metrics });
  }

  async #scrape(source: Source, plannedAtMs: number): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { collector, source: name } = source.collector;
    const beganAtMs = monotonicMs();
    const lateMs = Math.max(0, beganAtMs - plannedAtMs);
    const head = { ...this.#head(collector, name, beganAtMs), lateMs: round(lateMs) };
    if (source.running !== null) {
      this.#cost.add(lateMs, 0, true);
      this.#emit(head, { error: 'the previous scrape has not come back yet' });
      return;
    }
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const answer = ask(source.collector, AbortSignal.any([timeout, this.#stopped.signal]));
    source.running = answer.then(
      () => {
        source.running = null;
      },
      () => {
        source.running = null;
      },
    );
    const result = await outcomeOf(answer, timeout, this.#stopped.signal);
    if (result === null) return; // stopped meanwhile
    const tookMs = round(monotonicMs() - beganAtMs);
    this.#cost.add(lateMs, tookMs, 'error' in result);
    if ('error' in result) this.#emit({ ...head, tookMs }, { error: this.#clean(source.collector, result.error) });
    else this.#emitReadings({ ...head, tookMs }, result.readings);
  }

  #emitReadings(head: Head, readings: readonly Reading[]): void {
    for (const { collector, ...reading } of readings.slice(0, READINGS_MAX)) {
      this.#emit(collector === undefined ? head : { ...head, collector }, reading);
    }
    if (readings.length === 0) this.#emit(head, { error: 'it brought no figures' });
    const left = readings.length - READINGS_MAX;
    if (left > 0) this.#emit(head, { error: `${left} of ${readings.length} lines left out: too many at once` });
  }

  #head(collector: string, source: string, atMonotonicMs: number): Head {
    return { atMs: round(atMonotonicMs - this.#startAtMs), atWallMs: Date.now(), collector, source };
  }

  #emit(head: Head, body: Reading | { readonly error: string }): void {
    this.#options.onSample({ ...head, ...body });
  }

  #clean({ secrets = [] }: Collector, error: string): string {
    const cleaned = secrets
      .filter((secret) => secret !== '')
      .reduce((text, secret) => text.replaceAll(secret, '***'), error);
    return cleaned.slice(0, ERROR_CHARACTERS_MAX);
  }
}

/** Also what is thrown at once is a rejection. */
async function ask(collector: Collector, signal: AbortSignal): Promise<readonly Reading[]> {
  return collector.scrape(signal);
}

type Outcome = { readonly readings: readonly Reading[] } | { readonly error: string };

/** Null when the collecting was stopped first. */
async function outcomeOf(
  answer: Promise<readonly Reading[]>,
  timeout: AbortSignal,
  stopped: AbortSignal,
): Promise<Outcome | null> {
  const given = Promise.withResolvers<Outcome | null>();
  const onTimeout = (): void => given.resolve({ error: 'timed out' });
  const onStop = (): void => given.resolve(null);
  timeout.addEventListener('abort', onTimeout, { once: true });
  stopped.addEventListener('abort', onStop, { once: true });
  answer.then(
    (readings) => given.resolve({ readings }),
    (error: unknown) => given.resolve({ error: timeout.aborted ? 'timed out' : messageOf(error) }),
  );
  try {
    return await given.promise;
  } finally {
    timeout.removeEventListener('abort', onTimeout);
    stopped.removeEventListener('abort', onStop);
  }
}

/** `fetch` hides the reason in its cause; an AggregateError (several addresses) has only its parts' messages. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : null;
  const parts = error instanceof AggregateError ? error.errors.map((one) => messageOf(one)) : [];
  const text = cause === null ? [error.message, ...parts] : [error.message, messageOf(cause)];
  return text.filter((part) => part !== '').join(': ') || error.name;
}

/** What the loop did since the last line. */
class CostMeter {
  #scrapes = 0;
  #gaps = 0;
  #lateMsMax = 0;
  #tookMsMax = 0;
  #tookMsSum = 0;
  #cpu = process.threadCpuUsage();
  #atMs = monotonicMs();

  add(lateMs: number, tookMs: number, isGap: boolean): void {
    this.#scrapes += 1;
    if (isGap) this.#gaps += 1;
    this.#lateMsMax = Math.max(this.#lateMsMax, lateMs);
    this.#tookMsMax = Math.max(this.#tookMsMax, tookMs);
    this.#tookMsSum += tookMs;
  }

  take(): Record<keyof typeof SAMPLE_METRICS.collectors.metrics, number> | null {
    if (this.#scrapes === 0) return null;
    const cpu = process.threadCpuUsage();
    const nowMs = monotonicMs();
    const usedMs = (cpu.user - this.#cpu.user + cpu.system - this.#cpu.system) / 1000;
    const metrics = {
      scrapes: this.#scrapes,
      gaps: this.#gaps,
      late_ms_max: round(this.#lateMsMax),
      took_ms_max: round(this.#tookMsMax),
      took_ms_sum: round(this.#tookMsSum),
      thread_cpu_pct: round((usedMs / Math.max(1, nowMs - this.#atMs)) * 100),
    };
    this.#scrapes = 0;
    this.#gaps = 0;
    this.#lateMsMax = 0;
    this.#tookMsMax = 0;
    this.#tookMsSum = 0;
    this.#cpu = cpu;
    this.#atMs = nowMs;
    return metrics;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
