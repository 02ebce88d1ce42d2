import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { iterateAvcNals, prefixAvcNal } from './avc-nal.ts';
import { concatBytes } from './byte-order.ts';
import { addEmulationPrevention, removeEmulationPrevention } from './emulation-prevention.ts';
import { FlvDemuxer } from './flv-demuxer.ts';
import { readFlvVideoHeader } from './flv-media-header.ts';
import { FormatError } from './format-error.ts';
import { NAL_UNITS_MAX, type NalLengthSize } from './nal-unit.ts';
import { insertUserDataSei, readUserDataSei } from './sei.ts';
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  encodeWallClockSei,
  INGEST_TIME_SEI_UUID,
} from './wall-clock-sei.ts';

const nal = (type: number, ...rest: number[]) => Uint8Array.of(type, ...rest);
const unit = (size: NalLengthSize, ...nals: Uint8Array[]) => concatBytes(nals.map((one) => prefixAvcNal(one, size)));
const types = (accessUnit: Uint8Array, size: NalLengthSize) =>
  [...iterateAvcNals(accessUnit, size)].map((one) => one.type);

function firstAccessUnits(name: string): Uint8Array[] {
  const units: Uint8Array[] = [];
  const demuxer = new FlvDemuxer({
    onTag: (tag) => {
      if (tag.typeId !== 9) return;
      const header = readFlvVideoHeader(tag.payload);
      if (header.kind === 'frames') units.push(tag.payload.subarray(header.dataOffset));
    },
  });
  demuxer.push(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
  return units;
}

describe('SEI', () => {
  test('emulation prevention is undone exactly and leaves no start code', () => {
    const zeros = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 255), { maxLength: 60 });
    fc.assert(
      fc.property(zeros, (input) => {
        const escaped = addEmulationPrevention(Uint8Array.from(input));
        expect([...escaped].join(' ')).not.toMatch(/\b0 0 [012]\b/);
        const unescaped = removeEmulationPrevention(escaped);
        expect([...unescaped]).toEqual(input);
      }),
      { numRuns: 500 },
    );
  });

  test('a NAL unit may not end in zeros', () => {
    expect([...addEmulationPrevention(Uint8Array.of(1, 0, 0))]).toEqual([1, 0, 0, 3]);
  });

  test('more NAL units than any picture has are refused', () => {
    const empty = new Uint8Array(NAL_UNITS_MAX + 1); // of length 0, with prefixes of one byte
    expect(() => [...iterateAvcNals(empty, 1)]).toThrow(expect.objectContaining({ code: 'avc.too_many_nals' }));
    expect([...iterateAvcNals(empty.subarray(1), 1)]).toEqual([]);
  });

  test('what is inserted is read, for every length size and wall clock', () => {
    const sizes = fc.constantFrom<NalLengthSize[]>(1, 2, 3, 4);
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (size, wallClockMs) => {
        const input = unit(size, nal(9, 0x10), nal(0x65, 1, 2, 3));
        const withSei = insertUserDataSei(input, size, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(wallClockMs));
        const payload = readUserDataSei(withSei, size, CAPTURE_TIME_SEI_UUID);
        expect(payload && decodeWallClockSei(payload)).toBe(wallClockMs);
        expect(readUserDataSei(withSei, size, INGEST_TIME_SEI_UUID)).toBeNull();
      }),
    );
  });

  test('it goes after delimiter, parameter sets and other SEI, before the first slice', () => {
    const input = unit(4, nal(9, 0x10), nal(0x67, 1), nal(0x68, 1), nal(6, 1, 1, 0, 0x80), nal(0x65, 9), nal(0x65, 8));
    const withSei = insertUserDataSei(input, 4, INGEST_TIME_SEI_UUID, encodeWallClockSei(1));
    expect(types(withSei, 4)).toEqual([9, 7, 8, 6, 6, 5, 5]);
  });

  test('both clocks travel together, and the last stamp of a kind counts', () => {
    let accessUnit = unit(4, nal(0x65, 9));
    for (const [uuid, ms] of [
      [CAPTURE_TIME_SEI_UUID, 5],
      [INGEST_TIME_SEI_UUID, 6],
      [INGEST_TIME_SEI_UUID, 7],
    ] as const) {
      accessUnit = insertUserDataSei(accessUnit, 4, uuid, encodeWallClockSei(ms));
    }
    const read = (uuid: Uint8Array) => decodeWallClockSei(readUserDataSei(accessUnit, 4, uuid) ?? new Uint8Array(0));
    expect([read(CAPTURE_TIME_SEI_UUID), read(INGEST_TIME_SEI_UUID)]).toEqual([5, 7]);
  });

  test('the pictures of a file by x264 are untouched by it', () => {
    for (const accessUnit of firstAccessUnits('avc-bframes-426x240.flv')) {
      const withSei = insertUserDataSei(accessUnit, 4, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(1_763_630_000_000));
      const slices = (input: Uint8Array) =>
        [...iterateAvcNals(input, 4)].filter((one) => one.type <= 5).map((one) => one.data);
      expect(slices(withSei)).toEqual(slices(accessUnit));
    }
  });

  test('payloads over 254 bytes use the extended size', () => {
    const payload = new Uint8Array(600).fill(1);
    const withSei = insertUserDataSei(unit(4, nal(0x65, 9)), 4, CAPTURE_TIME_SEI_UUID, payload);
    expect(readUserDataSei(withSei, 4, CAPTURE_TIME_SEI_UUID)).toEqual(payload);
  });

  test.each([
    ['too short', Uint8Array.of(0, 0, 1), null],
    ['out of range', new Uint8Array(8).fill(255), null],
    ['longer than now', Uint8Array.of(0, 0, 1, 0x9a, 0, 0, 0, 5, 99), 0x01_9a_00_00_00_05],
  ])('a clock payload that is %s', (_name, payload, expected) => {
    expect(decodeWallClockSei(payload)).toBe(expected);
  });

  test('hostile access units end in a value or a FormatError', () => {
    const hostile = fc.array(fc.constantFrom(0, 0, 1, 5, 6, 17, 24, 255), { maxLength: 80 });
    fc.assert(
      fc.property(hostile, fc.constantFrom<NalLengthSize[]>(1, 2, 4), (input, size) => {
        try {
          readUserDataSei(Uint8Array.from(input), size, CAPTURE_TIME_SEI_UUID);
          insertUserDataSei(Uint8Array.from(input), size, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(1));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
