import { expect, test } from 'vitest';
import { numberedUrl } from './stream-names.ts';

test.each([
  ['rtmp://h/live/show', 1, 1, 'rtmp://h/live/show'],
  ['rtmp://h/live/show?key=s.ecret', 2, 3, 'rtmp://h/live/show-2?key=s.ecret'],
  ['rtmp://h/live/show-{n}?key=a', 7, 1, 'rtmp://h/live/show-7?key=a'],
  ['http://h/live/show.m3u8', 2, 3, 'http://h/live/show-2.m3u8'],
  ['http://h.example.com/live/show', 2, 3, 'http://h.example.com/live/show-2'],
  ['http://h/live/{n}/index.m3u8?t=1', 2, 3, 'http://h/live/2/index.m3u8?t=1'],
])('%s, number %i of %i: %s', (url, number, count, expected) => {
  expect(numberedUrl(url, number, count)).toBe(expected);
});
