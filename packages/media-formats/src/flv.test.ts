import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAacConfig } from './aac-config.ts';
import { decodeAmf0All } from './amf0.ts';
import { parseAvcConfig } from './avc-config.ts';
import { iterateAvcNals } from './avc-nal.ts';
import { concatBytes } from './byte-order.ts';
import { FlvDemuxer } from './flv-demuxer.ts';
import { readFlvAudioHeader, readFlvVideoHeader } from './flv-media-header.ts';
import { encodeFlvHeader, encodeFlvTag, type FlvTag, FlvTagType } from './flv-tag.ts';
import { FormatError } from './format-error.ts';

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

function demux(input: Uint8Array, cutBytes = input.length): FlvTag[] {
  const tags: FlvTag[] = [];
  const demuxer = new FlvDemuxer({ onTag: (tag) => tags.push(tag), tagBytesMax: 100_000 });
  for (let from = 0; from < input.length; from += cutBytes) demuxer.push(input.subarray(from, from + cutBytes));
  return tags;
}

const video = (tags: FlvTag[]) => tags.filter((tag) => tag.typeId === FlvTagType.video);
const audio = (tags: FlvTag[]) => tags.filter((tag) => tag.typeId === FlvTagType.audio);

describe('FLV', () => {
  test('a file by ffmpeg: every tag, its kinds and times, in any cut', () => {
    const tags = demux(fixture('avc-aac-320x180.flv'), 997);
    expect(tags).toEqual(demux(fixture('avc-aac-320x180.flv')));
    const headers = video(tags).map((tag) => readFlvVideoHeader(tag.payload));
    const frames = headers.filter((header) => header.kind === 'frames');
    expect(headers[0]).toMatchObject({ codec: 'avc', kind: 'sequence-header', dataOffset: 5 });
    expect(frames).toHaveLength(50);
    expect(frames.flatMap((header, index) => (header.isKeyframe ? [index] : []))).toEqual([0, 25]);
    expect(headers.at(-1)?.kind).toBe('end-of-sequence');
    const audioKinds = audio(tags).map((tag) => readFlvAudioHeader(tag.payload).kind);
    expect(audioKinds.filter((kind) => kind === 'frames')).toHaveLength(95);
    expect(decodeAmf0All(tags[0]?.payload ?? new Uint8Array(0))[1]).toMatchObject({ width: 320, framerate: 25 });
  });

  test('re-encoding the tags of a file gives the file', () => {
    const file = fixture('avc-aac-320x180.flv');
    const parts = [encodeFlvHeader({ hasAudio: true, hasVideo: true }), ...demux(file).map(encodeFlvTag)];
    expect(concatBytes(parts)).toEqual(file);
  });

  test('what is written is read, whatever the tags and cuts', () => {
    const tagArbitrary = fc.record({
      typeId: fc.constantFrom(FlvTagType.audio, FlvTagType.video, FlvTagType.script),
      timestampMs: fc.oneof(fc.integer({ min: 0, max: 0xff_ff_ff_ff }), fc.constantFrom(0xff_ff_ff, 0x1_00_00_00)),
      payload: fc.uint8Array({ maxLength: 400 }),
    });
    fc.assert(
      fc.property(fc.array(tagArbitrary, { maxLength: 12 }), fc.integer({ min: 1, max: 500 }), (tags, cutBytes) => {
        const file = concatBytes([encodeFlvHeader({ hasAudio: true, hasVideo: true }), ...tags.map(encodeFlvTag)]);
        expect(demux(file, cutBytes)).toEqual(tags);
      }),
    );
  });

  test('timestamps use all 32 bits', () => {
    const tag = { typeId: FlvTagType.audio, timestampMs: 0xfe_dc_ba_98, payload: Uint8Array.of(1) };
    expect(demux(concatBytes([encodeFlvHeader({ hasAudio: true, hasVideo: false }), encodeFlvTag(tag)]))).toEqual([
      tag,
    ]);
  });

  test.each([
    ['avc-aac-320x180.flv', { codec: 'avc1.4d400c', widthPx: 320, heightPx: 180, frameRate: 25 }],
    ['avc-bframes-426x240.flv', { codec: 'avc1.640015', widthPx: 426, heightPx: 240, frameRate: 30_000 / 1001 }],
  ])('%s: the decoder configuration says what ffprobe says', (name, expected) => {
    const header = video(demux(fixture(name)))[0];
    const { codec, sps, nalLengthSize } = parseAvcConfig(header?.payload.subarray(5) ?? new Uint8Array(0));
    expect({ codec, widthPx: sps.widthPx, heightPx: sps.heightPx, frameRate: sps.frameRate }).toEqual(expected);
    expect(nalLengthSize).toBe(4);
  });

  test('composition times of B-frames are kept', () => {
    const times = video(demux(fixture('avc-bframes-426x240.flv'))).map(
      (tag) => readFlvVideoHeader(tag.payload).compositionTimeMs,
    );
    expect(new Set(times).size).toBeGreaterThan(2);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
  });

  test.each([
    ['avc-aac-320x180.flv', { codec: 'mp4a.40.2', sampleRateHz: 48_000, channels: 2, objectType: 2 }],
    ['aac-mono.flv', { codec: 'mp4a.40.2', sampleRateHz: 44_100, channels: 1, objectType: 2 }],
    ['gstreamer-avc-aac-320x180.flv', { codec: 'mp4a.40.2', sampleRateHz: 44_100, channels: 2, objectType: 2 }],
  ])('%s: the audio config says what ffprobe says', (name, expected) => {
    const header = audio(demux(fixture(name)))[0];
    expect(parseAacConfig(header?.payload.subarray(2) ?? new Uint8Array(0))).toMatchObject(expected);
  });

  test.each([
    ['avc', '90 61 76 63 31', 'sequence-header', true, 5],
    ['hevc', '91 68 76 63 31 00 00 21', 'frames', true, 8],
    ['hevc', 'a3 68 76 63 31', 'frames', false, 5],
    ['av1', '91 61 76 30 31', 'frames', true, 5],
  ])('Enhanced RTMP %s header %s', (codec, hex, kind, isKeyframe, dataOffset) => {
    const payload = Uint8Array.from(hex.split(' '), (pair) => Number.parseInt(pair, 16));
    expect(readFlvVideoHeader(payload)).toMatchObject({ codec, kind, isKeyframe, dataOffset });
  });

  const header = encodeFlvHeader({ hasAudio: true, hasVideo: true });
  test.each([
    ['another file', Uint8Array.from('GIF89a...', (char) => char.charCodeAt(0)), 'flv.signature'],
    [
      'a tag over the limit',
      concatBytes([header, Uint8Array.of(9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0)]),
      'flv.tag_too_large',
    ],
    [
      'a lost tag boundary',
      concatBytes([header, Uint8Array.of(9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9)]),
      'flv.previous_tag_size',
    ],
  ])('refuses %s', (_name, input, code) => {
    expect(() => demux(input)).toThrow(expect.objectContaining({ code }));
  });

  test('hostile bytes end in tags or a FormatError, in every parser', () => {
    const real = fixture('avc-bframes-426x240.flv');
    const mutation = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 255 }));
    const parsers: readonly ((input: Uint8Array) => unknown)[] = [
      (input) => demux(input, 13),
      (input) =>
        demux(input).map((tag) =>
          tag.typeId === 9 ? readFlvVideoHeader(tag.payload) : readFlvAudioHeader(tag.payload),
        ),
      parseAvcConfig,
      parseAacConfig,
      (input) => [...iterateAvcNals(input, 4)],
    ];
    const mutated = fc.array(mutation, { maxLength: 12 }).map((changes) => {
      const copy = real.slice(0, 2000);
      for (const [offset, value] of changes) copy[offset] = value;
      return copy;
    });
    const config = video(demux(real))[0]?.payload.subarray(5) ?? new Uint8Array(0);
    const brokenConfig = fc.array(mutation, { maxLength: 4 }).map((changes) => {
      const copy = config.slice();
      for (const [offset, value] of changes) copy[offset % copy.length] = value;
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, brokenConfig, fc.uint8Array({ maxLength: 100 })), (input) => {
        for (const parse of parsers) {
          try {
            parse(input);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
      }),
      { numRuns: 1500 },
    );
  });
});
