import type { LiveEvent, SessionRevoked } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id' | 'version'> : never;
/** An event before it has an id: the outbox gives it one. */
export type OutgoingEvent = WithoutId<LiveEvent | SessionRevoked>;

/**
 * Writes an event for the realtime plane. Call it with the transaction of the change it tells of: it is sent if and only
 * if that commits.
 */
export async function appendEvent(tx: Kysely<Tables>, event: OutgoingEvent): Promise<void> {
  const topic = 'playbackId' in event ? event.playbackId : `user:${event.data.userId}`;
  await tx
    .insertInto('outbox')
    .values({ topic, coalesce_key: null, payload: JSON.stringify({ version: 1, ...event }) })
    .execute();
}
