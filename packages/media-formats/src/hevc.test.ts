import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { HEVC_CONFIG_NALS_MAX, parseHevcConfig } from './hevc-config.ts';
import { HevcNalType } from './hevc-nal.ts';
import { hevcCodecString } from './hevc-profile.ts';
import { iterateNals, type NalLengthSize, prefixNal } from './nal-unit.ts';
import { insertUserDataSei, insertUserDataSeiAt, readUserDataSei } from './sei.ts';
import { CAPTURE_TIME_SEI_UUID, decodeWallClockSei, encodeWallClockSei } from './wall-clock-sei.ts';

/** The content of the first box of this type, wherever it is nested. */
function box(file: Uint8Array, type: string): Uint8Array {
  const at = Buffer.from(file).indexOf(type, 0, 'latin1') - 4;
  const length = new DataView(file.buffer, file.byteOffset).getUint32(at);
  return file.subarray(at + 8, at + length);
}

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const nal = (type: number, temporalId: number, ...rest: number[]) => Uint8Array.of(type << 1, temporalId + 1, ...rest);
const unit = (size: NalLengthSize, ...nals: Uint8Array[]) => concatBytes(nals.map((one) => prefixNal(one, size)));

describe('HEVC configuration', () => {
  test.each([
    [
      'hevc-bframes-426x240.mp4',
      { codec: 'hvc1.1.6.L60.90', widthPx: 426, heightPx: 240, frameRate: 30_000 / 1001, bits: 8, chroma: 1 },
    ],
    [
      'hevc-main10-322x178.mp4',
      { codec: 'hvc1.2.4.L60.90', widthPx: 322, heightPx: 178, frameRate: 25, bits: 10, chroma: 1 },
    ],
  ])('%s: it says what ffprobe says', (name, expected) => {
    const { codec, sps, nalLengthSize, vpsNals, spsNals, ppsNals, profile } = parseHevcConfig(
      box(fixture(name), 'hvcC'),
    );
    expect({
      codec,
      widthPx: sps.widthPx,
      heightPx: sps.heightPx,
      frameRate: sps.frameRate,
      bits: sps.bitDepthLuma,
      chroma: sps.chromaFormatIdc,
    }).toEqual(expected);
    expect([nalLengthSize, vpsNals.length, spsNals.length, ppsNals.length]).toEqual([4, 1, 1, 1]);
    expect(sps.profile).toEqual(profile);
  });

  const profile = {
    profileSpace: 0,
    tier: 'main',
    profileIdc: 1,
    compatibilityFlags: 0x60_00_00_00,
    constraintBytes: [0xb0, 0, 0, 0, 0, 0],
    levelIdc: 93,
  } as const;
  test.each([
    ['the example of the specification', profile, 'hvc1.1.6.L93.B0'],
    ['without constraints', { ...profile, constraintBytes: [0, 0, 0, 0, 0, 0] }, 'hvc1.1.6.L93'],
    ['zero bytes inside stay', { ...profile, constraintBytes: [0x90, 0, 8, 0, 0, 0] }, 'hvc1.1.6.L93.90.0.8'],
    ['a profile space and the high tier', { ...profile, profileSpace: 2, tier: 'high' as const }, 'hvc1.B1.6.H93.B0'],
  ])('codec string: %s', (_name, input, expected) => {
    expect(hevcCodecString(input)).toBe(expected);
  });

  const config = box(fixture('hevc-bframes-426x240.mp4'), 'hvcC');
  test.each([
    ['an unknown version', (copy: Uint8Array) => copy.fill(7, 0, 1), 'hevc.config_version'],
    ['no parameter sets', (copy: Uint8Array) => copy.fill(0, 22, 23), 'hevc.config_without_sps'],
    ['a record cut short', (copy: Uint8Array) => copy.subarray(0, 60), 'bytes.truncated'],
    [
      'more parameter sets than there can be',
      (copy: Uint8Array) => concatBytes([copy.subarray(0, 23), Uint8Array.of(32, 0xff, 0xff), new Uint8Array(2_000)]),
      'hevc.too_many_parameter_sets',
    ],
  ])('refuses %s', (_name, change, code) => {
    expect(() => parseHevcConfig(change(config.slice()))).toThrow(expect.objectContaining({ code }));
    expect(HEVC_CONFIG_NALS_MAX).toBe(256);
  });

  test('hostile records end in a config or a FormatError', () => {
    const changes = fc.array(fc.tuple(fc.nat(config.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, fc.nat(config.length), (list, lengthBytes) => {
        const copy = config.slice();
        for (const [offset, value] of list) copy[offset] = value;
        for (const input of [copy, copy.subarray(0, lengthBytes)]) {
          try {
            parseHevcConfig(input);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('SEI in HEVC', () => {
  const stamp = (accessUnit: Uint8Array, size: NalLengthSize, ms: number) =>
    insertUserDataSei(accessUnit, size, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(ms), 'hevc');
  const read = (accessUnit: Uint8Array, size: NalLengthSize) => {
    const payload = readUserDataSei(accessUnit, size, CAPTURE_TIME_SEI_UUID, 'hevc');
    return payload && decodeWallClockSei(payload);
  };

  test('it goes behind delimiter, parameter sets and other SEI, before the first slice, and is read again', () => {
    const { accessUnitDelimiter, vps, sps, pps, prefixSei, suffixSei, idrWithRadl } = HevcNalType;
    const before = [accessUnitDelimiter, vps, sps, pps, prefixSei].map((type) => nal(type, 0, 1));
    const input = unit(4, ...before, nal(idrWithRadl, 0, 9), nal(suffixSei, 0, 1));
    const stamped = stamp(input, 4, 77);
    const types = [...iterateNals(stamped, 4, 'hevc')].map((one) => one.type);
    expect(types).toEqual([35, 32, 33, 34, 39, 39, 19, 40]);
    expect(read(stamped, 4)).toBe(77);
    expect(readUserDataSei(stamped, 4, CAPTURE_TIME_SEI_UUID, 'avc')).toBeNull();
  });

  test('it takes the temporal id of its picture', () => {
    const stamped = stamp(unit(4, nal(1, 2, 9)), 4, 1);
    const headers = [...iterateNals(stamped, 4, 'hevc')].map((one) => [...one.data.subarray(0, 2)]);
    expect(headers).toEqual([
      [39 << 1, 3],
      [1 << 1, 3],
    ]);
  });

  test('what is inserted is read, for every length size and clock; the rest is untouched', () => {
    const sizes = fc.constantFrom<NalLengthSize[]>(1, 2, 3, 4);
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (size, ms) => {
        const picture = nal(HevcNalType.idrNoLeading, 0, 0, 0, 1, 2);
        const stamped = stamp(unit(size, picture), size, ms);
        expect(read(stamped, size)).toBe(ms);
        expect([...iterateNals(stamped, size, 'hevc')].at(-1)?.data).toEqual(picture);
      }),
    );
  });

  test('in a payload with its header it is the same, in one copy', () => {
    const accessUnit = unit(4, nal(HevcNalType.idrWithRadl, 0, 9));
    const header = Uint8Array.of(0x91, 0x68, 0x76, 0x63, 0x31, 0, 0, 0);
    const clock = encodeWallClockSei(5);
    const whole = concatBytes([header, accessUnit]);
    expect(insertUserDataSeiAt(whole, 8, 4, CAPTURE_TIME_SEI_UUID, clock, 'hevc')).toEqual(
      concatBytes([header, stamp(accessUnit, 4, 5)]),
    );
  });

  test('the slices of a file by x265 are untouched by it', () => {
    const samples = box(fixture('hevc-bframes-426x240.mp4'), 'mdat');
    const slices = (input: Uint8Array) =>
      [...iterateNals(input, 4, 'hevc')].filter((one) => one.type < 32).map((one) => one.data);
    expect(slices(samples)).toHaveLength(30);
    expect(slices(stamp(samples, 4, 1_763_630_000_000))).toEqual(slices(samples));
  });
});
