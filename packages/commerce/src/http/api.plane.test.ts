import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { ClientConfig } from '@showfloor/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Buyer, startShop, type TestShop } from '../../test-postgres/test-shop.ts';

type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
};
type Operation = {
  readonly security?: unknown[];
  readonly tags?: string[];
  readonly responses: Record<string, unknown>;
};

let shop: TestShop;
let guest: Buyer;
let webDir: string;

beforeAll(async () => {
  webDir = mkdtempSync(join(tmpdir(), 'sf-web-'));
  shop = await startShop({ webDir });
  guest = await shop.guest();
});
afterAll(async () => {
  await shop?.close();
  rmSync(webDir, { recursive: true, force: true });
});

describe('OpenAPI', () => {
  test('the document is valid 3.1 and names every route there is', async () => {
    const { body } = await shop.call<Document>('GET', '/api/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const { valid, errors } = await new Validator().validate(
      structuredClone(body) as unknown as Record<string, unknown>,
    );
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(documented(body)).toEqual(served());
    expect(Object.keys(body.components.schemas)).toEqual(
      expect.arrayContaining(['Cart', 'Order', 'Problem', 'ShowDetail']),
    );
    expect(JSON.stringify(body)).not.toMatch(/schema\d+/);
  });

  test('the readable form needs nothing from outside', async () => {
    const page = await shop.call('GET', '/api/docs');
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    expect(page.headers.get('content-security-policy')).not.toMatch(/https?:/);
  });
});

test('S15 every route that asks for a sign-in refuses who has none, and sellers’ routes refuse buyers', async () => {
  const { body } = await shop.call<Document>('GET', '/api/openapi.json');
  const id = crypto.randomUUID();
  let signedIn = 0;
  let forSellers = 0;
  for (const [pattern, operations] of Object.entries(body.paths)) {
    const path = pattern.replaceAll(/\{\w*[iI]d\}/g, id).replace('{playbackId}', 'some-show');
    for (const [method, operation] of Object.entries(operations)) {
      if (operation.security === undefined) continue;
      signedIn += 1;
      const anonymous = await shop.call(method.toUpperCase(), path);
      expect([`${method} ${path}`, anonymous.status, anonymous.body.reason]).toEqual([
        `${method} ${path}`,
        401,
        'unauthenticated',
      ]);
      if (operation.tags?.includes('studio') !== true) continue;
      forSellers += 1;
      const buyer = await guest.send(method.toUpperCase(), path);
      expect([`${method} ${path}`, buyer.status]).toEqual([`${method} ${path}`, 403]);
    }
  }
  expect(signedIn).toBeGreaterThan(20);
  expect(forSellers).toBeGreaterThan(12);
});

describe('problem documents', () => {
  //                              method  path                    body or token                      status reason
  test.each([
    ['an unknown address', 'GET', '/api/nowhere', undefined, 404, 'not_found'],
    ['a wrong method', 'DELETE', '/api/client-config', undefined, 404, 'not_found'],
    ['a missing field', 'POST', '/api/cart/lines', {}, 400, 'bad_request'],
    [
      'a field nobody knows',
      'POST',
      '/api/cart/lines',
      { variantId: crypto.randomUUID(), quantity: 1, price: 0 },
      400,
      'bad_request',
    ],
    [
      'a quantity of text',
      'POST',
      '/api/cart/lines',
      { variantId: crypto.randomUUID(), quantity: '1' },
      400,
      'bad_request',
    ],
    ['too many units', 'POST', '/api/cart/lines', { variantId: crypto.randomUUID(), quantity: 11 }, 400, 'bad_request'],
    ['no such variant', 'POST', '/api/cart/lines', { variantId: crypto.randomUUID(), quantity: 1 }, 404, 'not_found'],
    ['an id that is none', 'GET', '/api/orders/1', undefined, 400, 'bad_request'],
    [
      'an empty cart',
      'POST',
      '/api/checkout',
      { payment: { provider: 'test', card: '4242424242424242' } },
      409,
      'cart_empty',
    ],
    ['a card that is none', 'POST', '/api/checkout', { payment: { provider: 'test', card: 'x' } }, 400, 'bad_request'],
  ] as const)('%s', async (_what, method, path, body, status, reason) => {
    const answer = await guest.send(method, path, body, crypto.randomUUID());
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, reason, type: `/problems/${reason}` });
    expect(answer.status).toBe(status);
    expect(answer.body.title.length * answer.body.detail.length).toBeGreaterThan(0);
  });

  test('a body that is no JSON, a huge one, and a broken token', async () => {
    const raw = (body: string) =>
      fetch(`${shop.url}/api/auth/guest`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect((await raw('{"displayName":')).status).toBe(400);
    expect((await raw(JSON.stringify({ displayName: 'x'.repeat(200_000) }))).status).toBe(413);
    const answer = await shop.call('GET', '/api/cart', { token: 'not.a.token' });
    expect([answer.status, answer.body.reason]).toEqual([401, 'token_invalid']);
  });
});

describe('the web app', () => {
  test('before it is built there is a page that says so; the API works', async () => {
    const page = await shop.call('GET', '/live/demo');
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(page.text).toContain('not built');
  });

  test('its own addresses get the index page, hashed files are kept for ever, missing ones are 404', async () => {
    mkdirSync(join(webDir, 'assets'));
    writeFileSync(join(webDir, 'index.html'), '<!doctype html><title>Shop</title>');
    writeFileSync(join(webDir, 'assets', 'main-abc123.js'), 'export {};');
    for (const path of ['/', '/live/demo', '/orders/1', '/studio', '/signin?token=x']) {
      const page = await shop.call('GET', path);
      expect([path, page.status, page.headers.get('cache-control')]).toEqual([path, 200, 'no-cache']);
      expect(page.text).toContain('<title>Shop</title>');
    }
    const asset = await shop.call('GET', '/assets/main-abc123.js');
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await shop.call('GET', '/assets/gone.js')).status).toBe(404);
    expect((await shop.call('GET', '/assets/..%2f..%2f..%2fetc/passwd')).status).toBe(404);
  });

  test('S6 its pages run under a strict policy that lets the player work', async () => {
    const policy = (await shop.call('GET', '/')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("object-src 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(policy).toMatch(/media-src [^;]*blob:/);
    expect(policy).toMatch(/worker-src [^;]*blob:/);
    expect(policy).toMatch(
      /connect-src 'self' http:\/\/127\.0\.0\.1:8080 http:\/\/127\.0\.0\.1:3001 ws:\/\/127\.0\.0\.1:3001/,
    );
  });
});

test('client-config names the planes at the host the browser used, and believes no nonsense', async () => {
  const { body } = await shop.call<ClientConfig>('GET', '/api/client-config');
  expect(body).toMatchObject({
    version: 1,
    video: { baseUrl: 'http://127.0.0.1:8080' },
    realtime: { baseUrl: 'http://127.0.0.1:3001', path: '/socket.io' },
    commerce: { baseUrl: shop.url },
    ingest: { rtmpUrl: 'rtmp://127.0.0.1:1935/live' },
  });
  const answer = await shop.server.app.inject({
    url: '/api/client-config',
    headers: { host: 'evil.example/"><script>' },
  });
  expect(answer.body).not.toContain('evil');
});

test('requests are measured by route pattern, and other pages may not call the API', async () => {
  await shop
    .call('GET', '/api/shows/no-such-show', { headers: { origin: 'https://elsewhere.example' } })
    .then((answer) => {
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    });
  const metrics = await shop.registry.metrics();
  expect(metrics).toMatch(/http_request_duration_seconds_count\{[^}]*path="\/api\/shows\/:playbackId"[^}]*\} \d/);
  expect(metrics).not.toContain('no-such-show');
});

/** Routes as the document has them. */
function documented(document: Document): string[] {
  return Object.entries(document.paths)
    .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
}

/** Routes as the server has them, without the documents themselves and the static files. */
function served(): string[] {
  return shop.server.routes
    .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
    .filter((route) => !/^(HEAD|OPTIONS) | \/api\/docs| \/api\/openapi| \/\*/.test(route))
    .sort();
}
