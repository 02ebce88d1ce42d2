import { expect, test } from 'vitest';
import { BodyBuffer } from './body-buffer.ts';
import { HEADS_MAX, HttpHeadCache } from './http-head-cache.ts';
import { LISTS_MAX, ListCache } from './list-cache.ts';
import { URLS_MAX, UrlCache } from './url-cache.ts';

test('a body is kept though reads share their buffer, and is gone once taken', () => {
  const body = new BodyBuffer(10);
  const shared = Buffer.from('abc');
  body.push(shared);
  shared.write('xyz');
  body.push(shared);
  expect(body.take()?.toString()).toBe('abcxyz');
  expect(body.take()?.toString()).toBe('');
});

test('a body up to the bound is kept; one byte more is told, and the next one is whole again', () => {
  const body = new BodyBuffer(4);
  body.push(Buffer.from('abcd'));
  expect(body.take()?.toString()).toBe('abcd');
  body.push(Buffer.from('abcd'));
  body.push(Buffer.from('e'));
  expect(body.take()).toBeNull();
  body.push(Buffer.from('f'));
  expect(body.take()?.toString()).toBe('f');
});

test('the same bytes are the same list, until as many others were read as are remembered', () => {
  const cache = new ListCache();
  const text = (number: number): Buffer => Buffer.from(`#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${number}\n`);
  const first = cache.read(text(0));
  expect(first.firstMsn).toBe(0);
  for (let number = 1; number < LISTS_MAX; number += 1) cache.read(text(number));
  expect(cache.read(text(0))).toBe(first);
  cache.read(text(LISTS_MAX));
  expect(cache.read(text(0))).not.toBe(first);
});

test('the same head is parsed once, until as many others came as are remembered', () => {
  const cache = new HttpHeadCache();
  let parsed = 0;
  const read = (number: number) =>
    cache.read(Buffer.from(`HTTP/1.1 200 OK\r\nX: ${number}\r\n\r\n`), () => {
      parsed += 1;
      return { status: 200, headers: new Map() };
    });
  const first = read(0);
  expect(read(0)).toBe(first);
  for (let number = 1; number <= HEADS_MAX; number += 1) read(number);
  expect(parsed).toBe(HEADS_MAX + 1);
  expect(read(0)).not.toBe(first);
});

test('an address is resolved once; what is none is null; beyond the bound they are made anew', () => {
  const cache = new UrlCache();
  const base = new URL('http://h/live/x/index.m3u8?a=1');
  const url = cache.resolve('7.m4s', base);
  expect(url?.href).toBe('http://h/live/x/7.m4s');
  expect(cache.resolve('7.m4s', new URL(base))).toBe(url);
  expect(cache.resolve('?a=1&_HLS_msn=8', base)?.href).toBe('http://h/live/x/index.m3u8?a=1&_HLS_msn=8');
  expect(cache.resolve('http://[', base)).toBeNull();
  for (let number = 0; number < URLS_MAX; number += 1) cache.resolve(`${number}x.m4s`, base);
  expect(cache.resolve('7.m4s', base)).not.toBe(url);
  expect(cache.resolve('7.m4s', base)).toEqual(url);
});
