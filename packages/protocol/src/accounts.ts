import { type Static, Type } from 'typebox';
import { Uuid, WallMs } from './ids.ts';

export const ROLES = ['guest', 'buyer', 'seller', 'moderator', 'admin'] as const;
export const Role = Type.Enum([...ROLES]);
export type Role = (typeof ROLES)[number];

export const SessionUser = Type.Object(
  { id: Uuid, displayName: Type.String(), role: Role, email: Type.Union([Type.String(), Type.Null()]) },
  { $id: 'SessionUser' },
);
export type SessionUser = Static<typeof SessionUser>;

/**
 * Answer to every way of signing in. The access token goes into `Authorization: Bearer`; the refresh token travels
 * only in an HttpOnly cookie.
 */
export const Session = Type.Object(
  { accessToken: Type.String(), expiresAtMs: WallMs, user: SessionUser },
  { $id: 'Session' },
);
export type Session = Static<typeof Session>;

/** Answer of `POST /api/auth/room-token`: what a browser hands to the realtime plane. */
export const RoomToken = Type.Object({ token: Type.String(), expiresAtMs: WallMs }, { $id: 'RoomToken' });
export type RoomToken = Static<typeof RoomToken>;

/** Claims inside a room token (JWT, EdDSA, `typ` header `room+jwt`, audience `realtime`). */
export const RoomClaims = Type.Object({
  sub: Uuid,
  name: Type.String({ minLength: 1, maxLength: 60 }),
  role: Role,
});
export type RoomClaims = Static<typeof RoomClaims>;
export const ROOM_TOKEN = { typ: 'room+jwt', audience: 'realtime' } as const;
export const ACCESS_TOKEN = { typ: 'access+jwt', audience: 'commerce' } as const;
