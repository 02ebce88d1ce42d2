import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { removeOneTimeLinks, storeOneTimeLink } from './one-time-links.ts';
import { findUser, insertUser } from './users.ts';

const OWNER_ID = 'a0000000-0000-4000-8000-000000000001';
const LINK_PURPOSE = 'owner';
const LINK_SECONDS = 86_400;

/**
 * Lets the person who runs this installation in: whoever opens the one-time link with `token` within a day is its owner, an
 * admin who may also sell. Only the token's hash is kept; a token of an earlier start no longer works. Null: no link.
 */
export async function prepareOwnerLink(db: Kysely<Tables>, token: string | null): Promise<void> {
  if (token === null) return removeOneTimeLinks(db, OWNER_ID, LINK_PURPOSE);
  if ((await findUser(db, OWNER_ID)) === null) {
    await insertUser(db, { id: OWNER_ID, display_name: 'Owner', role: 'admin', email: null, password_hash: null });
  }
  await storeOneTimeLink(db, { token, userId: OWNER_ID, purpose: LINK_PURPOSE, lifeSeconds: LINK_SECONDS });
}
