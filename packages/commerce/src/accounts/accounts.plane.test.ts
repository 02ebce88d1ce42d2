import { ROOM_TOKEN, type RoomToken, type Session, type SessionUser } from '@showfloor/protocol';
import { createTokenVerifier } from '@showfloor/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../test-postgres/test-database.ts';
import { type Answer, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { prepareOwnerLink } from './owner-link.ts';
import { RevokedSessions } from './revoked-sessions.ts';

const PASSWORD = 'a long enough secret';
let shop: TestShop;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop?.close());

describe('accounts (S3)', () => {
  test('register, sign in, know who one is', async () => {
    const email = newEmail();
    const registered = await register(email);
    expect(registered.body.user).toMatchObject({ email, displayName: 'Ada', role: 'buyer' });
    const signedIn = await signIn(email.toUpperCase(), PASSWORD);
    expect(signedIn.body.user.id).toBe(registered.body.user.id);
    const me = await shop.call<SessionUser>('GET', '/api/auth/me', { token: signedIn.body.accessToken });
    expect(me.body).toEqual(registered.body.user);
  });

  test('a guest who registers keeps cart and id', async () => {
    const seller = await shop.seller();
    const guest = await shop.guest();
    await guest.hold(await seller.variant(1));
    const answer = await shop.call<Session>('POST', '/api/auth/register', {
      token: guest.session.accessToken,
      body: { email: newEmail(), password: PASSWORD, displayName: 'Ada' },
    });
    expect(answer.body.user).toMatchObject({ id: guest.id, role: 'buyer' });
    expect((await guest.cart()).body.lines).toHaveLength(1);
  });

  test('a second account for an address and a well-known password are refused', async () => {
    const email = newEmail();
    await register(email);
    expect((await register(email.toUpperCase())).status).toBe(409);
    const breached = await shop.call('POST', '/api/auth/register', {
      body: { email: newEmail(), password: 'password123', displayName: 'Ada' },
    });
    expect([breached.status, breached.body.reason]).toEqual([422, 'breached_password']);
    const short = await shop.call('POST', '/api/auth/register', {
      body: { email: newEmail(), password: 'short', displayName: 'Ada' },
    });
    expect(short.status).toBe(400);
  });

  test('an unknown address and a wrong password look and take the same', async () => {
    const email = newEmail();
    await register(email);
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      known.push(await timed(() => signIn(email, 'wrong password')));
      unknown.push(await timed(() => signIn(newEmail(), 'wrong password')));
    }
    const [wrong, missing] = [await signIn(email, 'wrong password'), await signIn(newEmail(), 'wrong password')];
    expect([wrong.status, missing.status]).toEqual([401, 401]);
    const withoutId = (answer: Answer<unknown>) => ({ ...(answer.body as object), requestId: '' });
    expect(withoutId(wrong)).toEqual(withoutId(missing));
    // The fastest of each: what a busy machine adds is noise.
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  });

  test('the database holds no password and no token in clear', async () => {
    const { rows } = await shop.database.pool.query<{ text: string }>(
      `select u::text as text from users u union all select t::text from refresh_tokens t`,
    );
    expect(rows.map(({ text }) => text).join('\n')).not.toContain(PASSWORD);
  });
});

test('the owner’s link opens the studio once, and a later start’s link replaces it', async () => {
  const [old, current] = [crypto.randomUUID(), crypto.randomUUID()];
  const redeem = (token: string) => shop.call<Session>('POST', '/api/auth/redeem', { body: { token } });
  await prepareOwnerLink(shop.database.kysely, old);
  await prepareOwnerLink(shop.database.kysely, current);
  expect((await redeem(old)).status).toBe(401);
  const { body } = await redeem(current);
  expect(body.user.role).toBe('admin');
  const show = await shop.call('POST', '/api/shows', { token: body.accessToken, body: { title: 'First' } });
  expect(show.status).toBe(201);
  expect((await redeem(current)).status).toBe(401);
});

test('a link that was used stays used when the process that prepared it starts anew', async () => {
  const token = crypto.randomUUID();
  const redeem = () => shop.call<Session>('POST', '/api/auth/redeem', { body: { token } });
  await prepareOwnerLink(shop.database.kysely, token);
  expect((await redeem()).status).toBe(200);
  await prepareOwnerLink(shop.database.kysely, token);
  expect((await redeem()).status).toBe(401);
});

describe('sessions (S4)', () => {
  test('a refresh token works once; the next one follows it', async () => {
    const first = await register(newEmail());
    const second = await refresh(cookieOf(first));
    expect(second.status).toBe(200);
    const third = await refresh(cookieOf(second));
    expect(third.status).toBe(200);
    expect(third.body.user).toEqual(first.body.user);
  });

  test('replaying an old refresh token ends every session of its family within a second', async () => {
    const first = await register(newEmail());
    const second = await refresh(cookieOf(first));
    const replay = await refresh(cookieOf(first));
    expect(replay.status).toBe(401);
    expect((await refresh(cookieOf(second))).status).toBe(401);
    for (const { accessToken } of [first.body, second.body]) {
      expect((await shop.call('GET', '/api/auth/me', { token: accessToken })).body.reason).toBe('token_invalid');
    }
    const events = await shop.database.kysely
      .selectFrom('outbox')
      .select('payload')
      .where('topic', '=', `user:${first.body.user.id}`)
      .execute();
    expect(events.map(({ payload }) => payload.type)).toEqual(['session.revoked']);
  });

  test('another process learns of a revocation within two seconds', async () => {
    const list = new RevokedSessions(shop.database.kysely, silentLog);
    list.start();
    const session = await register(newEmail());
    const claims = JSON.parse(Buffer.from(session.body.accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
      sid: string;
    };
    expect(list.has(claims.sid)).toBe(false);
    await shop.call('POST', '/api/auth/sign-out', { headers: { cookie: cookieOf(session) } });
    await expect.poll(() => list.has(claims.sid), { timeout: 2_000 }).toBe(true);
    list.stop();
  });

  test('signing out ends the session at once and clears the cookie', async () => {
    const session = await register(newEmail());
    const out = await shop.call('POST', '/api/auth/sign-out', { headers: { cookie: cookieOf(session) } });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toContain('showfloor_refresh=;');
    expect((await shop.call('GET', '/api/auth/me', { token: session.body.accessToken })).status).toBe(401);
    expect((await refresh(cookieOf(session))).status).toBe(401);
  });

  test('a room token is for the realtime plane only, and an access token is not one', async () => {
    const buyer = await shop.guest();
    const { body } = await buyer.send<RoomToken>('POST', '/api/auth/room-token');
    const verify = await createTokenVerifier(shop.secrets.tokenPublicKeyPem);
    expect(await verify(ROOM_TOKEN, body.token)).toMatchObject({ sub: buyer.id, role: 'guest' });
    expect(await verify(ROOM_TOKEN, buyer.session.accessToken)).toBeNull();
    expect((await shop.call('GET', '/api/auth/me', { token: body.token })).status).toBe(401);
    expect(buyer.session.expiresAtMs - Date.now()).toBeLessThanOrEqual(15 * 60_000);
  });
});

describe('PostgreSQL fails while a session is being opened', () => {
  test('a refresh token is not used up: the same one works afterwards, and nobody is signed out', async () => {
    const session = await register(newEmail());
    await whileTokensCannotBeWritten(async () => {
      expect((await refresh(cookieOf(session))).status).toBe(503);
    });
    expect((await refresh(cookieOf(session))).status).toBe(200);
    expect((await shop.call('GET', '/api/auth/me', { token: session.body.accessToken })).status).toBe(200);
  });

  test('a one-time link is not used up', async () => {
    const token = crypto.randomUUID();
    const redeem = () => shop.call<Session>('POST', '/api/auth/redeem', { body: { token } });
    await prepareOwnerLink(shop.database.kysely, token);
    await whileTokensCannotBeWritten(async () => {
      expect((await redeem()).status).toBe(503);
    });
    expect((await redeem()).status).toBe(200);
    expect((await redeem()).status).toBe(401);
  });
});

describe('the cookie (S5)', () => {
  test('is HttpOnly and SameSite=Strict; under https also Secure and bound to the host', async () => {
    const plain = (await register(newEmail())).headers.get('set-cookie') ?? '';
    expect(plain).toMatch(/^showfloor_refresh=[\w-]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
    const secure = await startShop({ origin: 'https://shop.example' });
    const answer = await secure.call('POST', '/api/auth/guest', { body: {} });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-showfloor_refresh=[\w-]+; .*HttpOnly; Secure; SameSite=Strict/,
    );
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=');
    await secure.close();
  });

  test('is not taken from a page of another origin', async () => {
    const session = await register(newEmail());
    const headers = { cookie: cookieOf(session), origin: 'https://elsewhere.example' };
    expect((await shop.call('POST', '/api/auth/refresh', { headers })).status).toBe(403);
    expect((await shop.call('POST', '/api/auth/sign-out', { headers })).status).toBe(403);
    const own = { cookie: cookieOf(session), origin: shop.url };
    expect((await shop.call('POST', '/api/auth/refresh', { headers: own })).status).toBe(200);
  });
});

describe('rate limits (S17)', () => {
  test('password routes answer 429 with Retry-After, and a forged X-Forwarded-For does not help', async () => {
    const small = await startShop({ rates: { auth: 5 } });
    const attempt = (ip: string) =>
      small.call('POST', '/api/auth/sign-in', {
        body: { email: newEmail(), password: 'wrong password' },
        headers: { 'x-forwarded-for': ip },
      });
    const statuses: number[] = [];
    for (let n = 0; n < 7; n += 1) statuses.push((await attempt(`10.0.0.${n}`)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const refused = await attempt('10.0.0.99');
    expect(refused.body.reason).toBe('rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await small.close();
  });

  test('behind a trusted proxy the address it names counts', async () => {
    const small = await startShop({ rates: { auth: 1 }, trustedProxies: ['127.0.0.1'] });
    const attempt = (ip: string) =>
      small.call('POST', '/api/auth/sign-in', {
        body: { email: newEmail(), password: 'wrong password' },
        headers: { 'x-forwarded-for': ip },
      });
    expect((await attempt('10.0.0.1')).status).toBe(401);
    expect((await attempt('10.0.0.1')).status).toBe(429);
    expect((await attempt('10.0.0.2')).status).toBe(401);
    await small.close();
  });
});

/** As a statement that is cut off by PostgreSQL's shutdown. */
async function whileTokensCannotBeWritten(work: () => Promise<void>): Promise<void> {
  const { pool } = shop.database;
  await pool.query(`create function cut_off() returns trigger language plpgsql as $$
    begin raise exception 'shutting down' using errcode = '57P01'; end $$`);
  await pool.query(
    'create trigger cut_off before insert on refresh_tokens for each statement execute function cut_off()',
  );
  try {
    await work();
  } finally {
    await pool.query('drop function cut_off cascade');
  }
}

let emails = 0;
function newEmail(): string {
  emails += 1;
  return `buyer-${emails}-${Date.now()}@example.com`;
}

function register(email: string): Promise<Answer<Session>> {
  return shop.call('POST', '/api/auth/register', { body: { email, password: PASSWORD, displayName: 'Ada' } });
}

function signIn(email: string, password: string): Promise<Answer<Session>> {
  return shop.call('POST', '/api/auth/sign-in', { body: { email, password } });
}

function refresh(cookie: string): Promise<Answer<Session>> {
  return shop.call('POST', '/api/auth/refresh', { headers: { cookie } });
}

function cookieOf(answer: Answer<unknown>): string {
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
