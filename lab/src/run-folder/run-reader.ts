/** Reads a run folder back. Everything the verdict and the report need comes from here. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Events kept for the report; `events.jsonl` has them all. */
const EVENTS_READ_MAX = 50_000;

/** Throws {@link RunFolderError}. A last line cut off by a crash is left out. */
export async function readRunFolder(folder: string): Promise<RunData> {
  const manifest = await readManifest(folder);
  const lines = await readLines<SeriesLine>(folder, 'series.jsonl');
  const histograms = await readLines<{ atMs: number; trends: Record<string, string> }>(folder, 'histograms.jsonl');
  const events = await readLines<LabEvent>(folder, 'events.jsonl');
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
    events: events.slice(0, EVENTS_READ_MAX),
    canary: await readLines<CanarySecond>(folder, 'canary.jsonl'),
    sentinels: await readLines<SentinelLine>(folder, 'sentinels.jsonl'),
    samples: await readLines<SampleLine>(folder, 'samples.jsonl'),
  };
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

async function readLines<T>(folder: string, name: string): Promise<T[]> {
  const path = join(folder, name);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new RunFolderError(`${path} cannot be read: ${error.message}`);
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parse<T>(line, path));
}

function parse<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new RunFolderError(`${path} cannot be read: ${error instanceof Error ? error.message : 'no JSON'}`);
  }
}
