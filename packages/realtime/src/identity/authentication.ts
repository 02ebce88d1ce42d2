import { ROOM_TOKEN, RoomClaims, SocketAuth } from '@showfloor/protocol';
import type { TokenVerifier } from '@showfloor/service-kit';
import { Compile } from 'typebox/compile';
import { cleanText } from '../chat/message-text.ts';
import type { EngineConnection } from '../transport/connection-internals.ts';
import type { Identity } from './identity.ts';
import type { ResumeTokens } from './resume-tokens.ts';
import type { Revocations } from './revocations.ts';

const socketAuth = Compile(SocketAuth);
const roomClaims = Compile(RoomClaims);

/** `anonymous` has identity null; `refused` presented something that is not valid (any more). */
export type Authenticated =
  | { readonly outcome: 'room_token' | 'resume_token'; readonly identity: Identity }
  | { readonly outcome: 'anonymous'; readonly identity: null }
  | { readonly outcome: 'refused' };

/**
 * Answers who a connection speaks for, from the `auth` of its handshake: a room token if it is valid, else a resume token,
 * else nobody. Commerce is never asked. A connection opens several namespaces with the same `auth`: it is verified once.
 */
export class Authentication {
  readonly #verifyToken: TokenVerifier;
  readonly #resumeTokens: ResumeTokens;
  readonly #revocations: Revocations;
  readonly #known = new WeakMap<EngineConnection, { readonly key: string; readonly result: Promise<Authenticated> }>();

  constructor(verifyToken: TokenVerifier, resumeTokens: ResumeTokens, revocations: Revocations) {
    this.#verifyToken = verifyToken;
    this.#resumeTokens = resumeTokens;
    this.#revocations = revocations;
  }

  async authenticate(connection: EngineConnection, auth: unknown): Promise<Authenticated> {
    const given = auth ?? {};
    if (!socketAuth.Check(given)) return { outcome: 'refused' };
    const key = `${given.token ?? ''} ${given.resume ?? ''}`;
    const known = this.#known.get(connection);
    if (known?.key === key) return this.#stillValid(await known.result);
    const result = this.#verify(given);
    this.#known.set(connection, { key, result });
    return result;
  }

  async #verify(auth: SocketAuth): Promise<Authenticated> {
    if (auth.token) {
      const identity = await this.#readRoomToken(auth.token);
      if (identity !== null) return { outcome: 'room_token', identity };
    }
    if (auth.resume) {
      const identity = this.#resumeTokens.read(auth.resume, Date.now());
      if (identity !== null && !this.#revocations.has(identity)) return { outcome: 'resume_token', identity };
    }
    return auth.token || auth.resume ? { outcome: 'refused' } : { outcome: 'anonymous', identity: null };
  }

  async #readRoomToken(token: string): Promise<Identity | null> {
    const payload = await this.#verifyToken(ROOM_TOKEN, token);
    if (!roomClaims.Check(payload)) return null;
    const issuedAtSeconds: unknown = (payload as { readonly iat?: unknown }).iat;
    if (typeof issuedAtSeconds !== 'number') return null;
    const name = cleanText(payload.name) || 'Guest';
    const identity: Identity = { userId: payload.sub, name, role: payload.role, vouchedAtMs: issuedAtSeconds * 1000 };
    return this.#revocations.has(identity) ? null : identity;
  }

  #stillValid(result: Authenticated): Authenticated {
    if (result.outcome === 'refused' || result.identity === null || !this.#revocations.has(result.identity))
      return result;
    return { outcome: 'refused' };
  }
}
