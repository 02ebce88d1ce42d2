import { RoomToken, Session, SessionUser } from '@showfloor/protocol';
import type { TokenSigner } from '@showfloor/service-kit';
import type { FastifyReply } from 'fastify';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { needs, userOf } from '../http/authentication.ts';
import { ProblemError } from '../http/problems.ts';
import { PROBLEMS, ref, SIGNED_IN } from '../http/schemas.ts';
import { redeemOneTimeLink } from './one-time-links.ts';
import { type RefreshCookie, refuseOtherOrigins } from './refresh-cookie.ts';
import type { RevokedSessions } from './revoked-sessions.ts';
import { closeSession, issueRoomToken, openSession, rotateSession } from './sessions.ts';
import { checkPassword, createGuest, findUser, register } from './users.ts';

export type AccountRouteDeps = {
  readonly db: Kysely<Tables>;
  readonly sign: TokenSigner;
  readonly revoked: RevokedSessions;
  readonly cookie: RefreshCookie;
  readonly authRatePerMinute: number;
  readonly guestRatePerMinute: number;
};

const DisplayName = Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' });
const Email = Type.String({ format: 'email', maxLength: 254 });
const Guest = Type.Object({ displayName: Type.Optional(DisplayName) }, { additionalProperties: false });
const Registration = Type.Object(
  { email: Email, password: Type.String({ minLength: 8, maxLength: 256 }), displayName: DisplayName },
  { additionalProperties: false },
);
const Credentials = Type.Object(
  { email: Email, password: Type.String({ minLength: 1, maxLength: 256 }) },
  { additionalProperties: false },
);
const Link = Type.Object({ token: Type.String({ minLength: 1, maxLength: 256 }) }, { additionalProperties: false });
const tags = ['accounts'];

export function registerAccountRoutes(app: App, deps: AccountRouteDeps): void {
  const { db, sign, cookie, revoked } = deps;
  const limited = (max: number) => ({
    rateLimit: { max, timeWindow: 60_000, keyGenerator: (request: { ip: string }) => request.ip },
  });
  const auth = limited(deps.authRatePerMinute);
  const open = async (reply: FastifyReply, user: SessionUser): Promise<Session> => {
    const opened = await openSession(db, sign, user);
    cookie.set(reply, opened.refreshToken);
    return opened.session;
  };
  const answers = { response: { 200: ref(Session), ...PROBLEMS }, tags };

  app.post(
    '/api/auth/guest',
    {
      config: limited(deps.guestRatePerMinute),
      schema: { summary: 'Shop without an account', body: Guest, ...answers },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request, reply) => open(reply, await createGuest(db, request.body.displayName ?? null)),
  );

  app.post(
    '/api/auth/register',
    {
      config: auth,
      schema: { summary: 'Create an account; a guest keeps cart and orders', body: Registration, ...answers },
    },
    async (request, reply) => {
      const guestId = request.user?.role === 'guest' ? request.user.id : null;
      const result = await register(db, request.body, guestId);
      if (!result.ok) throw new ProblemError(result.reason);
      return open(reply, result.user);
    },
  );

  app.post(
    '/api/auth/sign-in',
    { config: auth, schema: { summary: 'Sign in with e-mail address and password', body: Credentials, ...answers } },
    async (request, reply) => {
      const user = await checkPassword(db, request.body.email, request.body.password);
      if (user === null) throw new ProblemError('invalid_credentials');
      return open(reply, user);
    },
  );

  app.post(
    '/api/auth/redeem',
    { config: auth, schema: { summary: 'Sign in with a one-time link', body: Link, ...answers } },
    async (request, reply) => {
      // One transaction: a link that failed to open a session is not used up.
      const opened = await db.transaction().execute(async (tx) => {
        const user = await redeemOneTimeLink(tx, request.body.token);
        return user === null ? null : openSession(tx, sign, user);
      });
      if (opened === null) throw new ProblemError('token_invalid');
      cookie.set(reply, opened.refreshToken);
      return opened.session;
    },
  );

  app.post(
    '/api/auth/refresh',
    {
      config: limited(deps.guestRatePerMinute),
      onRequest: refuseOtherOrigins,
      schema: { summary: 'New access token, by the cookie', ...answers },
    },
    async (request, reply) => {
      const token = cookie.read(request);
      if (token === null) throw new ProblemError('unauthenticated');
      const rotated = await rotateSession(db, sign, token);
      if (rotated.ok) {
        cookie.set(reply, rotated.refreshToken);
        return rotated.session;
      }
      if (rotated.revokedFamilyId !== null) revoked.add(rotated.revokedFamilyId);
      cookie.clear(reply);
      throw new ProblemError('token_invalid');
    },
  );

  app.post(
    '/api/auth/sign-out',
    {
      onRequest: refuseOtherOrigins,
      schema: { summary: 'End this session', response: { 204: Type.Null(), ...PROBLEMS }, tags },
    },
    async (request, reply) => {
      const token = cookie.read(request);
      const familyId = token === null ? null : await closeSession(db, token);
      if (familyId !== null) revoked.add(familyId);
      cookie.clear(reply);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/auth/me',
    {
      onRequest: needs(),
      schema: {
        summary: 'Who is signed in',
        security: SIGNED_IN,
        response: { 200: ref(SessionUser), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const user = await findUser(db, userOf(request).id);
      if (user === null) throw new ProblemError('unauthenticated');
      return user;
    },
  );

  app.post(
    '/api/auth/room-token',
    {
      onRequest: needs(),
      schema: {
        summary: 'Token for chat and live events',
        security: SIGNED_IN,
        response: { 200: ref(RoomToken), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { id, displayName, role } = userOf(request);
      return issueRoomToken(sign, { id, displayName, role, email: null });
    },
  );
}
