import { describe, expect, test } from 'vitest';
import type { HlsWindow } from '../hls/hls-packager.ts';
import { readHlsPath, readReloadPoint, reloadState } from './hls-request.ts';

test.each([
  ['/live/demo.m3u8', { kind: 'multivariant', playbackId: 'demo' }],
  ['/live/live/demo.m3u8', { kind: 'multivariant', playbackId: 'demo' }],
  ['/live/demo/index.m3u8', { kind: 'playlist', playbackId: 'demo' }],
  ['/live/live/demo/index.m3u8', { kind: 'playlist', playbackId: 'demo' }],
  ['/live/demo/a1b2-7.3.m4s', { kind: 'object', playbackId: 'demo', name: 'a1b2-7.3.m4s' }],
  ['/live/live/demo/a1b2-init-0.mp4', { kind: 'object', playbackId: 'demo', name: 'a1b2-init-0.mp4' }],
  ['/live/live.m3u8', { kind: 'multivariant', playbackId: 'live' }],
  ['/live/demo.flv', null],
  ['/live/live/demo.flv', null],
  ['/live/demo/other.m3u8', null],
  ['/live/DEMO.m3u8', null],
  ['/live/demo/a/b.m4s', null],
  ['/live/demo/%2e%2e', null],
  ['/live/', null],
])('%s', (path, target) => {
  expect(readHlsPath(path)).toEqual(target);
});

test.each([
  ['', null],
  ['t=abc&_HLS_skip=YES', null],
  ['_HLS_msn=7', { msn: 7, part: null }],
  ['t=abc&_HLS_msn=7&_HLS_part=2', { msn: 7, part: 2 }],
  ['_HLS_part=2&_HLS_msn=7', { msn: 7, part: 2 }],
  ['_HLS_part=2', 'invalid'],
  ['_HLS_msn=', 'invalid'],
  ['_HLS_msn=-1', 'invalid'],
  ['_HLS_msn=7&_HLS_part=1.5', 'invalid'],
  ['_HLS_msn=9999999999999', 'invalid'],
])('directives of "%s"', (query, point) => {
  expect(readReloadPoint(query)).toEqual(point);
});

describe('blocking reload', () => {
  /** Segment 10 is complete, 11 has parts 0 to 2; parts of 200 ms. */
  const open: HlsWindow = {
    lastMsn: 11,
    lastPart: 2,
    lastWholeMsn: 10,
    playlist: Buffer.alloc(0),
    multivariant: Buffer.alloc(0),
    targetDurationMs: 1_000,
    partTargetMs: 201,
    isEnded: false,
  };
  /** Segment 10 was just completed by its part 4. */
  const closed: HlsWindow = { ...open, lastMsn: 10, lastPart: 4 };

  test.each([
    ['a segment long gone', open, 3, null, 'ready'],
    ['the newest segment', open, 10, null, 'ready'],
    ['the segment in the making', open, 11, null, 'hold'],
    ['two segments ahead', open, 12, null, 'hold'],
    ['three segments ahead', open, 13, null, 'too-far'],
    ['a part of a segment long gone', open, 3, 90, 'ready'],
    ['the newest part', open, 11, 2, 'ready'],
    ['the next part', open, 11, 3, 'hold'],
    ['a part within the advance limit of 15', open, 11, 17, 'hold'],
    ['a part past it', open, 11, 18, 'too-far'],
    ['the first part of the next segment', open, 12, 0, 'hold'],
    ['the last part of a segment just complete', closed, 10, 4, 'ready'],
    ['a part past its last one is part 0 of the next', closed, 10, 5, 'hold'],
    ['and is there with that', { ...open, lastPart: 0 }, 10, 5, 'ready'],
    ['two segments ahead of a complete one', closed, 12, null, 'hold'],
    ['three segments ahead of a complete one', closed, 13, 0, 'too-far'],
    ['anything, once the stream has ended', { ...open, isEnded: true }, 999, 0, 'ready'],
    ['long parts: three ahead', { ...open, partTargetMs: 1_000 }, 11, 5, 'hold'],
    ['long parts: four ahead', { ...open, partTargetMs: 1_000 }, 11, 6, 'too-far'],
  ])('%s', (_name, window, msn, part, state) => {
    expect(reloadState({ msn, part }, window)).toBe(state);
  });
});
