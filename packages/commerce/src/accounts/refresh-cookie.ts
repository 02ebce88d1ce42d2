import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import { REFRESH_TOKEN_SECONDS } from './sessions.ts';

/** The cookie that holds the refresh token: out of reach of scripts and of other sites. */
export class RefreshCookie {
  readonly #isHttps: boolean;

  /** `publicOrigin` decides: under https the cookie is Secure and bound to exactly this host. */
  constructor(publicOrigin: string) {
    this.#isHttps = publicOrigin.startsWith('https://');
  }

  get #name(): string {
    return this.#isHttps ? '__Host-showfloor_refresh' : 'showfloor_refresh';
  }

  read(request: FastifyRequest): string | null {
    return request.cookies[this.#name] ?? null;
  }

  set(reply: FastifyReply, token: string): void {
    reply.setCookie(this.#name, token, { ...this.#attributes(), maxAge: REFRESH_TOKEN_SECONDS });
  }

  clear(reply: FastifyReply): void {
    reply.clearCookie(this.#name, this.#attributes());
  }

  #attributes() {
    return { path: '/', httpOnly: true, secure: this.#isHttps, sameSite: 'strict' as const };
  }
}

/**
 * The routes that live on the cookie alone refuse requests that another site made. SameSite says so already; this does for
 * browsers and neighbours (another port is the same site) that it does not stop.
 */
export async function refuseOtherOrigins(request: FastifyRequest): Promise<void> {
  const { origin, host } = request.headers;
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) throw new ProblemError('forbidden');
}
