import { expect, test } from 'vitest';
import { BodyBuffer } from './body-buffer.ts';
import { LISTS_MAX, ListCache } from './list-cache.ts';

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
