import { type Static, Type } from 'typebox';
import { Uuid, WallMs } from './ids.ts';

/**
 * Commerce → realtime, over the same signed `POST /internal/events` as live events: everything this user was given
 * before `atMs` (room and resume tokens, open sockets) ends now. Sent on sign-out, ban and change of role.
 */
export const SessionRevoked = Type.Object({
  id: Type.String({ minLength: 8, maxLength: 64, description: 'Unique; equals the webhook-id header.' }),
  version: Type.Literal(1),
  atMs: WallMs,
  type: Type.Literal('session.revoked'),
  data: Type.Object({ userId: Uuid }),
});
export type SessionRevoked = Static<typeof SessionRevoked>;
