import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { readStartConfig } from './config.ts';
import { publishUrl } from './publish.ts';
import { formatStatusBlock, type Status } from './status-block.ts';
import { sourceFolders } from './watch.ts';

const config = Object.freeze({
  ...readStartConfig('/srv/shop'),
  HOST: '0.0.0.0',
  COMMERCE_PORT: 3000,
  MEDIA_RTMP_PORT: 1935,
  MEDIA_HTTP_PORT: 8080,
  COMMERCE_PUBLIC_ORIGIN: '',
});
const status: Status = { config, signInToken: 'once', hasDemo: true, isDemoOnAir: true, readyMs: 2_345 };

test('the status block says where everything is', () => {
  expect(formatStatusBlock(status, false)).toBe(`
  Showfloor is ready after 2.3 s

  Watch  http://127.0.0.1:3000/live/demo   the demo show
  Shop   http://127.0.0.1:3000/
  Sell   http://127.0.0.1:3000/signin?token=once   works once
  OBS    rtmp://127.0.0.1:1935/live   key: in the studio, behind Sell
  FLV    http://127.0.0.1:8080/live/demo.flv
  HLS    http://127.0.0.1:8080/live/demo.m3u8
  Data   /srv/shop   logs in logs/
  Stop   Ctrl-C
`);
});

test('colours change nothing but the colours', () => {
  expect(stripVTControlCharacters(formatStatusBlock(status, true))).toBe(formatStatusBlock(status, false));
});

test('without a demo there is nothing to watch yet, but an owner to sign in; a proxy gives the shop its name', () => {
  const block = formatStatusBlock(
    { ...status, hasDemo: false, config: { ...config, COMMERCE_PUBLIC_ORIGIN: 'https://shop.example' } },
    false,
  );
  expect(block).toContain('https://shop.example/');
  expect(block).toContain('https://shop.example/signin?token=once');
  expect(block).not.toContain('demo');
});

test('a stream key joins its URL however it was copied', () => {
  const check = (url: string, key: string, expected: string): void => expect(publishUrl(url, key)).toBe(expected);
  check('rtmp://shop/live/mug', 'abc', 'rtmp://shop/live/mug?key=abc');
  check('rtmp://shop/live', 'mug?key=abc', 'rtmp://shop/live/mug?key=abc');
  check('rtmp://shop/live/', 'mug?key=abc', 'rtmp://shop/live/mug?key=abc');
  check('rtmp://shop/live/mug?key=abc', '', 'rtmp://shop/live/mug?key=abc');
  expect(() => publishUrl('http://shop/live/mug', 'abc')).toThrow(/^--url: expected rtmp/);
});

test('a plane is watched with the packages it is made of, however far below', () => {
  const folders = (app: string): string[] =>
    sourceFolders(`${import.meta.dirname}/../../${app}`).map((folder) => folder.split('/').slice(-3).join('/'));
  expect(folders('media-server')).toEqual(expect.arrayContaining(['packages/media/src', 'packages/media-formats/src']));
  expect(folders('realtime-server')).not.toContain('packages/commerce/src');
});
