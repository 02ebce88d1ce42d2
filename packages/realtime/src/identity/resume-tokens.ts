import { createHmac, timingSafeEqual } from 'node:crypto';
import { RoomClaims } from '@showfloor/protocol';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Identity } from './identity.ts';

/** From the moment commerce vouched; resuming does not lengthen it. */
export const RESUME_LIFE_MS = 12 * 60 * 60 * 1000;
const PREFIX = 'r1';

const body = Compile(
  Type.Object({ user: RoomClaims, vouchedAtMs: Type.Integer({ minimum: 0 }), expiresAtMs: Type.Integer() }),
);

/**
 * Realtime's own token, `r1.{claims}.{HMAC-SHA256}`: a client that reconnects presents it, so that a reconnect storm
 * never reaches commerce. Only this plane makes and reads it. `secret` is a resume secret of `loadSecrets`.
 */
export class ResumeTokens {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  }

  issue(identity: Identity): { readonly token: string; readonly expiresAtMs: number } {
    const expiresAtMs = identity.vouchedAtMs + RESUME_LIFE_MS;
    const user: RoomClaims = { sub: identity.userId, name: identity.name, role: identity.role };
    const claims = JSON.stringify({ user, vouchedAtMs: identity.vouchedAtMs, expiresAtMs });
    const signed = `${PREFIX}.${Buffer.from(claims).toString('base64url')}`;
    return { token: `${signed}.${this.#digest(signed).toString('base64url')}`, expiresAtMs };
  }

  /** The identity in the token, or null when it is not ours or has expired. Revocation is the caller's question. */
  read(token: string, nowMs: number): Identity | null {
    const [prefix, claims, signature] = token.split('.');
    if (prefix !== PREFIX || claims === undefined || signature === undefined) return null;
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#digest(`${prefix}.${claims}`);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const value: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
    if (!body.Check(value) || value.expiresAtMs <= nowMs) return null;
    return { userId: value.user.sub, name: value.user.name, role: value.user.role, vouchedAtMs: value.vouchedAtMs };
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
