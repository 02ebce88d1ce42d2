import {
  CAPTURE_TIME_SEI_UUID,
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeWallClockSei,
  INGEST_TIME_SEI_UUID,
  insertUserDataSei,
} from '@showfloor/media-formats';
import { describe, expect, test } from 'vitest';
import { HlsMediaReader, isMediaError, sniffMedia } from './hls-media-reader.ts';

/** AVC Baseline 3.0, four-byte NAL lengths; the parameter sets are not looked at here. */
const AVC_CONFIG = Uint8Array.of(1, 66, 0, 30, 0xff, 0xe1, 0, 0, 1, 0, 0);
const VIDEO = {
  kind: 'video',
  codec: 'avc',
  config: AVC_CONFIG,
  widthPx: 320,
  heightPx: 180,
  timescale: 1000,
} as const;
const PICTURE = Uint8Array.of(0, 0, 0, 2, 0x65, 0x88);

function fragment(baseDecodeTimeTicks: number, pictures: readonly Uint8Array[]): Uint8Array {
  const samples = pictures.map((data) => ({ data, durationTicks: 40, compositionOffsetTicks: 0, isKeyframe: true }));
  return encodeFmp4Fragment({ sequenceNumber: 1, tracks: [{ trackId: 1, baseDecodeTimeTicks, samples }] });
}

describe('reading fragments', () => {
  test('times, and the clocks in each picture', () => {
    const reader = new HlsMediaReader();
    reader.init(encodeFmp4Init([VIDEO]));
    const captured = insertUserDataSei(PICTURE, 4, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(1111));
    const both = insertUserDataSei(captured, 4, INGEST_TIME_SEI_UUID, encodeWallClockSei(2222));
    expect(reader.read(fragment(5000, [both, PICTURE, captured]))).toEqual({
      startMs: 5000,
      endMs: 5120,
      frameMs: 40,
      stamps: [
        { tier: 'capture', atMediaMs: 5000, wallMs: 1111 },
        { tier: 'ingest', atMediaMs: 5000, wallMs: 2222 },
        { tier: 'capture', atMediaMs: 5080, wallMs: 1111 },
      ],
    });
  });

  test('two fragments in one segment are read as one', () => {
    const reader = new HlsMediaReader();
    reader.init(encodeFmp4Init([VIDEO]));
    const segment = Buffer.concat([fragment(0, [PICTURE, PICTURE]), fragment(80, [PICTURE])]);
    expect(reader.read(segment)).toMatchObject({ startMs: 0, endMs: 120 });
  });

  test('without an init segment nothing is read; what is cut short is the bytes’ fault', () => {
    const reader = new HlsMediaReader();
    const whole = fragment(0, [PICTURE]);
    expect(reader.read(whole)).toBeNull();
    reader.init(encodeFmp4Init([VIDEO]));
    for (let bytes = 1; bytes < whole.length; bytes += 1) {
      try {
        reader.read(whole.subarray(0, bytes));
      } catch (error) {
        expect(isMediaError(error)).toBe(true);
      }
    }
    expect(() => reader.read(whole.subarray(0, whole.length - 2))).toThrow(RangeError);
  });
});

test('the first bytes tell media from a page', () => {
  expect(sniffMedia(fragment(0, [PICTURE]).subarray(0, 8))).toBe('fmp4');
  expect(sniffMedia(encodeFmp4Init([VIDEO]).subarray(0, 8))).toBe('fmp4');
  expect(sniffMedia(Uint8Array.of(0x47, 0x40, 0, 0x10))).toBe('ts');
  expect(sniffMedia(Buffer.from('<html><b'))).toBe('other');
  expect(sniffMedia(new Uint8Array(0))).toBe('other');
});
