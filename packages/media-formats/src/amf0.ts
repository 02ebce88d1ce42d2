/** AMF0 values ⇄ bytes, bounded in depth and count. Spec: Adobe AMF 0 (2007). */
import { concatBytes, readUint8, readUint16, readUint32, writeUint32 } from './byte-order.ts';
import { FormatError } from './format-error.ts';

/** Deepest nesting that is read or written. */
export const AMF0_DEPTH_MAX = 16;
/** Most properties and elements that one decoding accepts, over all levels. */
export const AMF0_ELEMENTS_MAX = 8192;

/** An AMF0 object or ECMA array; decoded ones have no prototype, so a peer cannot reach `__proto__`. */
export type Amf0Object = { readonly [name: string]: Amf0Value };
/** A decoded value. AMF0 references and "unsupported" become undefined. */
export type Amf0Value =
  | number
  | boolean
  | string
  | null
  | undefined
  | Date
  | Amf0EcmaArray
  | Amf0Object
  | readonly Amf0Value[];

/** Marks an object to be written as an ECMA array, the form that `onMetaData` uses. Decoding gives plain objects. */
export class Amf0EcmaArray {
  readonly entries: Amf0Object;
  constructor(entries: Amf0Object) {
    this.entries = entries;
  }
}

const Marker = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  reference: 0x07,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xml: 0x0f,
  typedObject: 0x10,
  amf3Value: 0x11,
} as const;

const utf8 = new TextDecoder();
const utf8Encoder = new TextEncoder();

class Reader {
  readonly #bytes: Uint8Array;
  #offset: number;
  #elements = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  value(depth: number): Amf0Value {
    if (depth > AMF0_DEPTH_MAX) throw new FormatError('amf0.too_deep', { depthMax: AMF0_DEPTH_MAX });
    const marker = this.uint8();
    const read = READERS.get(marker);
    if (read === undefined) throw new FormatError('amf0.marker', { marker, offset: this.#offset - 1 });
    return read(this, depth);
  }

  uint8(): number {
    const value = readUint8(this.#bytes, this.#offset);
    this.#offset += 1;
    return value;
  }

  uint32(): number {
    const value = readUint32(this.#bytes, this.#offset);
    this.#offset += 4;
    return value;
  }

  float64(): number {
    const { buffer, byteOffset } = this.#take(8);
    return new DataView(buffer, byteOffset, 8).getFloat64(0);
  }

  string(): string {
    const lengthBytes = readUint16(this.#bytes, this.#offset);
    this.#offset += 2;
    return utf8.decode(this.#take(lengthBytes));
  }

  longString(): string {
    return utf8.decode(this.#take(this.uint32()));
  }

  object(depth: number): Amf0Object {
    const object: Record<string, Amf0Value> = Object.create(null) as Record<string, Amf0Value>;
    for (;;) {
      const name = this.string();
      if (name === '' && this.#bytes[this.#offset] === Marker.objectEnd) {
        this.#offset += 1;
        return object;
      }
      this.countElement();
      object[name] = this.value(depth + 1);
    }
  }

  strictArray(depth: number): Amf0Value[] {
    const count = this.uint32();
    const values: Amf0Value[] = [];
    while (values.length < count) {
      this.countElement();
      values.push(this.value(depth + 1));
    }
    return values;
  }

  countElement(): void {
    this.#elements += 1;
    if (this.#elements > AMF0_ELEMENTS_MAX) throw new FormatError('amf0.too_many', { elementsMax: AMF0_ELEMENTS_MAX });
  }

  skip(lengthBytes: number): void {
    this.#take(lengthBytes);
  }

  #take(lengthBytes: number): Uint8Array {
    const end = this.#offset + lengthBytes;
    if (end > this.#bytes.length) {
      throw new FormatError('bytes.truncated', { offset: this.#offset, lengthBytes: this.#bytes.length });
    }
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}

const READERS = new Map<number, (reader: Reader, depth: number) => Amf0Value>([
  [Marker.number, (reader) => reader.float64()],
  [Marker.boolean, (reader) => reader.uint8() !== 0],
  [Marker.string, (reader) => reader.string()],
  [Marker.object, (reader, depth) => reader.object(depth)],
  [Marker.null, () => null],
  [Marker.undefined, () => undefined],
  [Marker.unsupported, () => undefined],
  [Marker.reference, (reader) => readReference(reader)],
  // The count of an ECMA array is a hint that encoders get wrong; the end marker decides.
  [Marker.ecmaArray, (reader, depth) => readEcmaArray(reader, depth)],
  [Marker.strictArray, (reader, depth) => reader.strictArray(depth)],
  [Marker.date, (reader) => readDate(reader)],
  [Marker.longString, (reader) => reader.longString()],
  [Marker.xml, (reader) => reader.longString()],
  [Marker.typedObject, (reader, depth) => readTypedObject(reader, depth)],
  [Marker.amf3Value, (reader) => refuseAmf3(reader)],
]);

function readReference(reader: Reader): undefined {
  reader.skip(2); // an index into earlier objects: no encoder sends it
  return undefined;
}

function readEcmaArray(reader: Reader, depth: number): Amf0Object {
  reader.skip(4);
  return reader.object(depth);
}

function readTypedObject(reader: Reader, depth: number): Amf0Object {
  reader.string(); // class name: nothing here has classes
  return reader.object(depth);
}

function refuseAmf3(reader: Reader): never {
  throw new FormatError('amf0.amf3_value', { offset: reader.offset - 1 }); // we announce objectEncoding 0: nobody need send it
}

function readDate(reader: Reader): Date {
  const date = new Date(reader.float64());
  reader.skip(2); // time zone: reserved, "should be 0"
  return date;
}

/** Decodes one value at `offset`; `nextOffset` is where the following one begins. Throws FormatError. */
export function decodeAmf0(bytes: Uint8Array, offset = 0): { value: Amf0Value; nextOffset: number } {
  const reader = new Reader(bytes, offset);
  const value = reader.value(1);
  return { value, nextOffset: reader.offset };
}

/** Decodes all values from `offset` to the end. Throws FormatError. */
export function decodeAmf0All(bytes: Uint8Array, offset = 0): Amf0Value[] {
  const values: Amf0Value[] = [];
  const reader = new Reader(bytes, offset);
  while (reader.offset < bytes.length) {
    reader.countElement();
    values.push(reader.value(1));
  }
  return values;
}

/** Encodes values one after the other. Throws FormatError over {@link AMF0_DEPTH_MAX} levels. */
export function encodeAmf0(...values: readonly Amf0Value[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const value of values) encodeValue(parts, value, 1);
  return concatBytes(parts);
}

function encodeValue(parts: Uint8Array[], value: Amf0Value, depth: number): void {
  if (depth > AMF0_DEPTH_MAX) throw new FormatError('amf0.too_deep', { depthMax: AMF0_DEPTH_MAX });
  if (value === null) parts.push(Uint8Array.of(Marker.null));
  else if (value === undefined) parts.push(Uint8Array.of(Marker.undefined));
  else if (typeof value === 'number') parts.push(float64(Marker.number, value, 0));
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(Marker.boolean, value ? 1 : 0));
  else if (typeof value === 'string') encodeString(parts, value);
  else if (value instanceof Date) parts.push(float64(Marker.date, value.getTime(), 2));
  else encodeComposite(parts, value, depth);
}

function encodeComposite(
  parts: Uint8Array[],
  value: Amf0EcmaArray | Amf0Object | readonly Amf0Value[],
  depth: number,
): void {
  if (isArray(value)) {
    parts.push(Uint8Array.of(Marker.strictArray), uint32(value.length));
    for (const element of value) encodeValue(parts, element, depth + 1);
    return;
  }
  const isEcma = value instanceof Amf0EcmaArray;
  const entries = Object.entries(isEcma ? value.entries : value);
  parts.push(Uint8Array.of(isEcma ? Marker.ecmaArray : Marker.object));
  if (isEcma) parts.push(uint32(entries.length));
  for (const [name, property] of entries) {
    encodeName(parts, name);
    encodeValue(parts, property, depth + 1);
  }
  parts.push(Uint8Array.of(0, 0, Marker.objectEnd));
}

function isArray(value: Amf0EcmaArray | Amf0Object | readonly Amf0Value[]): value is readonly Amf0Value[] {
  return Array.isArray(value);
}

function encodeString(parts: Uint8Array[], text: string): void {
  const bytes = utf8Encoder.encode(text);
  if (bytes.length <= 0xff_ff) parts.push(Uint8Array.of(Marker.string, bytes.length >> 8, bytes.length & 0xff), bytes);
  else parts.push(Uint8Array.of(Marker.longString), uint32(bytes.length), bytes);
}

function encodeName(parts: Uint8Array[], name: string): void {
  const bytes = utf8Encoder.encode(name);
  // An empty name reads as the end of the object, a longer one has no form.
  if (bytes.length === 0 || bytes.length > 0xff_ff) throw new FormatError('amf0.name', { lengthBytes: bytes.length });
  parts.push(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

function float64(marker: number, value: number, trailingBytes: number): Uint8Array {
  const bytes = new Uint8Array(9 + trailingBytes);
  bytes[0] = marker;
  new DataView(bytes.buffer).setFloat64(1, value);
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}
