import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAacConfig } from './aac-config.ts';
import { FormatError } from './format-error.ts';

const bytes = (hex: string) => Uint8Array.from(hex.split(' '), (pair) => Number.parseInt(pair, 16));

/** Text of bits → bytes; spaces separate the fields. */
function bits(text: string): Uint8Array {
  const joined = text.replaceAll(/\s/g, '');
  return Uint8Array.from({ length: Math.ceil(joined.length / 8) }, (_, index) =>
    Number.parseInt(joined.slice(index * 8, index * 8 + 8).padEnd(8, '0'), 2),
  );
}

const LC = { objectType: 2, frameSamples: 1024, hasSbr: false, hasPs: false, codec: 'mp4a.40.2' };

describe('AudioSpecificConfig', () => {
  test.each([
    [
      'AAC-LC, 44.1 kHz stereo',
      bytes('12 10'),
      { ...LC, sampleRateHz: 44_100, outputSampleRateHz: 44_100, channels: 2 },
    ],
    ['AAC-LC, 48 kHz 7.1', bytes('11 b8'), { ...LC, sampleRateHz: 48_000, outputSampleRateHz: 48_000, channels: 8 }],
    [
      'frames of 960 samples',
      bytes('12 14'),
      { ...LC, frameSamples: 960, sampleRateHz: 44_100, outputSampleRateHz: 44_100, channels: 2 },
    ],
    [
      'a sample rate that is not in the table',
      bits('00010 1111 000000001111101000000000 0010 000'),
      { ...LC, sampleRateHz: 64_000, outputSampleRateHz: 64_000, channels: 2 },
    ],
    [
      'HE-AAC, signalled first',
      bytes('2b 92 08 00'),
      {
        objectType: 2,
        frameSamples: 1024,
        hasSbr: true,
        hasPs: false,
        codec: 'mp4a.40.5',
        sampleRateHz: 22_050,
        outputSampleRateHz: 44_100,
        channels: 2,
      },
    ],
    [
      'HE-AAC v2, signalled first',
      bytes('eb 8a 08 00'),
      {
        objectType: 2,
        frameSamples: 1024,
        hasSbr: true,
        hasPs: true,
        codec: 'mp4a.40.29',
        sampleRateHz: 22_050,
        outputSampleRateHz: 44_100,
        channels: 1,
      },
    ],
    [
      'HE-AAC, signalled behind, for old decoders',
      bytes('13 90 56 e5 a0'),
      {
        objectType: 2,
        frameSamples: 1024,
        hasSbr: true,
        hasPs: false,
        codec: 'mp4a.40.5',
        sampleRateHz: 22_050,
        outputSampleRateHz: 44_100,
        channels: 2,
      },
    ],
    [
      'HE-AAC v2, signalled behind',
      bytes('13 08 56 e5 9d 48 80'),
      {
        objectType: 2,
        frameSamples: 1024,
        hasSbr: true,
        hasPs: true,
        codec: 'mp4a.40.29',
        sampleRateHz: 24_000,
        outputSampleRateHz: 48_000,
        channels: 1,
      },
    ],
    [
      'channels by a program config element: front pair and centre, back pair, low frequency',
      bits(`00010 0011 0000 000  0000 01 0011 0010 0000 0001 01 000 0000 0 0 0
            0 0000  1 0001  1 0010  0011  ${'0'.repeat(4)} 00000000`),
      { ...LC, sampleRateHz: 48_000, outputSampleRateHz: 48_000, channels: 6 },
    ],
    [
      'scalable: a core coder, and flags behind the general part, before the extension is looked for',
      bits('10100 0100 0010  1 1 00000000000001 1  000 000 0  01010110111 00101 1 0011'),
      {
        objectType: 20,
        frameSamples: 960,
        hasSbr: true,
        hasPs: false,
        codec: 'mp4a.40.5',
        sampleRateHz: 44_100,
        outputSampleRateHz: 48_000,
        channels: 2,
      },
    ],
    [
      'low delay',
      bits('10111 0100 0010 0 0 0 00'),
      {
        ...LC,
        objectType: 23,
        frameSamples: 512,
        codec: 'mp4a.40.23',
        sampleRateHz: 44_100,
        outputSampleRateHz: 44_100,
        channels: 2,
      },
    ],
  ])('%s', (_name, config, expected) => {
    expect(parseAacConfig(config)).toEqual(expected);
  });

  test.each([
    ['object type 0', bits('00000 0100 0010 000'), 'aac.config'],
    ['a reserved rate', bits('00010 1101 0010 000'), 'aac.config'],
    ['a rate of 0', bits(`00010 1111 ${'0'.repeat(24)} 0010 000`), 'aac.config'],
    ['a reserved channel configuration', bits('00010 0100 1001 000'), 'aac.config'],
    ['one byte', bytes('12'), 'bytes.truncated'],
    ['nothing', new Uint8Array(0), 'bytes.truncated'],
  ])('refuses %s', (_name, config, code) => {
    expect(() => parseAacConfig(config)).toThrow(expect.objectContaining({ code }));
  });

  test('hostile bytes end in a config with a frame duration, or a FormatError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (input) => {
        try {
          const { frameSamples, sampleRateHz } = parseAacConfig(input);
          expect(frameSamples / sampleRateHz).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
