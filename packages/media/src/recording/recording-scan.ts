import type { FileHandle } from 'node:fs/promises';
import {
  type Fmp4AccessPoint,
  type Fmp4RunFacts,
  FormatError,
  readFmp4Runs,
  readMp4BoxHeader,
} from '@showfloor/media-formats';
import { agrees, CHECK_BYTES, isCheck } from './fragment-check.ts';
import { timescalesOf, trackIdsOf } from './recorded-track.ts';

/** What is whole in a file that another run began. */
export type ScannedRecording = Readonly<{
  /** `ftyp` and `moov`. */
  init: Uint8Array;
  /** Ids of the tracks by their keys. */
  trackIds: ReadonlyMap<string, number>;
  accessPoints: Fmp4AccessPoint[];
  /** Up to here the file is whole; what follows is torn or is the index of an earlier end. */
  wholeBytes: number;
  /** End of the latest sample on the file's timeline, from 0. */
  endMs: number;
  lastSequenceNumber: number;
}>;

/** Seeking goes by the first track: the picture where there is one. */
export const INDEXED_TRACK_ID = 1;
const HEADER_BYTES = 8;
/** Boxes other than `mdat` are read into memory: ours are far smaller. */
const BOX_BYTES_MAX = 1024 * 1024;
/** Fragments that the disk may not have had when the power went: more than fit between two syncs. */
const UNSYNCED_FRAGMENTS_MAX = 32;
/** A fragment's `moof` and the header of its `mdat` mostly fit into one read. */
const READ_BYTES = 4_096;

/**
 * Walks a file fragment by fragment up to the last whole one: after a crash the tail may be torn. Null when not even the init
 * segment is whole, or it is none of ours. Rejects when the disk does.
 */
export async function scanRecording(file: FileHandle): Promise<ScannedRecording | null> {
  const { size: fileBytes } = await file.stat();
  try {
    const init = await readInit(file, fileBytes);
    if (init === null) return null;
    const [trackIds, timescales] = [trackIdsOf(init), timescalesOf(init)];
    const found = await findFragments(file, init.length, fileBytes);
    return { init, trackIds, ...factsOf(found, init.length, timescales) };
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

type Box = Readonly<{ type: string; sizeBytes: number; bytes: Buffer }>;

async function readInit(file: FileHandle, fileBytes: number): Promise<Uint8Array | null> {
  const ftyp = await readBox(file, 0, fileBytes);
  if (ftyp?.type !== 'ftyp') return null;
  const moov = await readBox(file, ftyp.sizeBytes, fileBytes);
  return moov?.type === 'moov' ? Buffer.concat([ftyp.bytes, moov.bytes]) : null;
}

type Found = Readonly<{ offset: number; sizeBytes: number; sequenceNumber: number; runs: readonly Fmp4RunFacts[] }>;

/** The fragments up to the first that is torn or has lost its content. */
async function findFragments(file: FileHandle, startOffset: number, fileBytes: number): Promise<Found[]> {
  const found: Found[] = [];
  let offset = startOffset;
  for (;;) {
    const fragment = await readFragment(file, offset, fileBytes);
    if (fragment === null) break;
    found.push({ offset, ...fragment });
    offset += fragment.sizeBytes;
  }
  for (let index = Math.max(0, found.length - UNSYNCED_FRAGMENTS_MAX); index < found.length; index += 1) {
    const fragment = found[index];
    if (fragment !== undefined && !(await isIntact(file, fragment))) return found.slice(0, index);
  }
  return found;
}

async function isIntact(file: FileHandle, { offset, sizeBytes }: Found): Promise<boolean> {
  const bytes = await readFully(file, offset, sizeBytes);
  return agrees(bytes.subarray(0, -CHECK_BYTES), bytes.subarray(-CHECK_BYTES));
}

function factsOf(found: readonly Found[], startOffset: number, timescales: ReadonlyMap<number, number>) {
  const accessPoints: Fmp4AccessPoint[] = [];
  let endMs = 0;
  for (const { offset, runs } of found) {
    for (const [index, run] of runs.entries()) {
      const timescale = timescales.get(run.trackId) ?? 1_000;
      endMs = Math.max(endMs, ((run.baseDecodeTimeTicks + run.durationTicks) * 1_000) / timescale);
      if (run.trackId !== INDEXED_TRACK_ID || !run.startsWithKeyframe) continue;
      accessPoints.push({ timeTicks: run.baseDecodeTimeTicks, moofOffset: offset, trafNumber: index + 1 });
    }
  }
  const last = found.at(-1);
  const wholeBytes = last === undefined ? startOffset : last.offset + last.sizeBytes;
  return { accessPoints, wholeBytes, endMs, lastSequenceNumber: last?.sequenceNumber ?? 0 };
}

/** A `moof` with its `mdat` and check, all there; null for anything else. */
async function readFragment(file: FileHandle, offset: number, fileBytes: number) {
  try {
    const moof = await readBox(file, offset, fileBytes);
    if (moof?.type !== 'moof') return null;
    const mdat = await readHeader(file, offset + moof.sizeBytes, fileBytes);
    if (mdat?.type !== 'mdat') return null;
    const check = await readBox(file, offset + moof.sizeBytes + mdat.sizeBytes, fileBytes, CHECK_BYTES);
    if (check === null || !isCheck(check.bytes)) return null;
    return { ...readFmp4Runs(moof.bytes), sizeBytes: moof.sizeBytes + mdat.sizeBytes + CHECK_BYTES };
  } catch (error) {
    if (error instanceof FormatError) return null; // torn: whatever follows is cut away
    throw error;
  }
}

/** The header of a box that is whole in the file. */
async function readHeader(file: FileHandle, offset: number, fileBytes: number) {
  if (offset + HEADER_BYTES > fileBytes) return null;
  const bytes = await readFully(file, offset, HEADER_BYTES);
  const header = readMp4BoxHeader(bytes, 0);
  return offset + header.sizeBytes > fileBytes ? null : header;
}

async function readBox(
  file: FileHandle,
  offset: number,
  fileBytes: number,
  expectedBytes: number = READ_BYTES,
): Promise<Box | null> {
  if (offset + HEADER_BYTES > fileBytes) return null;
  const first = await readFully(file, offset, Math.min(expectedBytes, fileBytes - offset));
  const { type, sizeBytes } = readMp4BoxHeader(first, 0);
  if (sizeBytes > BOX_BYTES_MAX || offset + sizeBytes > fileBytes) return null;
  const bytes = sizeBytes <= first.length ? first.subarray(0, sizeBytes) : await readFully(file, offset, sizeBytes);
  return { type, sizeBytes, bytes };
}

async function readFully(file: FileHandle, position: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  let done = 0;
  while (done < lengthBytes) {
    const { bytesRead } = await file.read(bytes, done, lengthBytes - done, position + done);
    if (bytesRead === 0) return bytes.subarray(0, done); // shorter than it said: read as torn
    done += bytesRead;
  }
  return bytes;
}
