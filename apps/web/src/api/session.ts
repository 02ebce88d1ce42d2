import type { Session, SessionUser } from '@showfloor/protocol';
import { ApiProblem, type ApiRequest, request } from './http.ts';
import { serverClock } from './server-clock.ts';

/**
 * Who this browser is to the shop. The access token lives in memory only; the refresh token in an HttpOnly cookie. A
 * visitor becomes a guest when something needs an identity (a message, a hold), not before.
 */
export class SessionKeeper {
  #session: Session | null = null;
  #opening: Promise<Session> | null = null;
  readonly #listeners = new Set<() => void>();

  /** The person signed in, or null: unknown or nobody yet. */
  get user(): SessionUser | null {
    return this.#session?.user ?? null;
  }

  /** True when this browser had a session before: its cart may exist. */
  get hadSession(): boolean {
    return readHint();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): SessionUser | null => this.user;

  /**
   * A session: the one in memory, else the cookie's, else (with `guestName`) a new guest. Calls at the same time share
   * one request. Throws ApiProblem; `unauthenticated` when there is none and no guest was wanted.
   */
  open(guestName: string | null): Promise<Session> {
    if (this.#session !== null && !isStale(this.#session)) return Promise.resolve(this.#session);
    if (this.#opening !== null && guestName !== null) {
      // The request under way may not have wanted a guest.
      return this.#opening.catch((error: unknown) => {
        if (error instanceof ApiProblem && error.status === 401) return this.open(guestName);
        throw error;
      });
    }
    this.#opening ??= this.#obtain(guestName).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** Takes over the session of a sign-in. */
  adopt(session: Session): void {
    this.#session = session;
    writeHint(true);
    this.#tell();
  }

  /** Signs out here and at the server; a server that cannot be reached does not keep us signed in. */
  async signOut(): Promise<void> {
    const accessToken = this.#session?.accessToken ?? null;
    this.#forget();
    await request('/api/auth/sign-out', { method: 'POST', accessToken }).catch(() => undefined);
  }

  /** A request with identity. An access token the server no longer takes is renewed once. */
  async call<T>(path: string, options: ApiRequest = {}, guestName: string | null = null): Promise<T> {
    const { accessToken } = await this.open(guestName);
    try {
      return await request<T>(path, { ...options, accessToken });
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
      this.#session = null;
      const renewed = await this.open(guestName);
      return await request<T>(path, { ...options, accessToken: renewed.accessToken });
    }
  }

  async #obtain(guestName: string | null): Promise<Session> {
    const session = (readHint() ? await refresh() : null) ?? (await this.#newGuest(guestName));
    this.adopt(session);
    return session;
  }

  async #newGuest(guestName: string | null): Promise<Session> {
    if (guestName !== null) {
      return await request<Session>('/api/auth/guest', { method: 'POST', body: { displayName: guestName } });
    }
    this.#forget();
    throw new ApiProblem({ status: 401, reason: 'unauthenticated', detail: 'Sign in first.' });
  }

  #forget(): void {
    this.#session = null;
    writeHint(false);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Asks for a new access token. Refresh tokens rotate and a second use of an old one ends the whole family, so that tabs
 * take turns. Null: the cookie is gone or no longer good.
 */
async function refresh(): Promise<Session | null> {
  const ask = async (): Promise<Session | null> => {
    try {
      return await request<Session>('/api/auth/refresh', { method: 'POST' });
    } catch (error) {
      if (error instanceof ApiProblem && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  };
  if (navigator.locks === undefined) return await ask();
  return await navigator.locks.request('showfloor.refresh', ask);
}

const RENEW_BEFORE_MS = 30_000;

function isStale(session: Session): boolean {
  return session.expiresAtMs - serverClock.now() < RENEW_BEFORE_MS;
}

const HINT_KEY = 'showfloor.had-session';

/** Where the browser refuses storage the hint lasts as long as the page: a session that runs out is still renewed. */
let keptHint = false;

function readHint(): boolean {
  try {
    return keptHint || localStorage.getItem(HINT_KEY) === 'yes';
  } catch {
    return false;
  }
}

function writeHint(had: boolean): void {
  keptHint = had;
  try {
    if (had) localStorage.setItem(HINT_KEY, 'yes');
    else localStorage.removeItem(HINT_KEY);
  } catch {
    // No storage in this browser mode: the session lasts as long as the page.
  }
}

/** The page's one session. */
export const session = new SessionKeeper();
