import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OutboundGuard } from './outbound-guard.ts';
import { type OutboundRequest, outboundRequest } from './outbound-request.ts';

const pem = (name: string): string =>
  readFileSync(new URL(`../fixtures/live.example.${name}.pem`, import.meta.url), 'utf8');
const seen: { url: string; host: string; body: string }[] = [];
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer({ cert: pem('cert'), key: pem('key') }, (request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      seen.push({ url: request.url ?? '', host: request.headers.host ?? '', body });
      if (request.url === '/away') response.writeHead(302, { location: 'https://127.0.0.1:1/secret' }).end();
      else if (request.url === '/long') response.end('x'.repeat(100_000));
      else if (request.url === '/broken')
        response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy());
      else if (request.url !== '/silent') response.end('hello');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(path: string, more: Partial<OutboundRequest> = {}, name = 'live.example') {
  const guard = new OutboundGuard({
    allowedNetworks: ['127.0.0.1'],
    allowedPorts: [port],
    resolve: () => Promise.resolve(['127.0.0.1']),
  });
  const url = `https://${name}:${port}${path}`;
  return outboundRequest(guard, { url, bytesMax: 1_000, timeoutMs: 5_000, ca: pem('cert'), ...more });
}

test('S8 a request goes to the pinned address under the name of the URL', async () => {
  const answer = await ask('/hook?a=b', { method: 'POST', body: '{}' });
  expect([answer.ok && answer.status, answer.ok && answer.body.toString()]).toEqual([200, 'hello']);
  expect(seen.at(-1)).toEqual({ url: '/hook?a=b', host: `live.example:${port}`, body: '{}' });
});

test('S8 a redirect is not followed', async () => {
  const before = seen.length;
  expect(await ask('/away')).toEqual({ ok: false, reason: 'redirect' });
  expect(seen.length).toBe(before + 1);
});

test('a certificate of another name, and one that nobody vouches for, end the request', async () => {
  const before = seen.length;
  expect(await ask('/', {}, 'other.example')).toEqual({ ok: false, reason: 'failed' });
  const guard = new OutboundGuard({
    allowedNetworks: ['127.0.0.1'],
    allowedPorts: [port],
    resolve: async () => ['127.0.0.1'],
  });
  const unvouched = { url: `https://live.example:${port}/`, bytesMax: 9, timeoutMs: 5_000 };
  expect(await outboundRequest(guard, unvouched)).toEqual({ ok: false, reason: 'failed' });
  expect(seen.length).toBe(before);
});

test('an answer is bounded in length and time, and a refused URL is not asked at all', async () => {
  expect(await ask('/long')).toEqual({ ok: false, reason: 'too_large' });
  expect(await ask('/silent', { timeoutMs: 200 })).toEqual({ ok: false, reason: 'timeout' });
  expect(await ask('/broken')).toEqual({ ok: false, reason: 'failed' });
  const guard = new OutboundGuard({ resolve: () => Promise.resolve(['127.0.0.1']) });
  expect(await outboundRequest(guard, { url: 'https://live.example/', bytesMax: 9, timeoutMs: 9 })).toEqual({
    ok: false,
    reason: 'address',
  });
});
