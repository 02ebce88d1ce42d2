import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AMF0_DEPTH_MAX,
  AMF0_ELEMENTS_MAX,
  Amf0EcmaArray,
  type Amf0Value,
  decodeAmf0,
  decodeAmf0All,
  encodeAmf0,
} from './amf0.ts';
import { FormatError } from './format-error.ts';
import { decodeRtmpCommand, encodeRtmpCommand } from './rtmp-command.ts';

const { value: valueArbitrary } = fc.letrec<{ value: Amf0Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.string(),
    fc.constant(null),
    fc.constant(undefined),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));

function nested(depth: number): Amf0Value {
  return depth === 1 ? 1 : [nested(depth - 1)];
}

describe('AMF0', () => {
  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(fc.array(valueArbitrary, { maxLength: 4 }), (values) => {
        const decoded = decodeAmf0All(encodeAmf0(...values));
        expect(JSON.stringify(decoded)).toBe(JSON.stringify(values));
        expect(decoded).toHaveLength(values.length);
      }),
    );
  });

  test('an ECMA array is read as an object, its count ignored', () => {
    const encoded = encodeAmf0(new Amf0EcmaArray({ width: 1280, encoder: 'x' }));
    encoded[4] = 77;
    expect({ ...(decodeAmf0(encoded).value as object) }).toEqual({ width: 1280, encoder: 'x' });
  });

  test('a property named __proto__ is only a property', () => {
    const value = decodeAmf0(encodeAmf0(JSON.parse('{"__proto__":{"isAdmin":true}}') as Amf0Value)).value;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });

  test('strings over 64 KB take the long form', () => {
    const text = 'é'.repeat(40_000);
    expect(decodeAmf0(encodeAmf0(text)).value).toBe(text);
  });

  test('nesting is bounded in both directions', () => {
    expect(decodeAmf0(encodeAmf0(nested(AMF0_DEPTH_MAX))).value).toEqual(nested(AMF0_DEPTH_MAX));
    expect(() => encodeAmf0(nested(AMF0_DEPTH_MAX + 1))).toThrow(FormatError);
    const hostile = new Uint8Array(5 * 40).map((_, index) => (index % 5 === 0 ? 0x0a : index % 5 === 4 ? 1 : 0));
    expect(() => decodeAmf0(hostile)).toThrow(expect.objectContaining({ code: 'amf0.too_deep' }));
  });

  test('the number of elements is bounded', () => {
    const hostile = new Uint8Array(AMF0_ELEMENTS_MAX + 10).fill(0x05); // nulls
    hostile.set([0x0a, 0xff, 0xff, 0xff, 0xff]);
    expect(() => decodeAmf0(hostile)).toThrow(expect.objectContaining({ code: 'amf0.too_many' }));
  });

  test('commands are read in the AMF0 form and in the AMF3 envelope', () => {
    const command = { name: 'publish', transactionId: 5, args: [null, 'demo', 'live'] };
    const message = encodeRtmpCommand(command, 1);
    const envelope = { ...message, typeId: 17, payload: Uint8Array.of(0, ...message.payload) };
    expect(decodeRtmpCommand(message)).toEqual(command);
    expect(decodeRtmpCommand(envelope)).toEqual(command);
  });

  test('hostile bytes end in values or a FormatError', () => {
    const markers = fc.integer({ min: 0, max: 0x12 });
    const hostile = fc.array(fc.oneof(markers, fc.integer({ min: 0, max: 255 })), { maxLength: 300 });
    fc.assert(
      fc.property(hostile, (input) => {
        try {
          decodeAmf0All(Uint8Array.from(input));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
