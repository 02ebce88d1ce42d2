/**
 * What was appended to a text file since the last look. A file that was renamed and made anew (rotation) is read to its end
 * before the new one; one that became shorter (truncation) is read from its start.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { CollectError, MEGABYTE } from './collector.ts';

/** What one look reads at most; of more, the oldest part is skipped and told. */
export const TAIL_BYTES_MAX = 16 * MEGABYTE;
/** A line longer than this is cut off: no log that we know has one. */
export const LINE_BYTES_MAX = 65_536;

/** `skippedBytes`: too much came at once. */
export type Appended = { readonly lines: readonly string[]; readonly skippedBytes: number };

/** Follows one path. `close` when done. */
export class TailedFile {
  readonly #path: string;
  #handle: FileHandle | null = null;
  #inode = 0n;
  #offset = 0;
  #rest = '';
  #isFirst = true;

  constructor(path: string) {
    this.#path = path;
  }

  /** The first look only takes its place at the end: what was written before is not of this run. */
  async read(bytesMax = TAIL_BYTES_MAX): Promise<Appended> {
    const begin = this.#isFirst;
    this.#handle ??= await this.#open();
    const opened = await this.#handle.stat();
    if (begin) {
      this.#isFirst = false;
      this.#offset = opened.size;
    }
    if (opened.size < this.#offset) this.#startOver(); // truncated (copytruncate)
    const first = await this.#appended(this.#handle, opened.size, bytesMax);
    const inode = await inodeOf(this.#path);
    if (inode === null || inode === this.#inode) return first;
    const handle = await this.#open(); // rotated: the old file was read to its end
    const second = await this.#appended(handle, (await handle.stat()).size, bytesMax);
    return { lines: [...first.lines, ...second.lines], skippedBytes: first.skippedBytes + second.skippedBytes };
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  /** Throws {@link CollectError}. */
  async #open(): Promise<FileHandle> {
    let handle: FileHandle;
    try {
      handle = await open(this.#path, 'r');
    } catch (error) {
      throw new CollectError(`${this.#path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`);
    }
    await this.#handle?.close();
    this.#handle = handle;
    this.#inode = (await handle.stat({ bigint: true })).ino;
    this.#startOver();
    return handle;
  }

  #startOver(): void {
    this.#offset = 0;
    this.#rest = '';
  }

  async #appended(handle: FileHandle, size: number, bytesMax: number): Promise<Appended> {
    const skippedBytes = Math.max(0, size - this.#offset - bytesMax);
    if (skippedBytes > 0) {
      this.#offset += skippedBytes;
      this.#rest = '';
    }
    const buffer = Buffer.alloc(size - this.#offset);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#offset);
    this.#offset += bytesRead;
    // latin1 keeps byte for byte, so that a character cut in two at the end of a look is whole at the next.
    const parts = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
    this.#rest = (parts.pop() ?? '').slice(0, LINE_BYTES_MAX);
    const whole = skippedBytes > 0 ? parts.slice(1) : parts; // the first one is half a line then
    return { lines: whole.map((line) => Buffer.from(line, 'latin1').toString('utf8')), skippedBytes };
  }
}

async function inodeOf(path: string): Promise<bigint | null> {
  try {
    await using handle = await open(path, 'r');
    return (await handle.stat({ bigint: true })).ino;
  } catch {
    return null; // between rename and creation
  }
}
