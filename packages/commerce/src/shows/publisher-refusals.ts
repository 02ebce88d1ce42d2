import type { PublisherRefused } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** `stale`: a later one is known, or the show is not. */
export type RefusalOutcome = 'applied' | 'stale';

/** Keeps what the seller is told of an encoder that was turned away. At least once and in any order: the latest stays. */
export async function applyPublisherRefused(
  db: Kysely<Tables>,
  { atMs, data, playbackId }: PublisherRefused,
): Promise<RefusalOutcome> {
  const at = new Date(atMs);
  const updated = await db
    .updateTable('shows')
    .set({ publisher_refused_at: at, publisher_refused_reason: data.reason, publisher_refused_text: data.text })
    .where('id', '=', data.showId)
    .where('playback_id', '=', playbackId)
    .where((eb) => eb.or([eb('publisher_refused_at', 'is', null), eb('publisher_refused_at', '<=', at)]))
    .returning('id')
    .executeTakeFirst();
  return updated === undefined ? 'stale' : 'applied';
}
