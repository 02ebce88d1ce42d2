import { orNull, type RedisLink } from './redis-link.ts';

const CHUNK_ENTRIES = 500;

export type SharedRegisterOptions = {
  readonly link: RedisLink;
  readonly key: string;
  /** Past it those with the lowest mark go. */
  readonly entriesMax: number;
  /** Marks are instants, in ms; older ones are dropped. */
  readonly lifeMs: number;
  /** What this node knows, as name and mark. */
  readonly own: () => Iterable<readonly [name: string, mark: number]>;
  /** What all nodes know: some entries at a time, known here or not. */
  readonly onEntries: (entries: readonly (readonly [name: string, mark: number])[]) => void;
};

/**
 * Something every node must know, such as revocations: a sorted set of names, each with its greatest mark. Events carry news between
 * nodes; this is for those who were away, or are new.
 */
export class SharedRegister {
  readonly #options: SharedRegisterOptions;

  constructor(options: SharedRegisterOptions) {
    this.#options = options;
  }

  /** Puts one in. While apart, `exchange` will. */
  async add(name: string, mark: number): Promise<void> {
    if (this.#options.link.isJoined) await this.#put([[name, mark]]);
  }

  /** Gives what this node knows and takes what the others do. */
  async exchange(): Promise<void> {
    const { link, key, own, onEntries } = this.#options;
    const mine = [...own()];
    for (let start = 0; start < mine.length && link.isJoined; start += CHUNK_ENTRIES) {
      await this.#put(mine.slice(start, start + CHUNK_ENTRIES));
    }
    for (let start = 0; link.isJoined; start += CHUNK_ENTRIES) {
      const asked = link.command('register', [
        'ZRANGE',
        key,
        String(start),
        String(start + CHUNK_ENTRIES - 1),
        'WITHSCORES',
      ]);
      const entries = pairsOf((await orNull(asked as Promise<readonly string[]>)) ?? []);
      if (entries.length > 0) onEntries(entries);
      if (entries.length < CHUNK_ENTRIES) return;
    }
  }

  async #put(entries: readonly (readonly [string, number])[]): Promise<void> {
    const { link, key, entriesMax, lifeMs } = this.#options;
    const pairs = entries.flatMap(([name, mark]) => [String(mark), name]);
    await Promise.all([
      orNull(link.command('register', ['ZADD', key, 'GT', ...pairs])),
      orNull(link.command('register', ['ZREMRANGEBYRANK', key, '0', String(-entriesMax - 1)])),
      orNull(link.command('register', ['ZREMRANGEBYSCORE', key, '-inf', String(Date.now() - lifeMs)])),
      orNull(link.command('register', ['PEXPIRE', key, String(lifeMs)])),
    ]);
  }
}

function pairsOf(flat: readonly string[]): [name: string, mark: number][] {
  const pairs: [string, number][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) pairs.push([flat[index] ?? '', Number(flat[index + 1])]);
  return pairs;
}
