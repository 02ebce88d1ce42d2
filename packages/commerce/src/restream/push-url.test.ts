import { expect, test } from 'vitest';
import { keyHint, maskedKey, problemOfKey, problemOfUrl, pushUrl } from './push-url.ts';

test.each([
  ['rtmp://a.rtmp.example/live2', null],
  ['rtmps://live.example:443/rtmp/', null],
  ['rtmps://live.example/app/instance', null],
  ['http://live.example/app', 'Only rtmp'],
  ['rtmp://live.example', 'name the application'],
  ['rtmp://live.example/', 'name the application'],
  ['rtmp://live.example/app?key=1', 'belongs to the stream key'],
  ['rtmp://live.example/app#x', 'belongs to the stream key'],
])('the address %s', (url, problem) => {
  const found = problemOfUrl(url);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toContain(problem);
});

test.each([
  ['abcd-1234', null],
  ['FB-1?s_bl=1&s_sw=a/b', null],
  ['two words', 'spaces'],
  ['a\nb', 'spaces'],
  ['a#b', 'spaces'],
  ['app/key', 'last “/”'],
  ['?key=1', 'last “/”'],
])('the key %s', (key, problem) => {
  const found = problemOfKey(key);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toContain(problem);
});

test('of a key only the end is shown, of a short one nothing', () => {
  expect(maskedKey(keyHint('live_123456789_abcd1234'))).toBe('••••1234');
  expect(maskedKey(keyHint('12345678901'))).toBe('••••');
  expect(pushUrl('rtmps://live.example/app//', 'k?a=b')).toBe('rtmps://live.example/app/k?a=b');
});
