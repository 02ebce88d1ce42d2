import { NewRestreamTarget, RESTREAM_TARGETS_PER_SHOW_MAX, type RestreamTargetView } from '@showfloor/protocol';
import { describe, expect, test } from 'vitest';
import {
  EMPTY_TARGET,
  fieldOfRefusal,
  newTargetOf,
  problemsOfTarget,
  TARGET_NAME_CHARS_MAX,
  TARGET_TEXT_CHARS_MAX,
  TARGETS_MAX,
  type TargetDraft,
  targetPatchOf,
} from './restream-draft.ts';

const kept: RestreamTargetView = {
  id: '00000000-0000-4000-8000-000000000001',
  name: 'Elsewhere',
  url: 'rtmps://live.example:443/app',
  maskedKey: '••••1234',
  isEnabled: true,
  state: 'idle',
  reason: null,
  message: null,
  stateAtMs: null,
};
const draft: TargetDraft = { name: 'Elsewhere', url: 'rtmps://live.example:443/app', key: 'abcd-1234' };

test('the limits are the shop’s', () => {
  expect(TARGETS_MAX).toBe(RESTREAM_TARGETS_PER_SHOW_MAX);
  const limitOf = (schema: object): unknown => ('maxLength' in schema ? schema.maxLength : null);
  const { name, url, key } = NewRestreamTarget.properties;
  expect([limitOf(name), limitOf(url), limitOf(key)]).toEqual([
    TARGET_NAME_CHARS_MAX,
    TARGET_TEXT_CHARS_MAX,
    TARGET_TEXT_CHARS_MAX,
  ]);
});

describe('a new target', () => {
  test('is sent without the spaces around what was pasted', () => {
    const pasted = { name: ' Elsewhere ', url: ' rtmps://live.example:443/app\n', key: '\tabcd-1234 ' };
    expect(problemsOfTarget(pasted, null)).toEqual({});
    expect(newTargetOf(pasted)).toEqual(draft);
  });

  test('needs all three', () => {
    expect(problemsOfTarget(EMPTY_TARGET, null)).toEqual({ name: 'required', url: 'required', key: 'required' });
  });

  test.each([
    ['rtmp://a.rtmp.example/live2', undefined],
    ['RTMPS://live.example/app/instance', undefined],
    ['https://live.example/app', 'scheme'],
    ['live.example/app', 'scheme'],
    ['rtmp://live.example', 'application'],
    ['rtmp://live.example/', 'application'],
    ['rtmp://live.example/app?key=1', 'query'],
  ])('the address %s: %s', (url, problem) => {
    expect(problemsOfTarget({ ...draft, url }, null).url).toBe(problem);
  });

  test.each([
    ['FB-1?s_bl=1&s_sw=a/b', undefined],
    ['two words', 'keyChars'],
    ['a#b', 'keyChars'],
    ['app/key', 'keyPath'],
    ['?key=1', 'keyPath'],
  ])('the key %s: %s', (key, problem) => {
    expect(problemsOfTarget({ ...draft, key }, null).key).toBe(problem);
  });
});

describe('a target that exists', () => {
  //  what was changed                                              sent
  test.each([
    [{ key: '' }, null],
    [{ key: '', url: 'RTMPS://live.example:443/app' }, null],
    [{ key: '', name: 'There' }, { name: 'There' }],
    [{ key: 'new-key' }, { key: 'new-key' }],
    [{ url: 'rtmp://other.example/app' }, { url: 'rtmp://other.example/app', key: 'abcd-1234' }],
  ])('%o sends %o', (change, patch) => {
    expect(problemsOfTarget({ ...draft, ...change }, kept)).toEqual({});
    expect(targetPatchOf({ ...draft, ...change }, kept)).toEqual(patch);
  });

  test('needs its key again for another address: it must not be sent where nobody typed it for', () => {
    const moved = { ...draft, url: 'rtmp://other.example/app', key: '' };
    expect(problemsOfTarget(moved, kept)).toEqual({ key: 'keyAgain' });
  });
});

test.each([
  ['target_refused', { url: 'rtmp://10.0.0.1/app', key: 'k' }, 'url'],
  ['target_refused', { key: 'k' }, 'key'],
  ['bad_request', { url: 'rtmp://a.example/app' }, 'key'],
  ['bad_request', { name: 'x' }, null],
  ['restream_limit', { url: 'rtmp://a.example/app', key: 'k' }, null],
] as const)('%s of %o is said at %s', (reason, sent, field) => {
  expect(fieldOfRefusal(reason, sent)).toBe(field);
});
