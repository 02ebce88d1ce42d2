import { LIVE_EVENT_BYTES_MAX, type LiveEvent, type SessionRevoked } from '@showfloor/protocol';
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
    .values({ topic, coalesce_key: null, payload: payloadOf(event) })
    .execute();
}

/** Room for the id that delivery adds. */
const BYTES_MAX = LIVE_EVENT_BYTES_MAX - 64;

/** A product whose texts would not fit into an event goes without its description: the card is what must arrive. */
function payloadOf(event: OutgoingEvent): string {
  const payload = JSON.stringify({ version: 1, ...event });
  if (Buffer.byteLength(payload) <= BYTES_MAX || !('product' in event.data)) return payload;
  const data = { ...event.data, product: { ...event.data.product, description: '' } };
  return JSON.stringify({ version: 1, ...event, data });
}
