import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPlainFlvRequest } from './plain-flv-request.ts';

const read = (text: string) => readPlainFlvRequest(Buffer.from(text, 'latin1'));

test('what players and proxies send is read', () => {
  const browser = 'GET /live/show-1.flv?t=a.b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n';
  expect(read(browser)).toEqual({ playbackId: 'show-1', forwardedFor: undefined });
  expect(read('GET /live/live/x.flv HTTP/1.0\r\nhost:a\r\n\r\n')?.playbackId).toBe('x');
  const proxied = 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for:2.2.2.2 \r\n\r\n';
  expect(read(proxied)?.forwardedFor).toBe('1.1.1.1, 2.2.2.2');
});

test.each([
  ['another method', 'HEAD /live/x.flv HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['another path', 'GET /live/x.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no host', 'GET /live/x.flv HTTP/1.1\r\nAccept: a\r\n\r\n'],
  ['two hosts', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n'],
  ['half a head', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\n'],
  ['a body', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n'],
  ['chunks', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['another protocol', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n'],
  ['a request behind it', `${'GET /live/x.flv HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2)}`],
  ['bare line feeds', 'GET /live/x.flv HTTP/1.1\nHost: a\n\n'],
  ['a folded line', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n'],
  ['a space before the colon', 'GET /live/x.flv HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['bytes that are no text', 'GET /live/x.flv HTTP/1.1\r\nHost: a\r\nA: \u0000\r\n\r\n'],
  ['a long head', `GET /live/x.flv HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(8_192)}\r\n\r\n`],
])('%s is for node:http', (_, text) => {
  expect(read(text)).toBeNull();
});

test('hostile bytes are read in no time', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9_000 }), (bytes) => {
      const head = Buffer.from('GET /live/x.flv HTTP/1.1\r\nHost: a\r\n');
      expect([undefined, 'x']).toContain(readPlainFlvRequest(Buffer.concat([head, bytes]))?.playbackId);
    }),
  );
  const startedMs = performance.now();
  const spaces = `X-Forwarded-For:${' '.repeat(7_900)}a\r\n`;
  for (const text of [
    spaces,
    'a:'.repeat(4_000),
    'a: b\r\n'.repeat(1_300),
    'x-forwarded-for: '.repeat(480),
    ' '.repeat(8_000),
  ]) {
    for (let round = 0; round < 20; round += 1) read(`GET /live/x.flv HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n`);
  }
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
