import { ACCESS_TOKEN, ROOM_TOKEN, type RoomToken, type Session, type SessionUser } from '@showfloor/protocol';
import type { TokenSigner } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { appendEvent } from '../outbox/append.ts';
import { hashSecret, newSecret } from './secret-hash.ts';
import { findUser } from './users.ts';

export const ACCESS_TOKEN_SECONDS = 15 * 60;
const ROOM_TOKEN_SECONDS = 15 * 60;
export const REFRESH_TOKEN_SECONDS = 7 * 86_400;
/** However often it is refreshed, a session ends after this (bar S4). */
const FAMILY_SECONDS = 30 * 86_400;

/** What a sign-in hands out. `refreshToken` goes into the cookie and nowhere else. */
export type OpenedSession = { readonly session: Session; readonly refreshToken: string; readonly familyId: string };
export type Rotation =
  | ({ readonly ok: true } & OpenedSession)
  | { readonly ok: false; readonly revokedFamilyId: string | null };

/** Starts a family of refresh tokens for the user. With a transaction, the session is open once that commits. */
export async function openSession(db: Kysely<Tables>, sign: TokenSigner, user: SessionUser): Promise<OpenedSession> {
  const family = await db
    .insertInto('refresh_families')
    .values({ user_id: user.id, expires_at: secondsFromNow(FAMILY_SECONDS) })
    .returning('id')
    .executeTakeFirstOrThrow();
  const refreshToken = await issueRefreshToken(db, family.id, secondsFromNow(FAMILY_SECONDS));
  return { session: await issueAccess(sign, user, family.id), refreshToken, familyId: family.id };
}

/**
 * Trades a refresh token for the next one, both or neither: a token that was used up without a successor would look like
 * theft at its next use. A token that was used before means that somebody has a copy: the whole family is revoked, for the
 * thief and for the owner alike.
 */
export async function rotateSession(db: Kysely<Tables>, sign: TokenSigner, token: string): Promise<Rotation> {
  const token_hash = hashSecret(token);
  const opened = await db.transaction().execute(async (tx) => {
    const used = await useRefreshToken(tx, token_hash);
    const user = used === undefined ? null : await findUser(tx, used.userId);
    if (used === undefined || user === null) return null;
    const refreshToken = await issueRefreshToken(tx, used.familyId, used.expiresAt);
    return { session: await issueAccess(sign, user, used.familyId), refreshToken, familyId: used.familyId };
  });
  if (opened === null) return { ok: false, revokedFamilyId: await revokeIfReused(db, token_hash) };
  return { ok: true, ...opened };
}

function useRefreshToken(tx: Kysely<Tables>, token_hash: Buffer) {
  return tx
    .updateTable('refresh_tokens as t')
    .from('refresh_families as f')
    .set({ used_at: new Date() })
    .whereRef('f.id', '=', 't.family_id')
    .where('t.token_hash', '=', token_hash)
    .where('t.used_at', 'is', null)
    .where('t.expires_at', '>', new Date())
    .where('f.expires_at', '>', new Date())
    .where('f.revoked_at', 'is', null)
    .returning(['f.id as familyId', 'f.user_id as userId', 'f.expires_at as expiresAt'])
    .executeTakeFirst();
}

/** Ends the family and tells the realtime plane. Resolves with false when it had already ended. */
export function revokeFamily(db: Kysely<Tables>, familyId: string, reason: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const family = await tx
      .updateTable('refresh_families')
      .set({ revoked_at: new Date(), revoked_reason: reason })
      .where('id', '=', familyId)
      .where('revoked_at', 'is', null)
      .returning('user_id')
      .executeTakeFirst();
    if (family === undefined) return false;
    await appendEvent(tx, { type: 'session.revoked', atMs: Date.now(), data: { userId: family.user_id } });
    return true;
  });
}

/** Ends the family that a refresh token belongs to. Resolves with its id, or null when there is none. */
export async function closeSession(db: Kysely<Tables>, token: string): Promise<string | null> {
  const row = await db
    .selectFrom('refresh_tokens')
    .select('family_id')
    .where('token_hash', '=', hashSecret(token))
    .executeTakeFirst();
  if (row === undefined) return null;
  await revokeFamily(db, row.family_id, 'signed_out');
  return row.family_id;
}

/** What a browser shows to the realtime plane. */
export async function issueRoomToken(sign: TokenSigner, user: SessionUser): Promise<RoomToken> {
  const claims = { sub: user.id, name: user.displayName.slice(0, 60), role: user.role };
  const token = await sign(ROOM_TOKEN, claims, ROOM_TOKEN_SECONDS);
  return { token, expiresAtMs: secondsFromNow(ROOM_TOKEN_SECONDS).getTime() };
}

async function revokeIfReused(db: Kysely<Tables>, token_hash: Buffer): Promise<string | null> {
  const row = await db
    .selectFrom('refresh_tokens')
    .select('family_id')
    .where('token_hash', '=', token_hash)
    .where('used_at', 'is not', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  await revokeFamily(db, row.family_id, 'reused');
  return row.family_id;
}

async function issueRefreshToken(db: Kysely<Tables>, familyId: string, familyEndsAt: Date): Promise<string> {
  const token = newSecret();
  const ownEnd = secondsFromNow(REFRESH_TOKEN_SECONDS);
  await db
    .insertInto('refresh_tokens')
    .values({
      token_hash: hashSecret(token),
      family_id: familyId,
      expires_at: ownEnd < familyEndsAt ? ownEnd : familyEndsAt,
    })
    .execute();
  return token;
}

async function issueAccess(sign: TokenSigner, user: SessionUser, familyId: string): Promise<Session> {
  const claims = { sub: user.id, name: user.displayName, role: user.role, sid: familyId };
  return {
    accessToken: await sign(ACCESS_TOKEN, claims, ACCESS_TOKEN_SECONDS),
    expiresAtMs: secondsFromNow(ACCESS_TOKEN_SECONDS).getTime(),
    user,
  };
}

function secondsFromNow(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}
