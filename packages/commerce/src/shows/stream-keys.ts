import { timingSafeEqual } from 'node:crypto';
import type { Kysely } from 'kysely';
import { hashSecret, newSecret } from '../accounts/secret-hash.ts';
import type { Tables } from '../database/tables.ts';

/**
 * Makes a new stream key for the show and returns its secret: the one and only time it exists outside of the publisher's
 * hands. The key before it stops working.
 */
export async function rotateStreamKey(db: Kysely<Tables>, showId: string): Promise<string> {
  const secret = newSecret();
  await storeStreamKey(db, showId, secret);
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
