import type { RestreamStateChanged } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** `stale`: older than what is known of the target, or the target is gone. */
export type RestreamStateOutcome = 'applied' | 'stale';

/** Keeps what the media plane last told of a target. At least once and in any order: the latest instant stays. */
export async function applyRestreamState(
  db: Kysely<Tables>,
  { atMs, data }: RestreamStateChanged,
): Promise<RestreamStateOutcome> {
  const at = new Date(atMs);
  const updated = await db
    .updateTable('restream_targets')
    .set({
      state: data.state,
      state_reason: data.reason ?? null,
      state_message: data.message ?? null,
      state_at: at,
    })
    .where('id', '=', data.targetId)
    .where('show_id', '=', data.showId)
    .where((eb) => eb.or([eb('state_at', 'is', null), eb('state_at', '<=', at)]))
    .returning('id')
    .executeTakeFirst();
  return updated === undefined ? 'stale' : 'applied';
}
