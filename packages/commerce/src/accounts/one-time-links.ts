import type { SessionUser } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { hashSecret } from './secret-hash.ts';
import { findUser } from './users.ts';

/**
 * Lets whoever holds `token` sign in as the user, once. A new link of the same purpose replaces the user's older ones; the
 * same one again (a process that starts anew) stays as it is: used up, if it was.
 */
export async function storeOneTimeLink(
  db: Kysely<Tables>,
  link: { readonly token: string; readonly userId: string; readonly purpose: string; readonly lifeSeconds: number },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const token_hash = hashSecret(link.token);
    await tx
      .deleteFrom('one_time_links')
      .where('user_id', '=', link.userId)
      .where('purpose', '=', link.purpose)
      .where('token_hash', '<>', token_hash)
      .execute();
    await tx
      .insertInto('one_time_links')
      .values({
        token_hash,
        user_id: link.userId,
        purpose: link.purpose,
        expires_at: new Date(Date.now() + link.lifeSeconds * 1000),
      })
      .onConflict((conflict) => conflict.column('token_hash').doNothing())
      .execute();
  });
}

export async function removeOneTimeLinks(db: Kysely<Tables>, userId: string, purpose: string): Promise<void> {
  await db.deleteFrom('one_time_links').where('user_id', '=', userId).where('purpose', '=', purpose).execute();
}

/** The user of a link that was neither used nor has run out; it is used up by this. */
export async function redeemOneTimeLink(db: Kysely<Tables>, token: string): Promise<SessionUser | null> {
  const row = await db
    .updateTable('one_time_links')
    .set({ used_at: new Date() })
    .where('token_hash', '=', hashSecret(token))
    .where('used_at', 'is', null)
    .where('expires_at', '>', new Date())
    .returning('user_id')
    .executeTakeFirst();
  return row === undefined ? null : findUser(db, row.user_id);
}
