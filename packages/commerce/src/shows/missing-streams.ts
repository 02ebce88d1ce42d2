import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { appendEvent } from '../outbox/append.ts';

export type MissingStreamsOptions = {
  readonly db: Kysely<Tables>;
  /** Base URL of the media plane's admin listener, without trailing slash. */
  readonly mediaAdminUrl: string;
};

type LiveShow = { readonly id: string; readonly playbackId: string; readonly touchedAt: Date };

const SHOWS_PER_CHECK_MAX = 500;
const REQUEST_TIMEOUT_MS = 2_000;
/** A show that changed this recently is left alone: news of it may still be under way. */
const UNTOUCHED_SECONDS_MIN = 30;
/** Missing in two checks this far apart: a media plane that was just started gets its publishers back by then. */
const MISSING_MS_MIN = 5_000;
/** As for an interruption the media plane tells of. */
const GRACE_MS = 120_000;

/**
 * Finds shows that are live here and unknown to the media plane: it died with its streams, or its news of their end was
 * lost. They become interrupted, and the sweep of abandoned shows ends them unless the publisher comes back. A media plane
 * that does not answer says nothing about its streams. Keep one for the life of the process.
 */
export class MissingStreams {
  readonly #options: MissingStreamsOptions;
  /** Since when each live show is missing, at most `SHOWS_PER_CHECK_MAX` of them. */
  #missingSinceMs = new Map<string, number>();

  constructor(options: MissingStreamsOptions) {
    this.#options = options;
  }

  /** Resolves with the playback ids of the shows it has moved to interrupted. */
  async check(nowMs: number): Promise<string[]> {
    const shows = await this.#liveShows();
    const listed = shows.length === 0 ? null : await this.#listedStreams();
    const missingSinceMs = new Map<string, number>();
    const moved: string[] = [];
    for (const show of listed === null ? [] : shows) {
      if (listed?.has(show.playbackId) !== false) continue;
      const sinceMs = this.#missingSinceMs.get(show.playbackId) ?? nowMs;
      if (nowMs - sinceMs < MISSING_MS_MIN) missingSinceMs.set(show.playbackId, sinceMs);
      else if (await this.#interrupt(show, nowMs)) moved.push(show.playbackId);
    }
    this.#missingSinceMs = missingSinceMs;
    return moved;
  }

  async #liveShows(): Promise<LiveShow[]> {
    const { rows } = await sql<LiveShow>`
      select id, playback_id as "playbackId", updated_at as "touchedAt" from shows
       where status = 'live' and updated_at < now() - make_interval(secs => ${UNTOUCHED_SECONDS_MIN})
       order by updated_at limit ${SHOWS_PER_CHECK_MAX}`.execute(this.#options.db);
    return rows;
  }

  /** Null when the media plane does not answer, or not with a list. */
  async #listedStreams(): Promise<Set<string> | null> {
    try {
      const answer = await fetch(`${this.#options.mediaAdminUrl}/api/v1/streams?count=100000`, {
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      if (!answer.ok) return null;
      const { streams } = (await answer.json()) as { streams?: { name: string }[] };
      return streams === undefined ? null : new Set(streams.map(({ name }) => name));
    } catch {
      return null; // its own metrics and health tell that it is down
    }
  }

  /** False when the show has moved on meanwhile. */
  #interrupt(show: LiveShow, nowMs: number): Promise<boolean> {
    return this.#options.db.transaction().execute(async (tx) => {
      const now = new Date(nowMs);
      const row = await tx
        .updateTable('shows')
        .set({ status: 'interrupted', interrupted_at: now, grace_ends_at: new Date(nowMs + GRACE_MS), updated_at: now })
        .where('id', '=', show.id)
        .where('status', '=', 'live')
        .where(sql<boolean>`updated_at < now() - make_interval(secs => ${UNTOUCHED_SECONDS_MIN})`)
        .returning('id')
        .executeTakeFirst();
      if (row === undefined) return false;
      const data = { status: 'interrupted' } as const;
      await appendEvent(tx, { type: 'show.changed', playbackId: show.playbackId, atMs: nowMs, data });
      return true;
    });
  }
}
