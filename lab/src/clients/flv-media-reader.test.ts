import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FormatError } from '@showfloor/media-formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLightReader, createSampledReader, type FlvMedia, type FlvMediaReader } from './flv-media-reader.ts';

const CLIP = readFileSync(resolve(import.meta.dirname, '../../../packages/media-formats/fixtures/avc-aac-320x180.flv'));

function read(create: (onMedia: (media: FlvMedia) => void) => FlvMediaReader, pieceBytes: number): FlvMedia[] {
  const media: FlvMedia[] = [];
  const reader = create((one) => media.push(one));
  for (let offset = 0; offset < CLIP.length; offset += pieceBytes)
    reader.push(CLIP.subarray(offset, offset + pieceBytes));
  return media;
}

test('the light reader sees what the full demuxer sees, in any cut', () => {
  const full = read(createSampledReader, CLIP.length);
  expect(full.length).toBeGreaterThan(100);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (pieceBytes) => {
      expect(read(createLightReader, pieceBytes)).toEqual(full);
    }),
    { numRuns: 30 },
  );
});

test('what is not FLV ends the reader with a name', () => {
  for (const create of [createLightReader, createSampledReader]) {
    const reader = create(() => {});
    expect(() => reader.push(Buffer.from('<!doctype html><html></html>'))).toThrow(FormatError);
  }
});
