import fc from 'fast-check';
import HLS, { type types } from 'hls-parser';
import { describe, expect, test } from 'vitest';
import { encodeMediaPlaylist, encodeMultivariantPlaylist, type MediaPlaylist, type PlaylistSegment } from './m3u8.ts';

HLS.setOptions({ strictMode: true }); // what it complains of is an error

const part = (name: string, isIndependent = false) => ({ uri: `${name}.m4s`, durationMs: 200, isIndependent });
const segment = (name: string, more: Partial<PlaylistSegment> = {}): PlaylistSegment => ({
  uri: `${name}.m4s`,
  durationMs: 2_000,
  mapUri: 'a-init-0.mp4',
  isDiscontinuity: false,
  programDateTimeMs: null,
  parts: [],
  ...more,
});
const LOW_LATENCY: MediaPlaylist = {
  targetDurationMs: 2_000,
  mediaSequence: 70_000_001,
  discontinuitySequence: 3,
  hasIndependentSegments: true,
  holdBackMs: 6_000,
  lowLatency: { partTargetMs: 201, partHoldBackMs: 700 },
  segments: [
    segment('a-1', { programDateTimeMs: 1_700_000_000_123 }),
    segment('a-2', { durationMs: 1_999.9, parts: [part('a-2.0', true), part('a-2.1')] }),
    segment('b-3', { isDiscontinuity: true, mapUri: 'b-init-0.mp4', parts: [part('b-3.0', true)] }),
  ],
  open: { ...segment('b-4'), mapUri: 'b-init-0.mp4', parts: [part('b-4.0', true), { ...part('b-4.1'), isGap: true }] },
  preloadHintUri: 'b-4.2.m4s',
  isEnded: false,
};

describe('media playlists', () => {
  test('a low-latency playlist, line by line', () => {
    expect(encodeMediaPlaylist(LOW_LATENCY).split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.700,HOLD-BACK=6.000',
      '#EXT-X-PART-INF:PART-TARGET=0.201',
      '#EXT-X-MEDIA-SEQUENCE:70000001',
      '#EXT-X-DISCONTINUITY-SEQUENCE:3',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-MAP:URI="a-init-0.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.123Z',
      '#EXTINF:2.000,',
      'a-1.m4s',
      '#EXT-X-PART:DURATION=0.200,URI="a-2.0.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.200,URI="a-2.1.m4s"',
      '#EXTINF:1.999900,',
      'a-2.m4s',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-MAP:URI="b-init-0.mp4"',
      '#EXT-X-PART:DURATION=0.200,URI="b-3.0.m4s",INDEPENDENT=YES',
      '#EXTINF:2.000,',
      'b-3.m4s',
      '#EXT-X-PART:DURATION=0.200,URI="b-4.0.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.200,URI="b-4.1.m4s",GAP=YES',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b-4.2.m4s"',
      '',
    ]);
  });

  test('another reader finds what was written', () => {
    const read = HLS.parse(encodeMediaPlaylist(LOW_LATENCY)) as types.MediaPlaylist;
    expect(read).toMatchObject({
      targetDuration: 2,
      mediaSequenceBase: 70_000_001,
      discontinuitySequenceBase: 3,
      partTargetDuration: 0.201,
      lowLatencyCompatibility: { canBlockReload: true, partHoldBack: 0.7 },
      endlist: false,
    });
    const finished = read.segments.filter((one) => one.uri !== '');
    expect(finished.map((one) => [one.uri, one.discontinuity === true, one.map?.uri, one.parts.length])).toEqual([
      ['a-1.m4s', false, 'a-init-0.mp4', 0],
      ['a-2.m4s', false, 'a-init-0.mp4', 2],
      ['b-3.m4s', true, 'b-init-0.mp4', 1],
    ]);
    expect(finished[0]?.programDateTime?.getTime()).toBe(1_700_000_000_123);
    expect(read.segments.at(-1)?.parts.map((one) => [one.uri, one.hint, one.independent === true])).toEqual([
      ['b-4.0.m4s', false, true],
      ['b-4.1.m4s', false, false],
      ['b-4.2.m4s', true, false],
    ]);
  });

  test('a classic playlist of the same segments has none of the low-latency tags', () => {
    const text = encodeMediaPlaylist({ ...LOW_LATENCY, lowLatency: null });
    expect(text).not.toMatch(/PART|PRELOAD|BLOCK|b-4/);
    expect(text).toContain('#EXT-X-VERSION:6\n');
    expect(text).toContain('#EXT-X-SERVER-CONTROL:HOLD-BACK=6.000\n');
  });

  test('an ended playlist says so and hints at nothing', () => {
    const text = encodeMediaPlaylist({ ...LOW_LATENCY, open: null, isEnded: true });
    expect(text).not.toContain('PRELOAD-HINT');
    expect(text.endsWith('#EXT-X-ENDLIST\n')).toBe(true);
  });

  test('durations of any playlist survive another reader to the microsecond', () => {
    const durationMs = fc.double({ min: 1, max: 9_999, noNaN: true });
    fc.assert(
      fc.property(fc.array(durationMs, { minLength: 1, maxLength: 12 }), (durations) => {
        const segments = durations.map((one, index) => segment(`s-${index}`, { durationMs: one }));
        const text = encodeMediaPlaylist({ ...LOW_LATENCY, targetDurationMs: 10_000, holdBackMs: 30_000, segments });
        const read = HLS.parse(text) as types.MediaPlaylist;
        for (const [index, one] of durations.entries()) {
          expect(Math.abs((read.segments[index]?.duration ?? 0) * 1_000 - one)).toBeLessThan(0.001);
        }
      }),
    );
  });

  test.each(['a".m4s', 'a\n#EXT-X-ENDLIST'])('a URI that would break out of its line is refused: %j', (uri) => {
    expect(() => encodeMediaPlaylist({ ...LOW_LATENCY, segments: [segment('a', { uri })] })).toThrow(RangeError);
    expect(() => encodeMediaPlaylist({ ...LOW_LATENCY, preloadHintUri: uri })).toThrow(RangeError);
  });
});

test('a multivariant playlist, line by line', () => {
  const text = encodeMultivariantPlaylist({
    hasIndependentSegments: true,
    variants: [
      {
        uri: 'demo/index.m3u8',
        bandwidthBps: 2_650_000.2,
        averageBandwidthBps: 2_400_000,
        codecs: ['avc1.64001f', 'mp4a.40.2'],
        resolution: { widthPx: 1920, heightPx: 1080 },
        frameRate: 30_000 / 1001,
      },
      { uri: 'demo/audio.m3u8', bandwidthBps: 96_000, codecs: ['mp4a.40.2'] },
    ],
  });
  expect(text.split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-STREAM-INF:BANDWIDTH=2650001,AVERAGE-BANDWIDTH=2400000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=29.970',
    'demo/index.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="mp4a.40.2"',
    'demo/audio.m3u8',
    '',
  ]);
});
