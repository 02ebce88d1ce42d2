/** Reads a run folder back. Everything the verdict and the report need comes from here. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { comparedOf } from '../canary/canary-comparison.ts';
import type { CanarySecond } from '../canary/canary-process.ts';
import type { LabEvent } from '../clients/actor.ts';
import type { SampleLine } from '../collectors/sample.ts';
import type { SentinelLine } from '../sentinels/sentinel-record.ts';
import type { TimedSlice } from '../verdict/evidence.ts';
import type { Manifest } from './manifest.ts';
import type { SelfRecord, SeriesLine } from './run-writer.ts';

/** A run as read. `lines` are the readable figures of `slices`. */
export type RunData = {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly lines: readonly SeriesLine[];
  readonly slices: readonly TimedSlice[];
  readonly self: readonly SelfRecord[];
  readonly events: readonly LabEvent[];
  /** Events of {@link EVENTS_PER_NAME_MAX} and more of a name that were not kept; absent: none. */
  readonly eventsLeftOut?: number;
  /** Seconds of the canary; empty in runs without one. */
  readonly canary?: readonly CanarySecond[];
  /** What real browsers saw; empty in runs without them. */
  readonly sentinels?: readonly SentinelLine[];
  /** What collectors saw; empty without any. */
  readonly samples: readonly SampleLine[];
};

/** The folder is not a run, or not one that this version can read. */
export class RunFolderError extends Error {
  override readonly name = 'RunFolderError';
}

/** Events of one name that are kept for the report, so that a flood of one never hides a late alert; `events.jsonl` has them all. */
export const EVENTS_PER_NAME_MAX = 10_000;
const EVENT_NAMES_MAX = 200;
const NEWLINE = 10;

/** Throws {@link RunFolderError}. A last line cut off by a crash is left out. */
export async function readRunFolder(folder: string): Promise<RunData> {
  const manifest = await readManifest(folder);
  const lines = await readLines<SeriesLine>(folder, 'series.jsonl');
  const histograms = await readLines<{ atMs: number; trends: Record<string, string> }>(folder, 'histograms.jsonl');
  const { events, eventsLeftOut } = await readEvents(folder);
  const trendsAt = new Map(histograms.map(({ atMs, trends }) => [atMs, trends]));
  return {
    folder,
    manifest,
    lines,
    slices: lines.map(({ atMs, counters, gauges }) => ({
      atMs,
      data: { trends: trendsAt.get(atMs) ?? {}, counters, gauges },
    })),
    self: lines.flatMap((line) => line.self),
    events,
    ...(eventsLeftOut === 0 ? {} : { eventsLeftOut }),
    canary: await readLines<CanarySecond>(folder, 'canary.jsonl', (second) => ({
      ...second,
      data: comparedOf(second.data),
    })),
    sentinels: await readLines<SentinelLine>(folder, 'sentinels.jsonl'),
    samples: await readLines<SampleLine>(folder, 'samples.jsonl'),
  };
}

async function readEvents(folder: string): Promise<{ events: LabEvent[]; eventsLeftOut: number }> {
  const counts = new Map<string, number>();
  let eventsLeftOut = 0;
  const events = await readLines<LabEvent>(folder, 'events.jsonl', (event) => {
    const count = counts.get(event.name) ?? 0;
    if (count >= EVENTS_PER_NAME_MAX || (count === 0 && counts.size >= EVENT_NAMES_MAX)) {
      eventsLeftOut += 1;
      return null;
    }
    counts.set(event.name, count + 1);
    return event;
  });
  return { events, eventsLeftOut };
}

async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(folder, 'manifest.json'), 'utf8');
  } catch {
    throw new RunFolderError(`${folder} is not a run folder: it has no manifest.json`);
  }
  const manifest = parse<Manifest>(text, join(folder, 'manifest.json'));
  if (manifest.version !== 1)
    throw new RunFolderError(`${folder}: its manifest was written by another version of the lab`);
  return manifest;
}

/** Line by line: six hours of a file can be longer than the longest string. Each is kept as `keep` leaves it. */
async function readLines<T>(folder: string, name: string, keep: (line: T) => T | null = (line) => line): Promise<T[]> {
  const path = join(folder, name);
  const lines: T[] = [];
  const take = (text: string): void => {
    const line = keep(parse<T>(text, path));
    if (line !== null) lines.push(line);
  };
  try {
    await using file = await open(path);
    const isWhole = await endsWithNewline(file);
    let held: string | null = null;
    for await (const text of file.readLines({ autoClose: false, start: 0 })) {
      if (held !== null && held !== '') take(held);
      held = text;
    }
    if (isWhole && held !== null && held !== '') take(held);
  } catch (error) {
    if (error instanceof RunFolderError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new RunFolderError(`${path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`);
  }
  return lines;
}

async function endsWithNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
  return bytesRead === 1 && buffer[0] === NEWLINE;
}

function parse<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new RunFolderError(`${path} cannot be read: ${error instanceof Error ? error.message : 'no JSON'}`);
  }
}
