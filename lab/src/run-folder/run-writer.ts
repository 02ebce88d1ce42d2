/**
 * Writes a run folder while the run goes on: `manifest.json`, `plan.json`, `series.jsonl` (readable figures per slice),
 * `histograms.jsonl` (the same slices as mergeable HdrHistograms), `events.jsonl`,
 * `samples.jsonl` (what collectors saw). Its owner calls `close()`.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { CanarySecond } from '../canary/canary-process.ts';
import type { LabEvent } from '../clients/actor.ts';
import type { SampleLine } from '../collectors/sample.ts';
import type { SelfSample } from '../engine/guard.ts';
import type { Plan } from '../engine/plan.ts';
import type { RunObserver } from '../engine/run-observer.ts';
import type { SliceMerger } from '../metrics/slice.ts';
import type { Manifest } from './manifest.ts';

/** What the generator saw of itself in one second, and the limits it broke. */
export type SelfRecord = SelfSample & { readonly second: number; readonly breaches: readonly string[] };

/** One line of `series.jsonl`. `atMs` is the start of the slice. */
export type SeriesLine = {
  readonly atMs: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly trends: Readonly<Record<string, { count: number; p50: number; p95: number; p99: number; max: number }>>;
  readonly self: readonly SelfRecord[];
};

/** The folder holds something already (a run never overwrites another), or cannot be made. */
export class UnusableFolderError extends Error {
  override readonly name = 'UnusableFolderError';
}

/** What was measured could not be kept, e.g. on a full disk: the run has no verdict. */
export class RunWriteError extends Error {
  override readonly name = 'RunWriteError';
}

/** One run. */
export class RunWriter {
  readonly #folder: string;
  readonly #series: WriteStream;
  readonly #histograms: WriteStream;
  readonly #events: WriteStream;
  readonly #samples: WriteStream;
  readonly #failure = new AbortController();
  #observer: RunObserver = {};
  #canary: WriteStream | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    this.#series = this.#open('series.jsonl');
    this.#histograms = this.#open('histograms.jsonl');
    this.#events = this.#open('events.jsonl');
    this.#samples = this.#open('samples.jsonl');
  }

  /** Makes the folder. Throws {@link UnusableFolderError}. */
  static async create(folder: string, manifest: Manifest, plan: Plan): Promise<RunWriter> {
    if ((await makeFolder(folder)).length > 0)
      throw new UnusableFolderError(`${folder} is not empty; name another with --out`);
    const writer = new RunWriter(folder);
    await writer.writeManifest(manifest);
    await writeFile(join(folder, 'plan.json'), `${JSON.stringify(plan, null, 1)}\n`);
    return writer;
  }

  /** Aborts when a file of the run cannot be written; nothing that comes later is kept. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  #open(name: string): WriteStream {
    const stream = createWriteStream(join(this.#folder, name));
    stream.on('error', (error) => {
      this.#failure.abort(new RunWriteError(`${join(this.#folder, name)} cannot be written: ${error.message}`));
    });
    return stream;
  }

  /** Replaces the manifest in one step, so that a reader never sees half of it. */
  async writeManifest(manifest: Manifest): Promise<void> {
    const path = join(this.#folder, 'manifest.json');
    await writeFile(`${path}.tmp`, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(`${path}.tmp`, path);
  }

  writeSlice(atMs: number, merged: SliceMerger, self: readonly SelfRecord[]): void {
    const { trends, counters, gauges } = merged.toData();
    const figures = [...merged.trends].map(([key, histogram]) => {
      const [p50, p95, p99] = [50, 95, 99].map((percentile) => histogram.percentileMs(percentile));
      return [key, { count: histogram.count, p50, p95, p99, max: histogram.maxMs }];
    });
    writeLine(this.#series, { atMs, counters, gauges, trends: Object.fromEntries(figures), self });
    writeLine(this.#histograms, { atMs, trends });
  }

  writeEvents(events: readonly LabEvent[]): void {
    for (const event of events) {
      writeLine(this.#events, event);
      this.#observer.event?.(event);
    }
  }

  /** A line of `canary.jsonl`; the file is there only in runs that have a canary. */
  writeCanary(second: CanarySecond): void {
    this.#canary ??= this.#open('canary.jsonl');
    writeLine(this.#canary, second);
  }

  /** A line of what collectors saw; with the time of day as text, as the strategy's appendix B has it. */
  writeSample(line: SampleLine): void {
    writeLine(this.#samples, { timestamp: new Date(line.atWallMs).toISOString(), ...line });
    this.#observer.sampled?.(line);
  }

  /** Tells what is written, as it is written. */
  observe(observer: RunObserver): void {
    this.#observer = observer;
  }

  /** Resolves when everything is on disk. Throws {@link RunWriteError} when something never will be. */
  async close(): Promise<void> {
    const all = [
      this.#series,
      this.#histograms,
      this.#events,
      this.#samples,
      ...(this.#canary === null ? [] : [this.#canary]),
    ];
    const streams = all.filter((stream) => !stream.destroyed);
    for (const stream of streams) stream.end();
    await Promise.allSettled(streams.map((stream) => finished(stream)));
    this.failed.throwIfAborted();
  }
}

/** Returns what the folder holds already. */
async function makeFolder(folder: string): Promise<string[]> {
  try {
    await mkdir(folder, { recursive: true });
    return await readdir(folder);
  } catch (error) {
    throw new UnusableFolderError(`${folder} cannot be used: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}

function writeLine(stream: WriteStream, value: unknown): void {
  if (stream.destroyed) return; // it failed; `failed` says so
  stream.write(`${JSON.stringify(value)}\n`);
}
