import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from './byte-order.ts';
import { readFlvAudioHeader, readFlvVideoHeader, refusalOfFlvAudio, refusalOfFlvVideo } from './flv-media-header.ts';
import {
  canonicalFlvAudio,
  canonicalFlvVideo,
  encodeFlvAac,
  encodeFlvVideo,
  type FlvVideoPacket,
} from './flv-media-payload.ts';
import { FormatError } from './format-error.ts';

const bytes = (hex: string) => Uint8Array.from(hex.split(/\s+/).filter(Boolean), (pair) => Number.parseInt(pair, 16));
const hex = (input: Uint8Array) => [...input].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

const frame = (changes: Partial<FlvVideoPacket>): FlvVideoPacket => ({
  codec: 'hevc',
  kind: 'frames',
  isKeyframe: false,
  compositionTimeMs: 0,
  data: Uint8Array.of(0xaa),
  ...changes,
});

describe('video payloads', () => {
  test.each([
    ['HEVC configuration', frame({ kind: 'sequence-header' }), undefined, '90 68 76 63 31 aa'],
    ['HEVC keyframe without reordering', frame({ isKeyframe: true }), undefined, '93 68 76 63 31 aa'],
    ['HEVC frame with reordering', frame({ compositionTimeMs: 80 }), undefined, 'a1 68 76 63 31 00 00 50 aa'],
    ['end of HEVC', frame({ kind: 'end-of-sequence', data: new Uint8Array(0) }), undefined, '92 68 76 63 31'],
    ['AVC configuration', frame({ codec: 'avc', kind: 'sequence-header' }), undefined, '17 00 00 00 00 aa'],
    ['AVC frame', frame({ codec: 'avc', compositionTimeMs: -1 }), undefined, '27 01 ff ff ff aa'],
    ['AVC keyframe by FourCC', frame({ codec: 'avc', isKeyframe: true }), 'fourcc', '93 61 76 63 31 aa'],
  ] as const)('%s', (_name, packet, form, expected) => {
    expect(hex(encodeFlvVideo(packet, form))).toBe(expected);
  });

  const packetArbitrary = fc.record({
    codec: fc.constantFrom('avc' as const, 'hevc' as const),
    kind: fc.constantFrom('sequence-header' as const, 'frames' as const, 'end-of-sequence' as const),
    isKeyframe: fc.boolean(),
    compositionTimeMs: fc.integer({ min: -0x80_00_00, max: 0x7f_ff_ff }),
    data: fc.uint8Array({ maxLength: 40 }),
  });

  test('what is written is read, and is made canonical without a change of meaning', () => {
    fc.assert(
      fc.property(packetArbitrary, fc.constantFrom('legacy' as const, 'fourcc' as const), (packet, wanted) => {
        const form = packet.codec === 'hevc' ? 'fourcc' : wanted;
        const payload = encodeFlvVideo(packet, form);
        const header = readFlvVideoHeader(payload);
        expect(header).toMatchObject({ codec: packet.codec, kind: packet.kind, form });
        expect(payload.subarray(header.dataOffset)).toEqual(packet.data);
        if (packet.kind === 'frames') {
          expect(header).toMatchObject({
            isKeyframe: packet.isKeyframe,
            compositionTimeMs: packet.compositionTimeMs,
          });
        }
        const canonical = canonicalFlvVideo(payload);
        const { form: canonicalForm, dataOffset, ...meaning } = readFlvVideoHeader(canonical);
        expect(canonicalForm).toBe(packet.codec === 'avc' ? 'legacy' : 'fourcc');
        expect(canonical.subarray(dataOffset)).toEqual(packet.data);
        if (packet.kind !== 'end-of-sequence')
          expect(header).toMatchObject({ ...meaning, isKeyframe: header.isKeyframe });
        if (canonicalForm === form) expect(canonical).toBe(payload);
      }),
    );
  });

  test('HEVC under the unofficial codec id 12 becomes Enhanced RTMP', () => {
    expect(hex(canonicalFlvVideo(bytes('1c 01 00 00 28 aa')))).toBe('91 68 76 63 31 00 00 28 aa');
    expect(hex(canonicalFlvVideo(bytes('1c 00 00 00 00 aa')))).toBe('90 68 76 63 31 aa');
  });

  test('only frames have a composition time, whatever is written in the others', () => {
    expect(readFlvVideoHeader(bytes('17 00 00 20 01 01')).compositionTimeMs).toBe(0);
    expect(readFlvVideoHeader(bytes('17 01 00 20 01 01')).compositionTimeMs).toBe(0x20_01);
  });

  test.each([
    ['a composition time over 24 bits', frame({ compositionTimeMs: 0x80_00_00 }), undefined, 'flv.composition_time'],
    ['HEVC in the legacy form', frame({}), 'legacy', 'flv.form'],
  ] as const)('refuses to write %s', (_name, packet, form, code) => {
    expect(() => encodeFlvVideo(packet, form)).toThrow(expect.objectContaining({ code }));
  });
});

describe('what is not carried says why', () => {
  test.each([
    ['AVC', '17 01 00 00 00', null, 'frames'],
    ['HEVC', '91 68 76 63 31 00 00 00', null, 'frames'],
    ['AV1', '91 61 76 30 31', 'flv.video_codec', 'frames'],
    ['VP9', '90 76 70 30 39', 'flv.video_codec', 'sequence-header'],
    ['Sorenson H.263', '22 00', 'flv.video_codec', 'frames'],
    ['multitrack', '96 01 68 76 63 31 00', 'flv.multitrack', 'other'],
    ['a packet with modifiers', '97 02 00 00 01 01 68 76 63 31', 'flv.mod_ex', 'other'],
    ['HDR metadata', '94 68 76 63 31 02 00', null, 'other'],
    ['a seek command in the FourCC form', 'd1 00', null, 'other'],
    ['a seek command in the legacy form', '57 00', null, 'other'],
  ])('%s', (_name, payload, refusal, kind) => {
    const header = readFlvVideoHeader(bytes(payload));
    expect([refusalOfFlvVideo(header), header.kind]).toEqual([refusal, kind]);
  });

  test.each([
    ['AAC', 'af 01 00', null, 'frames'],
    ['AAC by FourCC', '90 6d 70 34 61 12 10', null, 'sequence-header'],
    ['Opus', '91 4f 70 75 73 00', 'flv.audio_codec', 'frames'],
    ['MP3', '2f 00', 'flv.audio_codec', 'frames'],
    ['FLAC', '90 66 4c 61 43', 'flv.audio_codec', 'sequence-header'],
    ['multitrack', '95 00 6d 70 34 61', 'flv.multitrack', 'other'],
    ['a packet with modifiers', '97 02 00 00 01 01', 'flv.mod_ex', 'other'],
    ['a description of channels', '94 6d 70 34 61 01 02', null, 'other'],
  ])('%s', (_name, payload, refusal, kind) => {
    const header = readFlvAudioHeader(bytes(payload));
    expect([refusalOfFlvAudio(header), header.kind]).toEqual([refusal, kind]);
  });
});

describe('audio payloads', () => {
  test('AAC by FourCC becomes legacy AAC; what is legacy stays the same array', () => {
    expect(hex(canonicalFlvAudio(bytes('90 6d 70 34 61 12 10')))).toBe('af 00 12 10');
    expect(hex(canonicalFlvAudio(bytes('91 6d 70 34 61 21 22')))).toBe('af 01 21 22');
    const legacy = encodeFlvAac('frames', Uint8Array.of(1));
    expect(canonicalFlvAudio(legacy)).toBe(legacy);
  });
});

test('hostile payloads end in headers or a FormatError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.boolean(), (input, hasFourCc) => {
      const payload = hasFourCc ? concatBytes([input.subarray(0, 1), bytes('68 76 63 31'), input.subarray(1)]) : input;
      for (const read of [readFlvVideoHeader, readFlvAudioHeader, canonicalFlvVideo, canonicalFlvAudio]) {
        try {
          read(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
