import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Role } from '@showfloor/protocol';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { RequestTime } from '../database/request-time.ts';

/** The Fastify instance our routes are written for. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Who makes a request, as their access token says. `sessionId` names the family that signing out revokes. */
export type RequestUser = {
  readonly id: string;
  readonly displayName: string;
  readonly role: Role;
  readonly sessionId: string;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Null: nobody has signed in. */
    user: RequestUser | null;
    requestTime: RequestTime;
    /** Only on routes that take signed requests. */
    rawBody: string;
    /** On the same routes: false when the secret of the URL stood in for the signature. */
    isSigned: boolean;
  }
}
