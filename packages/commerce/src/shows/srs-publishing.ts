import { randomUUID } from 'node:crypto';
import type { MediaHookRequest, StreamEvent } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { applyStreamEvent, type StreamEventOutcome } from './stream-events.ts';

/**
 * SRS in the place of media-server tells no stream events: they are read from its publish hooks, and the outbox carries them to
 * the realtime plane, which media-server would have told itself. Whether the picture of a lost publisher comes back in time is
 * seen by the sweep of abandoned shows.
 */
export async function followSrs(
  db: Kysely<Tables>,
  hook: Pick<MediaHookRequest, 'action' | 'stream' | 'client_id'>,
  at: { readonly nowMs: number; readonly graceMs: number },
): Promise<StreamEventOutcome | 'unchanged'> {
  if (hook.action !== 'on_publish' && hook.action !== 'on_unpublish') return 'unchanged';
  const show = await db
    .selectFrom('shows')
    .select(['id', 'session_id', 'status'])
    .where('playback_id', '=', hook.stream)
    .executeTakeFirst();
  if (show === undefined) return 'unknown_show';
  const isBack = show.status === 'interrupted' || show.status === 'live';
  const type = hook.action === 'on_unpublish' ? 'stream.interrupted' : isBack ? 'stream.resumed' : 'stream.started';
  if (type === 'stream.interrupted' && show.status !== 'live') return 'unchanged'; // it was never on air, or is over
  const event: StreamEvent = {
    id: `srs_${randomUUID()}`,
    version: 1,
    type,
    playbackId: hook.stream,
    atMs: at.nowMs,
    data: {
      showId: show.id,
      sessionId: isBack && show.session_id !== null ? show.session_id : `srs-${hook.client_id}`,
      ...(type === 'stream.interrupted' ? { reason: 'publisher_closed', graceEndsAtMs: at.nowMs + at.graceMs } : {}),
    },
  };
  return applyStreamEvent(db, event, { isRelayed: true });
}
