import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { CHAT_HISTORY_MAX, type ChatMessage } from '@showfloor/protocol';
import type { JournalFolder } from './journal-folder.ts';
import { headerLine, type JournalTail, messageLine, readTail } from './journal-lines.ts';

/** A room keeps two segments: the one written and the one before. Together 4 to 8 MB, some 20,000 messages. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;
/** What may wait for the disk; past it messages go unjournaled (chat goes on). */
export const PENDING_BYTES_MAX = 1024 * 1024;

type Waiting = { readonly line: string; readonly resolve: (isWritten: boolean) => void };

export type JournalOptions = {
  readonly folder: JournalFolder;
  readonly liveId: string;
  /** Called once per failed write or refused line, with the system's error code. */
  readonly onError: (code: string) => void;
  readonly segmentBytesMax?: number;
};

/**
 * Append-only file of one room. Lines that arrive while a write is under way share the next one (group commit), so the cost
 * per message falls as the load grows. A resolved `append` has reached the kernel: it survives the death of this process,
 * not a power cut. The owner calls `close`.
 */
export class ChatJournal {
  readonly #options: JournalOptions;
  readonly #path: string;
  readonly #segmentBytesMax: number;
  #file: FileHandle | null = null;
  #bytes = 0;
  #epoch = '';
  #isApart = false;
  #isHeaderDue = false;
  /** The last write may have left half a line: the next one starts with a line break. */
  #isTorn = false;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = options.folder.pathOf(options.liveId);
    this.#segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
  }

  /** What the files still hold. Files that cannot be read count as lost: reported, and the epoch is null. */
  async load(): Promise<JournalTail> {
    const older = await this.#read(`${this.#path}.1`);
    const newer = await this.#read(this.#path);
    this.#bytes = Buffer.byteLength(newer);
    this.#isTorn = newer !== '' && !newer.endsWith('\n');
    return readTail(`${older}\n${newer}`, CHAT_HISTORY_MAX);
  }

  /**
   * The epoch of the lines that follow. `isWritten` false: its header goes before the next line. `isApart`: it is this node's
   * alone.
   */
  setEpoch(epoch: string, isWritten: boolean, isApart = false): void {
    this.#epoch = epoch;
    this.#isApart = isApart;
    this.#isHeaderDue = !isWritten;
  }

  /** Resolves true once the line is in the file, false when it will not be. Never rejects. */
  append(message: ChatMessage): Promise<boolean> {
    const line = messageLine(message);
    if (this.#waitingBytes + line.length > PENDING_BYTES_MAX) {
      this.#options.onError('EBACKLOG');
      return Promise.resolve(false);
    }
    this.#waitingBytes += line.length;
    return new Promise((resolve) => {
      this.#waiting.push({ line, resolve });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Waits for what is pending, makes it durable and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    await file.datasync().catch((error: unknown) => this.#report(error));
    await file.close().catch((error: unknown) => this.#report(error));
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const isWritten = await this.#writeGroup(group.map((entry) => entry.line).join(''));
      this.#waitingBytes -= group.reduce((bytes, entry) => bytes + entry.line.length, 0);
      for (const entry of group) entry.resolve(isWritten);
    }
    this.#writing = null;
  }

  async #writeGroup(lines: string): Promise<boolean> {
    try {
      const file = await this.#openSegment();
      const epochDue = this.#isHeaderDue ? this.#epoch : null; // it may change while the write is under way
      const header = epochDue === null ? '' : headerLine(epochDue, this.#options.liveId, this.#isApart);
      const data = Buffer.from(`${this.#isTorn ? '\n' : ''}${header}${lines}`);
      this.#isTorn = true;
      let written = 0;
      while (written < data.length) {
        const { bytesWritten } = await file.write(data, written);
        written += bytesWritten;
        this.#bytes += bytesWritten;
      }
      this.#isTorn = false;
      if (epochDue === this.#epoch) this.#isHeaderDue = false;
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  async #openSegment(): Promise<FileHandle> {
    if (this.#bytes >= this.#segmentBytesMax) {
      await this.#file?.close();
      this.#file = null;
      await rename(this.#path, `${this.#path}.1`).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // someone cleared the folder: start anew
      });
      this.#bytes = 0;
      this.#isTorn = false;
      this.#isHeaderDue = true; // each segment can be read without the other
    }
    if (this.#file === null) {
      await this.#options.folder.admit(this.#options.liveId);
      this.#file = await open(this.#path, 'a', 0o600);
    }
    return this.#file;
  }

  async #read(path: string): Promise<string> {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report(error);
      return '';
    }
  }

  #report(error: unknown): void {
    this.#options.onError((error as NodeJS.ErrnoException).code ?? 'UNKNOWN');
  }
}
