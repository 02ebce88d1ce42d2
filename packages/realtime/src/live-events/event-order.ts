import { BoundedMap } from '../bounded-map.ts';

const KEYS_MAX = 50_000;

/**
 * Delivery of events is at least once and may be out of order: the newest mark seen per thing (a variant's stock version,
 * the instant of a pin or a state), so that an older one never undoes a newer one. Forgotten after a restart: clients
 * compare versions too.
 */
export class EventOrder {
  readonly #newest = new BoundedMap<string, number>(KEYS_MAX);

  /** True, and remembered, when `mark` is greater than any seen for `key`. */
  advance(key: string, mark: number): boolean {
    const newest = this.#newest.get(key);
    if (newest !== undefined && mark <= newest) return false;
    this.#newest.set(key, mark);
    return true;
  }

  /** The same, but an equal mark passes: for instants in ms, where two events may share one. */
  keepsUp(key: string, mark: number): boolean {
    return this.#newest.get(key) === mark || this.advance(key, mark);
  }
}
