import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from './byte-order.ts';
import { FormatError } from './format-error.ts';
import { RTMP_READER_LIMITS, RtmpChunkReader, type RtmpReaderLimits } from './rtmp-chunk-reader.ts';
import { RtmpChunkWriter } from './rtmp-chunk-writer.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

const bytes = (hex: string) => Uint8Array.from(hex.split(/\s+/).filter(Boolean), (pair) => Number.parseInt(pair, 16));

function readAll(input: Uint8Array, cutBytes = input.length, limits?: RtmpReaderLimits): RtmpMessage[] {
  const reader = new RtmpChunkReader(limits);
  const messages: RtmpMessage[] = [];
  for (let from = 0; from < input.length; from += Math.max(1, cutBytes)) {
    reader.push(input.subarray(from, from + Math.max(1, cutBytes)), (message) => messages.push(message));
  }
  return messages;
}

const messageArbitrary: fc.Arbitrary<RtmpMessage> = fc.record({
  chunkStreamId: fc.oneof(fc.integer({ min: 3, max: 70 }), fc.constantFrom(63, 64, 319, 320, 65_599)),
  typeId: fc.constantFrom(8, 9, 18, 20),
  messageStreamId: fc.constantFrom(0, 1, 0x01_02_03_04),
  timestampMs: fc.oneof(
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 0xff_ff_f0, max: 0x1_00_00_10 }),
    fc.integer({ min: 0, max: 0xff_ff_ff_ff }),
  ),
  payload: fc.uint8Array({ maxLength: 700 }),
});

describe('RTMP chunks', () => {
  test('what the writer writes the reader reads, whatever the cuts and chunk sizes', () => {
    fc.assert(
      fc.property(
        fc.array(messageArbitrary, { maxLength: 30 }),
        fc.integer({ min: 1, max: 300 }),
        fc.option(fc.integer({ min: 1, max: 4096 }), { nil: undefined }),
        (messages, cutBytes, chunkSize) => {
          const writer = new RtmpChunkWriter();
          const parts = chunkSize === undefined ? [] : [writer.setChunkSize(chunkSize)];
          for (const message of messages) parts.push(writer.write(message));
          expect(readAll(concatBytes(parts), cutBytes)).toEqual(messages);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([0, -1, 0x1_00_00_00, Number.NaN])('a chunk size of %d is not written', (sizeBytes) => {
    expect(() => new RtmpChunkWriter().setChunkSize(sizeBytes)).toThrow(
      expect.objectContaining({ code: 'rtmp.chunk_size' }),
    );
  });

  test('form 3 starts the next message with the same delta', () => {
    const messages = readAll(
      bytes(`04 00 00 0a 00 00 02 08 01 00 00 00  aa bb
             84 00 00 05                           cc dd
             c4                                    ee ff
             c4                                    01 02`),
    );
    expect(messages.map((message) => message.timestampMs)).toEqual([10, 15, 20, 25]);
  });

  test('the extended timestamp is read again on every continuation chunk', () => {
    const payload = Array.from({ length: 130 }, (_, index) => (index % 250).toString(16)).map((hex) =>
      hex.padStart(2, '0'),
    );
    const [message] = readAll(
      bytes(`04 ff ff ff 00 00 82 09 01 00 00 00 01 00 00 00 ${payload.slice(0, 128).join(' ')}
             c4 01 00 00 00 ${payload.slice(128).join(' ')}`),
    );
    expect(message?.timestampMs).toBe(0x01_00_00_00);
    expect(message?.payload).toEqual(bytes(payload.join(' ')));
  });

  test('continuation chunks without the extended timestamp are understood too', () => {
    const payload = new Uint8Array(140).fill(7);
    const head = bytes('04 ff ff ff 00 00 8c 09 01 00 00 00 01 00 00 00');
    const input = concatBytes([head, payload.subarray(0, 128), bytes('c4'), payload.subarray(128)]);
    expect(readAll(input)[0]?.payload).toEqual(payload);
  });

  test('interleaved chunk streams are put together apart', () => {
    const video = new Uint8Array(200).fill(1);
    const input = concatBytes([
      bytes('06 00 00 00 00 00 c8 09 01 00 00 00'),
      video.subarray(0, 128),
      bytes('04 00 00 00 00 00 01 08 01 00 00 00 99'),
      bytes('c6'),
      video.subarray(128),
    ]);
    expect(readAll(input, 1).map((message) => [message.typeId, message.payload.length])).toEqual([
      [RtmpMessageType.audio, 1],
      [RtmpMessageType.video, 200],
    ]);
  });

  test('abort drops the unfinished message of its chunk stream', () => {
    const input = concatBytes([
      bytes('06 00 00 00 00 00 c8 09 01 00 00 00'),
      new Uint8Array(128),
      bytes('02 00 00 00 00 00 04 02 00 00 00 00 00 00 00 06'),
      bytes('06 00 00 00 00 00 01 09 01 00 00 00 55'),
    ]);
    expect(readAll(input).map((message) => message.payload)).toEqual([bytes('55')]);
  });

  const limits = { ...RTMP_READER_LIMITS, messageBytesMax: 1000, pendingBytesMax: 300, chunkStreamsMax: 2 };
  test.each([
    ['a message over the limit', '06 00 00 00 00 03 e9 09 01 00 00 00', 'rtmp.message_too_large'],
    ['a first chunk that inherits from nothing', 'c6', 'rtmp.chunk_without_header'],
    ['a chunk size of 0', '02 00 00 00 00 00 04 01 00 00 00 00 00 00 00 00', 'rtmp.chunk_size'],
    [
      'more chunk streams than allowed',
      '03 00 00 00 00 00 00 08 01 00 00 00 04 00 00 00 00 00 00 08 01 00 00 00 05 00 00 00 00 00 00 08 01 00 00 00',
      'rtmp.too_many_chunk_streams',
    ],
  ])('refuses %s', (_name, hex, code) => {
    expect(() => readAll(bytes(hex), 7, limits)).toThrow(expect.objectContaining({ code }));
  });

  test('unfinished messages are bounded over all chunk streams', () => {
    const piece = (id: number) =>
      concatBytes([Uint8Array.of(id, 0, 0, 0, 0, 3, 0xe8, 9, 1, 0, 0, 0), new Uint8Array(128)]);
    const reader = new RtmpChunkReader({ ...limits, chunkStreamsMax: 9 });
    const push = (input: Uint8Array) => reader.push(input, () => undefined);
    push(piece(4));
    push(piece(5));
    expect(reader.pendingBytes).toBe(256);
    expect(() => push(piece(6))).toThrow(expect.objectContaining({ code: 'rtmp.too_many_pending_bytes' }));
  });

  test('memory follows the bytes that came, not those that were announced', () => {
    const reader = new RtmpChunkReader();
    const before = process.memoryUsage().arrayBuffers;
    for (let id = 3; id < 3 + 60; id += 1) {
      const header = Uint8Array.of(id, 0, 0, 0, 0x80, 0, 0, 9, 1, 0, 0, 0); // "8 MB follow"
      reader.push(concatBytes([header, new Uint8Array(128)]), () => undefined);
    }
    expect(reader.pendingBytes).toBe(60 * 128);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('hostile bytes end in messages or a FormatError, and hold no more than the bound', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (pieces) => {
        const reader = new RtmpChunkReader(limits);
        try {
          for (const piece of pieces) reader.push(piece, () => undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
        expect(reader.pendingBytes).toBeLessThanOrEqual(limits.pendingBytesMax + 128 + 18);
      }),
      { numRuns: 1000 },
    );
  });
});
