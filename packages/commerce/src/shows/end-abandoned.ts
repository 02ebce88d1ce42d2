import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { appendEvent } from '../outbox/append.ts';
import { requestCut } from './publisher-cuts.ts';

/** The media plane ends a show itself when grace is over; only when it is gone too does this sweep. */
const MARGIN_MS = 30_000;

/** Ends shows that were interrupted and never came back. Resolves with their playback ids. */
export function endAbandonedShows(db: Kysely<Tables>, nowMs: number): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const rows = await tx
      .updateTable('shows')
      .set({ status: 'ended', ended_at: new Date(nowMs), grace_ends_at: null, updated_at: new Date(nowMs) })
      .where('status', '=', 'interrupted')
      .where('grace_ends_at', '<', new Date(nowMs - MARGIN_MS))
      .returning('playback_id')
      .execute();
    for (const { playback_id } of rows) {
      await appendEvent(tx, { type: 'show.changed', playbackId: playback_id, atMs: nowMs, data: { status: 'ended' } });
      await requestCut(tx, playback_id, 'end_stream'); // should the media plane still have it
    }
    return rows.map(({ playback_id }) => playback_id);
  });
}
