import { asProblem } from './http.ts';
import { randomId } from './random-id.ts';

/** Changes whose outcome is unknown at once; past it the one open for longest is given up. */
export const OPEN_KEYS_MAX = 100;

/**
 * Idempotency keys of changes whose outcome is unknown. Whoever presses a button again after a dead line asks for the same
 * change, not for a second one; once the shop decided, the next press is a change of its own.
 */
export class OpenKeys {
  readonly #keys = new Map<string, string>();
  readonly #newKey: () => string;

  constructor(newKey: () => string) {
    this.#newKey = newKey;
  }

  /** Asks under the key of this button (`what`) and body. Returns what `ask` returns and throws what it throws. */
  async once<T>(what: string, body: unknown, ask: (key: string) => Promise<T>): Promise<T> {
    const name = `${what} ${JSON.stringify(body)}`;
    const key = this.#keys.get(name) ?? this.#newKey();
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= OPEN_KEYS_MAX) break;
      this.#keys.delete(oldest);
    }
    try {
      const answer = await ask(key);
      this.#settle(name, key);
      return answer;
    } catch (error) {
      if (isDecided(error)) this.#settle(name, key);
      throw error;
    }
  }

  /** Another press may have begun under a new key meanwhile: that one stays. */
  #settle(name: string, key: string): void {
    if (this.#keys.get(name) === key) this.#keys.delete(name);
  }
}

/** 401: nobody looked at the change. `conflict`: the same key is still being worked on. */
function isDecided(error: unknown): boolean {
  const problem = asProblem(error);
  return !(problem.isOutage || problem.status === 401 || problem.reason === 'conflict');
}

/** The page's open changes. */
export const openKeys = new OpenKeys(randomId);
