import type { Reason, Role, SessionUser } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import { sqlState } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { isBreached } from './breached-passwords.ts';
import { hashPassword, verifyPassword } from './passwords.ts';

const UNIQUE_VIOLATION = '23505';
const USER_COLUMNS = ['id', 'display_name', 'role', 'email'] as const;
type UserRow = Pick<Tables['users'], 'display_name' | 'role' | 'email'> & { readonly id: string };

export type Registration = { readonly email: string; readonly password: string; readonly displayName: string };
export type UserResult =
  | { readonly ok: true; readonly user: SessionUser }
  | { readonly ok: false; readonly reason: Reason };

/** A buyer without an account: holds, chats and pays like any other. */
export function createGuest(db: Kysely<Tables>, displayName: string | null): Promise<SessionUser> {
  const name = displayName ?? `Guest ${Math.floor(1000 + Math.random() * 9000)}`;
  return insertUser(db, { display_name: name, role: 'guest', email: null, password_hash: null });
}

/** A new buyer; or, with `guestId`, that guest becomes one and keeps cart and orders. */
export async function register(db: Kysely<Tables>, input: Registration, guestId: string | null): Promise<UserResult> {
  if (isBreached(input.password)) return { ok: false, reason: 'breached_password' };
  const row = {
    display_name: input.displayName,
    role: 'buyer' as const,
    email: input.email.trim(),
    password_hash: await hashPassword(input.password),
  };
  try {
    const upgraded = guestId === null ? undefined : await upgradeGuest(db, guestId, row);
    return { ok: true, user: upgraded === undefined ? await insertUser(db, row) : toSessionUser(upgraded) };
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION) return { ok: false, reason: 'email_taken' };
    throw error;
  }
}

/** The user, or null. Takes the same time whether the e-mail address is known or not. */
export async function checkPassword(db: Kysely<Tables>, email: string, password: string): Promise<SessionUser | null> {
  const row = await db
    .selectFrom('users')
    .select([...USER_COLUMNS, 'password_hash'])
    .where((where) => where(where.fn<string>('lower', ['email']), '=', email.trim().toLowerCase()))
    .executeTakeFirst();
  const fits = await verifyPassword(password, row?.password_hash ?? null);
  return fits && row !== undefined ? toSessionUser(row) : null;
}

export async function findUser(db: Kysely<Tables>, id: string): Promise<SessionUser | null> {
  const row = await db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toSessionUser(row);
}

/** Creates a user and its empty cart. */
export function insertUser(
  db: Kysely<Tables>,
  row: { display_name: string; role: Role; email: string | null; password_hash: string | null; id?: string },
): Promise<SessionUser> {
  return db.transaction().execute(async (tx) => {
    const user = await tx.insertInto('users').values(row).returning(USER_COLUMNS).executeTakeFirstOrThrow();
    await tx.insertInto('carts').values({ user_id: user.id }).execute();
    return toSessionUser(user);
  });
}

function upgradeGuest(
  db: Kysely<Tables>,
  guestId: string,
  row: { display_name: string; role: 'buyer'; email: string; password_hash: string },
): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set(row)
    .where('id', '=', guestId)
    .where('role', '=', 'guest')
    .returning(USER_COLUMNS)
    .executeTakeFirst();
}

function toSessionUser(row: UserRow): SessionUser {
  return { id: row.id, displayName: row.display_name, role: row.role, email: row.email };
}
