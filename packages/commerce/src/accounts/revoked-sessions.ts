import type { Logger } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { ACCESS_TOKEN_SECONDS } from './sessions.ts';

const POLL_MS = 1_000;

/**
 * Sessions whose access tokens still look valid but are not: revoked within the life of an access token. Read once a
 * second, so that a revocation by any process counts here within one. While PostgreSQL is down the last known set holds.
 */
export class RevokedSessions {
  readonly #db: Kysely<Tables>;
  readonly #log: Logger;
  #polled: ReadonlySet<string> = new Set();
  /** Revoked by this process and perhaps not in `#polled` yet. */
  #own = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;

  constructor(db: Kysely<Tables>, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  /** Starts reading; the owner calls `stop`. */
  start(): void {
    this.#timer = setInterval(() => void this.#poll(), POLL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  has(familyId: string): boolean {
    return this.#polled.has(familyId) || this.#own.has(familyId);
  }

  /** Counts at once in this process. */
  add(familyId: string): void {
    this.#own.set(familyId, Date.now());
  }

  async #poll(): Promise<void> {
    const since = new Date(Date.now() - ACCESS_TOKEN_SECONDS * 1000);
    try {
      const rows = await this.#db.selectFrom('refresh_families').select('id').where('revoked_at', '>', since).execute();
      this.#polled = new Set(rows.map(({ id }) => id));
      for (const [id, addedMs] of this.#own) if (addedMs < since.getTime()) this.#own.delete(id);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ err: error }, 'revoked_sessions.read_failed');
      this.#isFailing = true;
    }
  }
}
