/**
 * A map that holds at most `max` entries and forgets the one used longest ago. `onEvict` sees what is forgotten for want
 * of room (never what is deleted), so that the owner can count it or fail safe.
 */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #max: number;
  readonly #onEvict: ((key: K, value: V) => void) | undefined;

  constructor(max: number, onEvict?: (key: K, value: V) => void) {
    this.#max = max;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reads and marks as just used. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    const oldest = this.#entries.entries().next();
    if (oldest.done === true) return;
    this.#entries.delete(oldest.value[0]);
    this.#onEvict?.(oldest.value[0], oldest.value[1]);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  /** Oldest use first. */
  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }
}
