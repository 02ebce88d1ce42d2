import { mkdir, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordedTrack } from './recorded-track.ts';
import { RecordingFile } from './recording-file.ts';

const PART_NAME = /^part-([1-9][0-9]{0,5})\.mp4$/;
const FOLDER_MODE = 0o750;

/** An open file of a show; `name` is its name in the folder. */
export type OpenPart = Readonly<{ name: string; file: RecordingFile; isContinued: boolean; otherPartsBytes: number }>;

/** Makes the folder of a show where it is missing. */
export async function makeShowFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
}

/**
 * Opens the file that these tracks are written to: the latest part of the show when its init segment describes them, whoever began
 * it, or else a new part. One `moov` cannot describe two configurations of a codec, and `avc1` forbids parameter sets in the
 * stream: players would show garbage after the change, so a second file is the honest answer. Null when that would be one more than `partsMax`. Rejects
 * when the disk refuses.
 */
export async function openPart(
  folder: string,
  tracks: readonly RecordedTrack[],
  partsMax: number,
): Promise<OpenPart | null> {
  const parts = (await readdir(folder))
    .map((name) => ({ name, part: Number(PART_NAME.exec(name)?.[1] ?? 0) }))
    .filter(({ part }) => part > 0)
    .toSorted((a, b) => a.part - b.part);
  const last = parts.at(-1);
  // Sizes first: nothing may fail once a file is open.
  const sizes = await Promise.all(parts.map(({ name }) => bytesOf(join(folder, name))));
  const allBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const continued = last === undefined ? null : await RecordingFile.continue(join(folder, last.name), tracks);
  if (last !== undefined && continued !== null) {
    return { name: last.name, file: continued, isContinued: true, otherPartsBytes: allBytes - (sizes.at(-1) ?? 0) };
  }
  if (parts.length >= partsMax) return null;
  const name = `part-${(last?.part ?? 0) + 1}.mp4`;
  const file = await RecordingFile.create(join(folder, name), tracks);
  return { name, file, isContinued: false, otherPartsBytes: allBytes };
}

/** Free space of the file system that holds `folder`, in percent of what unprivileged users may fill. */
export async function freePercent(folder: string): Promise<number> {
  const { bavail, bfree, blocks } = await statfs(folder);
  const usable = blocks - bfree + bavail;
  return usable === 0 ? 0 : (100 * bavail) / usable;
}

async function bytesOf(path: string): Promise<number> {
  return (await stat(path)).size;
}
