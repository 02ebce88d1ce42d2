import type { MediaHookAnswer, MediaHookRequest } from '@showfloor/protocol';
import type { Sealer } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { restreamPlan } from '../restream/restream-targets.ts';
import { DEMO_SHOW_ID } from './demo-show.ts';
import { admitsPublisher } from './show-states.ts';
import { isStreamKey } from './stream-keys.ts';

/** May this publisher send? Asked once per publish; the answer of an admitted one carries what the media plane must know. */
export async function admitPublisher(
  db: Kysely<Tables>,
  hook: Pick<MediaHookRequest, 'stream' | 'param'>,
  graceMs: number,
  sealer: Sealer,
): Promise<MediaHookAnswer> {
  const show = await db
    .selectFrom('shows')
    .select(['id', 'playback_id', 'status', 'stream_key_hash'])
    .where('playback_id', '=', hook.stream)
    .executeTakeFirst();
  if (show === undefined) return { code: 1, reason: 'unknown_stream' };
  const secret = new URLSearchParams((hook.param ?? '').replace(/^\?/, '')).get('key') ?? '';
  if (!isStreamKey(secret, show.stream_key_hash)) return { code: 1, reason: 'wrong_key' };
  if (!admitsPublisher(show.status)) return { code: 1, reason: 'not_scheduled' };
  const recording = { isEnabled: show.id !== DEMO_SHOW_ID };
  const { targets: restreamTargets, revision: restreamRevision } = await restreamPlan(db, sealer, show.id);
  const restream = { restreamTargets, restreamRevision };
  return { code: 0, data: { showId: show.id, playbackId: show.playback_id, graceMs, recording, ...restream } };
}
