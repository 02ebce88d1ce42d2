import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { firstVariantUrl, waitForList } from './list-poll.ts';

let server: Server | null = null;
afterEach(() => server?.close());

/** A server whose answers to the media list are given in turn, the last one repeats: a status or a text. */
async function serve(...answers: readonly (number | string)[]): Promise<{ url: string; looks: () => number }> {
  let looks = 0;
  server = createServer((request, response) => {
    if (request.url === '/live/a.m3u8') {
      response.end('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na/index.m3u8\n');
      return;
    }
    const answer = answers[Math.min(looks, answers.length - 1)];
    looks += 1;
    if (typeof answer === 'string') response.end(answer);
    else response.writeHead(answer ?? 500).end();
  });
  await new Promise<void>((listening) => server?.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live/a.m3u8`, looks: () => looks };
}

const signal = new AbortController().signal;

describe('waiting for a list', () => {
  test('present: the first answer is enough', async () => {
    const { url, looks } = await serve('one');
    expect(await waitForList({ url, until: 'present', seenText: 'one', signal })).toBeNull();
    expect(looks()).toBe(1);
  });

  test('advancing: a list that the player has seen already is not enough', async () => {
    const { url, looks } = await serve('one', 'one', 'two');
    expect(await waitForList({ url, until: 'advancing', seenText: 'one', signal })).toBeNull();
    expect(looks()).toBe(3);
  });

  test('advancing: where nothing was seen, two looks must differ', async () => {
    const { url, looks } = await serve('one', 'two');
    expect(await waitForList({ url, until: 'advancing', seenText: null, signal })).toBeNull();
    expect(looks()).toBe(2);
  });

  test('a server that fails is asked again, one that says no is not', async () => {
    const recovering = await serve(503, 'one');
    expect(await waitForList({ url: recovering.url, until: 'present', seenText: null, signal })).toBeNull();
    server?.close();
    const refusing = await serve(403);
    expect(await waitForList({ url: refusing.url, until: 'present', seenText: null, signal })).toBe('refused');
    server?.close();
    const without = await serve(404);
    expect(await waitForList({ url: without.url, until: 'advancing', seenText: null, signal })).toBe('absent');
    expect(without.looks()).toBe(1);
  });

  test('ends at once when it is no longer wanted', async () => {
    const { url } = await serve('one');
    const wanted = new AbortController();
    const waiting = waitForList({ url, until: 'advancing', seenText: 'one', signal: wanted.signal });
    wanted.abort();
    await expect(waiting).rejects.toThrow();
  });
});

test('the media list is the first variant, relative to the multivariant list', () => {
  const text = '#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\n#comment\r\n../x/index.m3u8?t=1\r\n';
  expect(firstVariantUrl(text, 'http://h/live/a/b.m3u8')).toBe('http://h/live/x/index.m3u8?t=1');
  expect(firstVariantUrl('#EXTM3U\n#EXTINF:1,\na.m4s\n', 'http://h/a.m3u8')).toBeNull();
});
