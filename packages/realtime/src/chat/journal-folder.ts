import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Journals of shows kept at once. */
export const JOURNALS_MAX = 10_000;
/** The same for rooms that no event has named: whoever writes first makes those. Past it the oldest is deleted. */
export const UNNAMED_JOURNALS_MAX = 500;
const SUFFIX = '.jsonl';
const SWEEP_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

export type JournalFolderOptions = {
  readonly path: string;
  /** A journal nobody has written to for this long is deleted. */
  readonly retentionDays: number;
  readonly journalsMax?: number;
  readonly unnamedJournalsMax?: number;
  /** True for a show that a signed event has named. */
  readonly isNamed: (liveId: string) => boolean;
  /** True while the room is open: its journal is not deleted. */
  readonly isInUse: (liveId: string) => boolean;
  /** A journal was deleted for want of room. */
  readonly onEvicted?: () => void;
  readonly onError: (code: string) => void;
};

/** The folder of all journals: how many there may be and how long they stay. `close` stops its timer. */
export class JournalFolder {
  readonly #options: JournalFolderOptions;
  readonly #journalsMax: number;
  readonly #unnamedJournalsMax: number;
  /** Id to the time of its last known use, in ms. */
  readonly #known = new Map<string, number>();
  #sweeping: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  constructor(options: JournalFolderOptions) {
    this.#options = options;
    this.#journalsMax = options.journalsMax ?? JOURNALS_MAX;
    this.#unnamedJournalsMax = options.unnamedJournalsMax ?? UNNAMED_JOURNALS_MAX;
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
    const evicted = this.#known.has(liveId) ? null : this.#placeFor(liveId);
    this.#known.set(liveId, Date.now());
    if (evicted !== null) await this.#delete(evicted);
    await mkdir(this.#options.path, { recursive: true, mode: 0o700 });
  }

  /** Waits for a sweep that is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** The journal that must go first, or null. */
  #placeFor(liveId: string): string | null {
    const { isNamed, isInUse } = this.#options;
    const isShow = isNamed(liveId);
    let ofItsKind = 0;
    let oldest: string | null = null;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [other, usedAtMs] of this.#known) {
      if (isNamed(other) !== isShow) continue;
      ofItsKind += 1;
      if (usedAtMs >= oldestMs || isInUse(other)) continue;
      [oldest, oldestMs] = [other, usedAtMs];
    }
    if (ofItsKind < (isShow ? this.#journalsMax : this.#unnamedJournalsMax)) return null;
    if (isShow || oldest === null) throw Object.assign(new Error('too many journals'), { code: 'EJOURNALS' });
    this.#known.delete(oldest);
    return oldest;
  }

  async #delete(liveId: string): Promise<void> {
    this.#options.onEvicted?.();
    for (const path of [`${this.pathOf(liveId)}.1`, this.pathOf(liveId)]) await rm(path, { force: true });
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
        } else if (name.endsWith(SUFFIX)) this.#known.set(liveId, mtimeMs);
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
      if (code !== 'ENOENT') onError(code); // no folder yet: no journals
    }
  }
}
