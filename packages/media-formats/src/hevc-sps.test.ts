import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from './byte-order.ts';
import { addEmulationPrevention } from './emulation-prevention.ts';
import { parseHevcConfig } from './hevc-config.ts';
import { parseHevcSps } from './hevc-sps.ts';

/** Writes bits, the other way round than `BitReader`. */
class BitWriter {
  readonly #bits: number[] = [];

  u(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit -= 1) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  ue(value: number): this {
    const width = Math.floor(Math.log2(value + 1));
    return this.u(width, 0).u(width + 1, value + 1);
  }

  bytes(): Uint8Array {
    const bits = [...this.#bits, 1]; // rbsp_stop_one_bit
    return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, index) =>
      Number.parseInt(
        bits
          .slice(index * 8, index * 8 + 8)
          .join('')
          .padEnd(8, '0'),
        2,
      ),
    );
  }
}

/** What differs between parameter sets; everything else is written with fixed values. */
type Shape = {
  /** One per sub-layer below the highest: does it state profile and level? */
  subLayers: { hasProfile: boolean; hasLevel: boolean }[];
  chromaFormatIdc: number;
  isSeparate: boolean;
  widthPx: number;
  heightPx: number;
  window: [number, number, number, number] | null;
  bitDepth: number;
  orderingPerLayer: boolean;
  scalingLists: 'none' | 'default' | 'predicted' | 'explicit';
  hasPcm: boolean;
  /** Explicit sets give their number of pictures; predicted ones what is said of each picture of the set before. */
  sets: ({ before: number; after: number } | 'predicted')[];
  longTerm: number | null;
  vui: { hasAspect: boolean; hasColour: boolean; hasWindow: boolean; frameRate: number | null } | null;
};

function encodeSps(shape: Shape): Uint8Array {
  const bits = new BitWriter();
  const layers = shape.subLayers.length;
  bits.u(4, 0).u(3, layers).u(1, 1);
  bits.u(2, 0).u(1, 0).u(5, 1).u(32, 0x60_00_00_00).u(8, 0xb0).u(32, 0).u(8, 0).u(8, 93);
  for (const { hasProfile, hasLevel } of shape.subLayers) bits.u(1, Number(hasProfile)).u(1, Number(hasLevel));
  if (layers > 0) bits.u(2 * (8 - layers), 0);
  for (const { hasProfile, hasLevel } of shape.subLayers) {
    if (hasProfile) bits.u(32, 0xff_ff_ff_ff).u(32, 0xff_ff_ff_ff).u(24, 0xff_ff_ff);
    if (hasLevel) bits.u(8, 90);
  }
  bits.ue(0).ue(shape.chromaFormatIdc);
  if (shape.chromaFormatIdc === 3) bits.u(1, Number(shape.isSeparate));
  bits
    .ue(shape.widthPx)
    .ue(shape.heightPx)
    .u(1, Number(shape.window !== null));
  for (const offset of shape.window ?? []) bits.ue(offset);
  bits
    .ue(shape.bitDepth - 8)
    .ue(shape.bitDepth - 8)
    .ue(4); // POC in 8 bits
  bits.u(1, Number(shape.orderingPerLayer));
  for (let layer = shape.orderingPerLayer ? 0 : layers; layer <= layers; layer += 1) bits.ue(4).ue(2).ue(0);
  bits.ue(0).ue(3).ue(0).ue(3).ue(1).ue(1);
  writeScalingLists(bits, shape.scalingLists);
  bits.u(2, 3).u(1, Number(shape.hasPcm));
  if (shape.hasPcm) bits.u(8, 0x77).ue(0).ue(2).u(1, 1);
  writeSets(bits, shape.sets);
  bits.u(1, Number(shape.longTerm !== null));
  if (shape.longTerm !== null) {
    bits.ue(shape.longTerm);
    for (let index = 0; index < shape.longTerm; index += 1) bits.u(8, 0xaa).u(1, 1);
  }
  bits.u(2, 3).u(1, Number(shape.vui !== null));
  if (shape.vui !== null) writeVui(bits, shape.vui);
  return concatBytes([Uint8Array.of(0x42, 1), addEmulationPrevention(bits.bytes())]);
}

function writeScalingLists(bits: BitWriter, lists: Shape['scalingLists']): void {
  bits.u(1, Number(lists !== 'none'));
  if (lists === 'none') return;
  bits.u(1, Number(lists !== 'default'));
  if (lists === 'default') return;
  for (const [sizeId, matrices] of [6, 6, 6, 2].entries()) {
    for (let matrix = 0; matrix < matrices; matrix += 1) {
      bits.u(1, Number(lists === 'explicit'));
      if (lists === 'predicted') bits.ue(matrix === 0 ? 0 : 1);
      else for (let left = (sizeId === 0 ? 16 : 64) + (sizeId > 1 ? 1 : 0); left > 0; left -= 1) bits.ue(3);
    }
  }
}

function writeSets(bits: BitWriter, sets: Shape['sets']): void {
  bits.ue(sets.length);
  let pictures = 0;
  for (const [index, set] of sets.entries()) {
    if (set === 'predicted' && index > 0) {
      bits.u(1, 1).u(1, 1).ue(0);
      let kept = 0;
      for (let picture = 0; picture <= pictures; picture += 1) {
        // In turn: used by the current picture; kept for later ones; dropped.
        if (picture % 3 === 0) bits.u(1, 1);
        else bits.u(1, 0).u(1, picture % 3 === 1 ? 1 : 0);
        kept += picture % 3 === 2 ? 0 : 1;
      }
      pictures = kept;
      continue;
    }
    const { before, after } = set === 'predicted' ? { before: 1, after: 0 } : set;
    if (index > 0) bits.u(1, 0);
    bits.ue(before).ue(after);
    for (let picture = 0; picture < before + after; picture += 1) bits.ue(picture).u(1, picture % 2);
    pictures = before + after;
  }
}

function writeVui(bits: BitWriter, vui: NonNullable<Shape['vui']>): void {
  bits.u(1, Number(vui.hasAspect));
  if (vui.hasAspect) bits.u(8, 255).u(16, 4).u(16, 3);
  bits.u(1, 1).u(1, 0); // overscan
  bits.u(1, 1).u(4, 5).u(1, Number(vui.hasColour));
  if (vui.hasColour) bits.u(24, 0x01_01_01);
  bits.u(1, 1).ue(2).ue(2).u(3, 0).u(1, Number(vui.hasWindow));
  if (vui.hasWindow) bits.ue(0).ue(1).ue(0).ue(1);
  bits.u(1, Number(vui.frameRate !== null));
  if (vui.frameRate !== null)
    bits
      .u(32, 1_001)
      .u(32, vui.frameRate * 1_001)
      .u(1, 0);
  bits.u(2, 0);
}

const shapeArbitrary: fc.Arbitrary<Shape> = fc.record({
  subLayers: fc.array(fc.record({ hasProfile: fc.boolean(), hasLevel: fc.boolean() }), { maxLength: 6 }),
  chromaFormatIdc: fc.integer({ min: 0, max: 3 }),
  isSeparate: fc.boolean(),
  widthPx: fc.integer({ min: 64, max: 8_192 }),
  heightPx: fc.integer({ min: 64, max: 8_192 }),
  window: fc.option(fc.tuple(fc.nat(7), fc.nat(7), fc.nat(7), fc.nat(7)), { nil: null }),
  bitDepth: fc.integer({ min: 8, max: 16 }),
  orderingPerLayer: fc.boolean(),
  scalingLists: fc.constantFrom('none' as const, 'default' as const, 'predicted' as const, 'explicit' as const),
  hasPcm: fc.boolean(),
  sets: fc.array(fc.oneof(fc.record({ before: fc.nat(5), after: fc.nat(5) }), fc.constant('predicted' as const)), {
    maxLength: 8,
  }),
  longTerm: fc.option(fc.nat(5), { nil: null }),
  vui: fc.option(
    fc.record({
      hasAspect: fc.boolean(),
      hasColour: fc.boolean(),
      hasWindow: fc.boolean(),
      frameRate: fc.option(fc.constantFrom(25, 30, 60), { nil: null }),
    }),
    { nil: null },
  ),
});

const PLAIN: Shape = {
  subLayers: [],
  chromaFormatIdc: 1,
  isSeparate: false,
  widthPx: 1_920,
  heightPx: 1_088,
  window: [0, 0, 0, 4],
  bitDepth: 8,
  orderingPerLayer: true,
  scalingLists: 'none',
  hasPcm: false,
  sets: [],
  longTerm: null,
  vui: null,
};

describe('HEVC parameter sets', () => {
  test('are read whatever stands before what we want', () => {
    fc.assert(
      fc.property(shapeArbitrary, (shape) => {
        const sps = parseHevcSps(encodeSps(shape));
        const isSubsampled = shape.chromaFormatIdc === 1 || shape.chromaFormatIdc === 2;
        const [left, right, top, bottom] = shape.window ?? [0, 0, 0, 0];
        expect(sps).toMatchObject({
          widthPx: shape.widthPx - (isSubsampled ? 2 : 1) * (left + right),
          heightPx: shape.heightPx - (shape.chromaFormatIdc === 1 ? 2 : 1) * (top + bottom),
          bitDepthLuma: shape.bitDepth,
          chromaFormatIdc: shape.chromaFormatIdc,
          frameRate: shape.vui?.frameRate ?? null,
        });
        expect(sps.profile).toMatchObject({ profileIdc: 1, levelIdc: 93, tier: 'main' });
      }),
      { numRuns: 500 },
    );
  });

  test('1080 lines are 1088 coded ones in the conformance window', () => {
    expect(parseHevcSps(encodeSps(PLAIN))).toMatchObject({ widthPx: 1_920, heightPx: 1_080, frameRate: null });
  });

  test.each<[string, Partial<Shape>, string]>([
    ['a chroma format of 4', { chromaFormatIdc: 4 }, 'hevc.chroma_format'],
    ['a bit depth of 17', { bitDepth: 17 }, 'hevc.bit_depth'],
    ['a picture of 70,000 px', { widthPx: 70_000 }, 'hevc.picture_size'],
    ['a window larger than the picture', { window: [0, 1_000, 0, 0] }, 'hevc.picture_size'],
    ['sets of too many pictures', { sets: [{ before: 9, after: 9 }] }, 'hevc.reference_pictures'],
    ['too many sets', { sets: Array.from({ length: 65 }, () => ({ before: 0, after: 0 })) }, 'hevc.short_term_sets'],
    ['too many long-term pictures', { longTerm: 33 }, 'hevc.long_term_pictures'],
  ])('refuses %s', (_name, changes, code) => {
    expect(() => parseHevcSps(encodeSps({ ...PLAIN, ...changes }))).toThrow(expect.objectContaining({ code }));
  });

  test('without timing the frame rate is the average that the record states', () => {
    const sps = encodeSps(PLAIN);
    const record = new Uint8Array(23);
    record.set([1, 1]);
    record.set([(25 * 256) >> 8, 0, 0x0f, 1], 19);
    const config = parseHevcConfig(concatBytes([record, Uint8Array.of(33, 0, 1, 0, sps.length), sps]));
    expect(config.sps.frameRate).toBe(25);
    expect(config.nalLengthSize).toBe(4);
  });
});
