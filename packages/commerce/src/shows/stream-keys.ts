import { timingSafeEqual } from 'node:crypto';
import type { Kysely } from 'kysely';
import { hashSecret, newSecret } from '../accounts/secret-hash.ts';
import type { Tables } from '../database/tables.ts';
import { requestCut } from './publisher-cuts.ts';

/**
 * Makes a new stream key for the show and returns its secret: the one and only time it exists outside of the publisher's
 * hands. The key before it stops working, and whoever publishes with it is dropped.
 */
export async function rotateStreamKey(
  db: Kysely<Tables>,
  show: { readonly id: string; readonly playback_id: string },
): Promise<string> {
  const secret = newSecret();
  await db.transaction().execute(async (tx) => {
    await storeStreamKey(tx, show.id, secret);
    await requestCut(tx, show.playback_id, 'drop_publisher');
  });
  return secret;
}

/** Stores the hash of a secret that the caller made (256 random bits, as `newSecret` makes them). */
export async function storeStreamKey(db: Kysely<Tables>, showId: string, secret: string): Promise<void> {
  await db
    .updateTable('shows')
    .set({ stream_key_hash: hashSecret(secret) })
    .where('id', '=', showId)
    .execute();
}

/** Compares in constant time; a show without a key admits nobody. */
export function isStreamKey(secret: string, stored: Buffer | null): boolean {
  const given = hashSecret(secret);
  const matches = timingSafeEqual(given, stored ?? given);
  return matches && stored !== null;
}
