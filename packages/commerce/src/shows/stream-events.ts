import type { StreamEvent } from '@showfloor/protocol';
import { assertNever } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { appendEvent } from '../outbox/append.ts';
import { requestPlan } from '../restream/restream-wishes.ts';
import { nextStatus, type ShowMove } from './show-states.ts';

/** What became of an event. `stale`: older than what the show has already seen; `illegal`: the show is over. */
export type StreamEventOutcome = 'applied' | 'duplicate' | 'stale' | 'illegal' | 'unknown_show';

/** With an event that names no end of its grace. */
const GRACE_FALLBACK_MS = 120_000;

/**
 * Moves the show by what the media plane reports. Delivery is at least once and in any order; the result is not. `isRelayed`: nobody
 * else tells the realtime plane, the outbox does when the event applied.
 */
export function applyStreamEvent(
  db: Kysely<Tables>,
  event: StreamEvent,
  { isRelayed }: { readonly isRelayed: boolean } = { isRelayed: false },
): Promise<StreamEventOutcome> {
  return db.transaction().execute(async (tx) => {
    const fresh = await tx
      .insertInto('event_inbox')
      .values({ id: event.id })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (fresh === undefined) return 'duplicate';
    const show = await tx
      .selectFrom('shows')
      .select(['id', 'status', 'last_stream_event_at', 'restream_revision'])
      .where('playback_id', '=', event.playbackId)
      .where('id', '=', event.data.showId)
      .forUpdate()
      .executeTakeFirst();
    if (show === undefined) return 'unknown_show';
    if (show.last_stream_event_at !== null && show.last_stream_event_at.getTime() > event.atMs) return 'stale';
    const status = nextStatus(show.status, moveOf(event.type));
    if (status === null) return 'illegal';
    await tx
      .updateTable('shows')
      .set({ status, last_stream_event_at: new Date(event.atMs), updated_at: new Date(), ...changesOf(event) })
      .where('id', '=', show.id)
      .execute();
    if (event.type === 'stream.started') await keepFirstStart(tx, show.id, event.atMs);
    // What changed between the publish hook's answer and the first frame found no stream to be told of.
    const isOnAir = event.type === 'stream.started' || event.type === 'stream.resumed';
    if (isOnAir && show.restream_revision > 0) await requestPlan(tx, event.playbackId);
    if (isRelayed) {
      const { type, playbackId, atMs, data } = event;
      await appendEvent(tx, { type, playbackId, atMs, data });
    }
    return 'applied';
  });
}

function moveOf(type: StreamEvent['type']): ShowMove {
  switch (type) {
    case 'stream.started':
      return 'publish';
    case 'stream.interrupted':
      return 'interrupt';
    case 'stream.resumed':
      return 'resume';
    case 'stream.ended':
      return 'end';
    default:
      return assertNever(type);
  }
}

function changesOf(event: StreamEvent): {
  session_id?: string;
  interrupted_at?: Date | null;
  grace_ends_at?: Date | null;
  ended_at?: Date;
} {
  switch (event.type) {
    case 'stream.started':
    case 'stream.resumed':
      return { session_id: event.data.sessionId, interrupted_at: null, grace_ends_at: null };
    case 'stream.interrupted':
      return {
        interrupted_at: new Date(event.atMs),
        grace_ends_at: new Date(event.data.graceEndsAtMs ?? event.atMs + GRACE_FALLBACK_MS),
      };
    case 'stream.ended':
      return { ended_at: new Date(event.atMs), grace_ends_at: null };
    default:
      return assertNever(event.type);
  }
}

/** A show began when it first went live, not when its publisher last came back. */
async function keepFirstStart(tx: Kysely<Tables>, showId: string, atMs: number): Promise<void> {
  await tx
    .updateTable('shows')
    .set({ started_at: new Date(atMs) })
    .where('id', '=', showId)
    .where('started_at', 'is', null)
    .execute();
}
