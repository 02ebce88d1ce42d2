import { ACCESS_TOKEN, ROLES, type Role } from '@showfloor/protocol';
import { assert, type TokenVerifier } from '@showfloor/service-kit';
import type { FastifyRequest } from 'fastify';
import type { RevokedSessions } from '../accounts/revoked-sessions.ts';
import type { App, RequestUser } from './app.ts';
import { ProblemError } from './problems.ts';

/** Reads `Authorization: Bearer` of every request into `request.user`. A token that is not valid (any more) is refused. */
export function registerAuthentication(app: App, verify: TokenVerifier, revoked: RevokedSessions): void {
  app.decorateRequest('user', null);
  app.addHook('onRequest', async (request) => {
    const header = request.headers.authorization;
    if (header?.startsWith('Bearer ') !== true) return;
    const claims = await verify(ACCESS_TOKEN, header.slice('Bearer '.length));
    const role = ROLES.find((known) => known === claims?.role);
    if (claims === null || role === undefined || claims.sub === undefined) throw new ProblemError('token_invalid');
    const sessionId = String(claims.sid);
    if (revoked.has(sessionId)) throw new ProblemError('token_invalid');
    request.user = { id: claims.sub, displayName: String(claims.name), role, sessionId };
  });
}

/** `onRequest` of routes for people who have signed in; with roles, for those only. Admins may do what sellers may. */
export function needs(...roles: Role[]): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    if (request.user === null) throw new ProblemError('unauthenticated');
    const { role } = request.user;
    if (roles.length > 0 && role !== 'admin' && !roles.includes(role)) throw new ProblemError('forbidden');
  };
}

/** The user of a route that has `needs(…)`. */
export function userOf(request: FastifyRequest): RequestUser {
  assert(request.user !== null, 'a route reads its user without asking for one');
  return request.user;
}
