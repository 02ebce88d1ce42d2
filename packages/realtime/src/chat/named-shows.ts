import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PlaybackId } from '@showfloor/protocol';
import { Compile } from 'typebox/compile';
import { BoundedMap } from '../bounded-map.ts';

/** Shows remembered; past it the one not spoken of for longest counts as unnamed again. */
export const NAMED_SHOWS_MAX = 20_000;
const playbackIdCheck = Compile(PlaybackId);

/**
 * Ids that a signed event has named: shows that exist. Anybody may ask for the chat of any well-formed id, so the others get
 * little room. Kept in a small file, because after a restart the events of a show that is on air do not come again.
 */
export class NamedShows {
  readonly #path: string;
  readonly #onError: (code: string) => void;
  readonly #names: BoundedMap<string, true>;

  /** Reads `path` if it exists and writes it anew. Throws when the file cannot be read or written. */
  constructor(path: string, onError: (code: string) => void, namesMax: number = NAMED_SHOWS_MAX) {
    this.#path = path;
    this.#onError = onError;
    this.#names = new BoundedMap(namesMax);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []; // the last may be torn
    for (const line of lines) if (playbackIdCheck.Check(line)) this.#names.set(line, true);
    const kept = [...this.#names.entries()].map(([name]) => `${name}\n`);
    writeFileSync(`${path}.tmp`, kept.join(''), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  has(liveId: string): boolean {
    return this.#names.has(liveId);
  }

  /** Everything that is named. */
  *names(): IterableIterator<string> {
    for (const [name] of this.#names.entries()) yield name;
  }

  /**
   * Named from now on; false when it was already. A disk that refuses is reported: after a restart the show then waits for its
   * next event.
   */
  add(liveId: string): boolean {
    if (this.#names.get(liveId) === true) return false;
    this.#names.set(liveId, true);
    try {
      appendFileSync(this.#path, `${liveId}\n`, { mode: 0o600 });
    } catch (error) {
      this.#onError((error as NodeJS.ErrnoException).code ?? 'UNKNOWN');
    }
    return true;
  }
}
