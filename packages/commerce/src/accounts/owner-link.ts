import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { removeOneTimeLinks, storeOneTimeLink } from './one-time-links.ts';
import { newSecret } from './secret-hash.ts';
import { findUser, insertUser } from './users.ts';

const OWNER_ID = 'a0000000-0000-4000-8000-000000000001';
const LINK_PURPOSE = 'owner';
const LINK_SECONDS = 86_400;
const ASKED_PURPOSE = 'asked';
const ASKED_LINK_SECONDS = 3_600;

/**
 * Lets the person who runs this installation in: whoever opens the one-time link with `token` within a day is its owner, an
 * admin who may also sell. Only the token's hash is kept; a token of an earlier start no longer works. Null: no link.
 */
export async function prepareOwnerLink(db: Kysely<Tables>, token: string | null): Promise<void> {
  if (token === null) return removeOneTimeLinks(db, OWNER_ID, LINK_PURPOSE);
  await ensureOwner(db);
  await storeOneTimeLink(db, { token, userId: OWNER_ID, purpose: LINK_PURPOSE, lifeSeconds: LINK_SECONDS });
}

/**
 * A fresh one-time link for the demo's seller (`userId`) or, with null, the owner: for whoever lost the first one. Resolves
 * with its token, which is stored as a hash and works once within an hour.
 */
export async function newSignInLink(db: Kysely<Tables>, userId: string | null): Promise<string> {
  if (userId === null) await ensureOwner(db);
  const token = newSecret();
  // A purpose of its own: it must not clear the row that says the start's link was used.
  const link = { token, userId: userId ?? OWNER_ID, purpose: ASKED_PURPOSE, lifeSeconds: ASKED_LINK_SECONDS };
  await storeOneTimeLink(db, link);
  return token;
}

async function ensureOwner(db: Kysely<Tables>): Promise<void> {
  if ((await findUser(db, OWNER_ID)) !== null) return;
  await insertUser(db, { id: OWNER_ID, display_name: 'Owner', role: 'admin', email: null, password_hash: null });
}
