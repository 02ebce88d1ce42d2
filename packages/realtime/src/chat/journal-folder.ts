import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Journals kept at once: rooms are named by whoever writes first, so their number needs a bound. */
export const JOURNALS_MAX = 10_000;
const SUFFIX = '.jsonl';
const SWEEP_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

export type JournalFolderOptions = {
  readonly path: string;
  /** A journal nobody has written to for this long is deleted. */
  readonly retentionDays: number;
  readonly journalsMax?: number;
  readonly onError: (code: string) => void;
};

/** The folder of all journals: how many there may be and how long they stay. `close` stops its timer. */
export class JournalFolder {
  readonly #options: JournalFolderOptions;
  readonly #journalsMax: number;
  readonly #known = new Set<string>();
  #sweeping: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  constructor(options: JournalFolderOptions) {
    this.#options = options;
    this.#journalsMax = options.journalsMax ?? JOURNALS_MAX;
    this.#sweeping = this.#sweep();
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweep();
    }, SWEEP_MS);
    this.#timer.unref();
  }

  /** `liveId` fits the schema of playback ids, so it is a safe file name. */
  pathOf(liveId: string): string {
    return join(this.#options.path, `${liveId}${SUFFIX}`);
  }

  /** Call before a journal is opened for writing. Rejects with code `EJOURNALS` when there are as many as may be. */
  async admit(liveId: string): Promise<void> {
    await this.#sweeping;
    if (!this.#known.has(liveId) && this.#known.size >= this.#journalsMax) {
      throw Object.assign(new Error('too many journals'), { code: 'EJOURNALS' });
    }
    this.#known.add(liveId);
    await mkdir(this.#options.path, { recursive: true, mode: 0o700 });
  }

  /** Waits for a sweep that is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { path, retentionDays, onError } = this.#options;
    try {
      for (const name of await readdir(path)) {
        const liveId = name.split('.')[0] ?? '';
        const { mtimeMs } = await stat(join(path, name));
        if (Date.now() - mtimeMs > retentionDays * DAY_MS) {
          await rm(join(path, name), { force: true });
          if (name.endsWith(SUFFIX)) this.#known.delete(liveId);
        } else if (name.endsWith(SUFFIX)) this.#known.add(liveId);
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
      if (code !== 'ENOENT') onError(code); // no folder yet: no journals
    }
  }
}
