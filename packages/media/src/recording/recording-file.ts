import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import {
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeFmp4RandomAccess,
  type Fmp4AccessPoint,
  setFmp4Duration,
} from '@showfloor/media-formats';
import type { AssembledFragment } from './fragment-assembler.ts';
import { checkOf } from './fragment-check.ts';
import { type RecordedTrack, trackIdsOf } from './recorded-track.ts';
import { INDEXED_TRACK_ID, type ScannedRecording, scanRecording } from './recording-scan.ts';

/** Points of the index at the end lie at least this far apart: it stays below 20 bytes for each second. */
const INDEX_STEP_MS = 1_000;
const FILE_MODE = 0o640;

/**
 * One file of a show: the init segment first, then whole fragments, so that it can be played up to the last of them whatever
 * happens. Each method waits for the disk and rejects when it refuses; one at a time, by one owner, who calls `close`.
 */
export class RecordingFile {
  /** Bytes of an earlier run that were torn, or were the index of an earlier end, and have been cut away. */
  readonly cutBytes: number;
  readonly #file: FileHandle;
  readonly #init: Uint8Array;
  readonly #trackIds: ReadonlyMap<string, number>;
  readonly #accessPoints: Fmp4AccessPoint[];
  #bytes: number;
  #endMs: number;
  #sequenceNumber: number;
  /** File time minus stream time; set by the first fragment of this run. */
  #offsetMs: number | null = null;

  private constructor(file: FileHandle, scanned: ScannedRecording, cutBytes: number) {
    this.#file = file;
    this.cutBytes = cutBytes;
    this.#init = scanned.init;
    this.#trackIds = scanned.trackIds;
    this.#accessPoints = scanned.accessPoints;
    this.#bytes = scanned.wholeBytes;
    this.#endMs = scanned.endMs;
    this.#sequenceNumber = scanned.lastSequenceNumber;
  }

  /** A new file, which must not exist, with its init segment. Where there is no room for that, there is no file. */
  static async create(path: string, tracks: readonly RecordedTrack[]): Promise<RecordingFile> {
    const init = encodeFmp4Init(
      tracks.map(({ track }) => track),
      { durationMs: 0 },
    );
    const file = await open(path, 'wx', FILE_MODE);
    try {
      await writeFully(file, init, 0);
    } catch (error) {
      await file.close();
      await unlink(path).catch(() => undefined); // the next run will find it to be no recording, and leave it alone
      throw error;
    }
    const empty = { accessPoints: [], wholeBytes: init.length, endMs: 0, lastSequenceNumber: 0 };
    return new RecordingFile(file, { init, trackIds: trackIdsOf(init), ...empty }, 0);
  }

  /**
   * The file of an earlier run, cut after its last whole fragment. Null, and the file as it was, when it is no recording or does not
   * describe every one of these tracks.
   */
  static async continue(path: string, tracks: readonly RecordedTrack[]): Promise<RecordingFile | null> {
    const file = await open(path, constants.O_RDWR);
    try {
      const scanned = await scanRecording(file);
      if (scanned === null || !tracks.every(({ key }) => scanned.trackIds.has(key))) {
        await file.close();
        return null;
      }
      const { size } = await file.stat();
      const cutBytes = size - scanned.wholeBytes;
      if (cutBytes > 0) await file.truncate(scanned.wholeBytes);
      return new RecordingFile(file, scanned, cutBytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Size up to the end of the last whole fragment. */
  get bytes(): number {
    return this.#bytes;
  }
  /** How long it plays. */
  get durationMs(): number {
    return this.#endMs;
  }

  /** True when every one of these tracks is described by the init segment. */
  holds(tracks: readonly RecordedTrack[]): boolean {
    return tracks.every(({ key }) => this.#trackIds.has(key));
  }

  /** Appends a fragment whose tracks it holds. Returns the bytes written. After a rejection: `discardTorn`. */
  async append(fragment: AssembledFragment): Promise<number> {
    this.#offsetMs ??= this.#endMs - fragment.startMs;
    const offsetMs = this.#offsetMs;
    const tracks = fragment.runs.map(({ recorded: { track, key }, baseTicks, samples }) => ({
      trackId: this.#trackIds.get(key) ?? 0,
      baseDecodeTimeTicks: Math.max(0, baseTicks + Math.round((offsetMs * track.timescale) / 1_000)),
      samples,
    }));
    const encoded = encodeFmp4Fragment({ sequenceNumber: this.#sequenceNumber + 1, tracks });
    const bytes = Buffer.concat([encoded, checkOf(encoded)]);
    await writeFully(this.#file, bytes, this.#bytes);
    this.#index(tracks, fragment);
    this.#sequenceNumber += 1;
    this.#bytes += bytes.length;
    this.#endMs = Math.max(this.#endMs, fragment.endMs + offsetMs);
    return bytes.length;
  }

  /** Makes what was appended survive the loss of power. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** Cuts away what a failed write left behind the last whole fragment. */
  async discardTorn(): Promise<void> {
    await this.#file.truncate(this.#bytes);
  }

  /**
   * Writes the duration and the index at the end, which `continue` takes away again. The file is whole without them too; where there is
   * no room for an index, `discardTorn` takes away the half of it.
   */
  async seal(): Promise<void> {
    if (setFmp4Duration(this.#init, this.#endMs)) await writeFully(this.#file, this.#init, 0);
    await writeFully(this.#file, encodeFmp4RandomAccess(INDEXED_TRACK_ID, this.#accessPoints), this.#bytes);
    await this.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #index(tracks: readonly { trackId: number; baseDecodeTimeTicks: number }[], fragment: AssembledFragment): void {
    const at = tracks.findIndex(({ trackId }) => trackId === INDEXED_TRACK_ID);
    const [track, run] = [tracks[at], fragment.runs[at]];
    if (track === undefined || run === undefined || run.samples[0]?.isKeyframe !== true) return;
    const timeTicks = track.baseDecodeTimeTicks;
    const sinceTicks = timeTicks - (this.#accessPoints.at(-1)?.timeTicks ?? Number.NEGATIVE_INFINITY);
    if (sinceTicks * 1_000 < INDEX_STEP_MS * run.recorded.track.timescale) return;
    this.#accessPoints.push({ timeTicks, moofOffset: this.#bytes, trafNumber: at + 1 });
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
