import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type LoopPosition, nextEntry, nextPosition, positionTimeMs, readFlvLoop } from './flv-loop.ts';
import { parsePublishUrl } from './publish-url.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../media-formats/fixtures/${name}`, import.meta.url)));

describe('a clip as an endless loop', () => {
  test.each([
    ['avc-aac-320x180.flv', 2_000, 40],
    ['avc-bframes-426x240.flv', 1_001, 34],
    ['aac-mono.flv', 1_045, 24],
  ])(
    '%s lasts one frame longer than its last frame, and rounds follow without a seam',
    (name, durationMs, frameMsMax) => {
      const loop = readFlvLoop(fixture(name));
      expect(Math.abs(loop.durationMs - durationMs)).toBeLessThanOrEqual(2);
      const last = { audio: -1, video: -1 };
      let position: LoopPosition = { round: 0, index: 0 };
      while (position.round < 3) {
        const frame = loop.frames[position.index];
        const track = frame?.tag.typeId === 9 ? 'video' : 'audio';
        const timeMs = positionTimeMs(loop, position);
        if (last[track] >= 0) {
          expect(timeMs).toBeGreaterThan(last[track]);
          expect(timeMs - last[track]).toBeLessThanOrEqual(frameMsMax + 24);
        }
        last[track] = timeMs;
        position = nextPosition(loop, position);
      }
    },
  );

  test('it is entered at a keyframe only', () => {
    const loop = readFlvLoop(fixture('avc-aac-320x180.flv'));
    const entry = nextEntry(loop, { round: 0, index: 3 });
    expect([loop.frames[entry.index]?.isKeyframe, positionTimeMs(loop, entry)]).toEqual([true, 1_000]);
    expect(nextEntry(loop, { round: 0, index: loop.frames.length - 1 })).toEqual({ round: 1, index: 0 });
    expect(nextEntry(readFlvLoop(fixture('aac-mono.flv')), { round: 0, index: 3 })).toEqual({ round: 0, index: 3 });
  });

  test('a file without frames is refused', () => {
    expect(() => readFlvLoop(fixture('avc-aac-320x180.flv').subarray(0, 450))).toThrow(RangeError);
  });
});

describe('publish URLs', () => {
  test('are split as ffmpeg and OBS split them', () => {
    expect(parsePublishUrl('rtmp://show.example/live/demo?key=s3')).toEqual({
      host: 'show.example',
      port: 1935,
      isTls: false,
      app: 'live',
      tcUrl: 'rtmp://show.example:1935/live',
      streamName: 'demo?key=s3',
    });
    expect(parsePublishUrl('rtmp://[::1]:19350/live/demo')).toMatchObject({
      host: '::1',
      port: 19_350,
      streamName: 'demo',
    });
    expect(parsePublishUrl('rtmps://ingest.example/app/instance/FB-1?a=b/c')).toEqual({
      host: 'ingest.example',
      port: 443,
      isTls: true,
      app: 'app/instance',
      tcUrl: 'rtmps://ingest.example:443/app/instance',
      streamName: 'FB-1?a=b/c',
    });
    expect(parsePublishUrl('RTMP://h/app//key')).toMatchObject({ tcUrl: 'rtmp://h:1935/app', streamName: 'key' });
  });

  test.each([
    'http://host/live/demo',
    'rtmp://me@host/live/s3',
    'rtmp://host/live/',
    'rtmp://host/live',
    'rtmp://host:99999/live/demo?key=s3',
    'demo?key=s3',
  ])('%s is refused without repeating the key', (url) => {
    expect(() => parsePublishUrl(url)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('s3') as string }) as Error,
    );
  });
});
