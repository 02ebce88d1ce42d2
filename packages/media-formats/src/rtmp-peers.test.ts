import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, writeUint24, writeUint32 } from './byte-order.ts';
import { encodeFlvTag, type FlvTagTypeId } from './flv-tag.ts';
import { RTMP_AGGREGATE_MESSAGES_MAX, splitRtmpAggregate } from './rtmp-aggregate.ts';
import { RtmpChunkReader } from './rtmp-chunk-reader.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

/** What other encoders do with the extended timestamp of a continuation chunk. */
type Habit = 'repeats it' | 'leaves it out' | 'repeats the absolute time';

const EXTENDED = 0xff_ff_ff;

/** An encoder with a habit: chunks of 128 bytes, form 0 for the first message and form 1 for the others. */
function encodeAs(habit: Habit, messages: readonly RtmpMessage[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let previousMs = 0;
  for (const [index, message] of messages.entries()) {
    const field = index === 0 ? message.timestampMs : message.timestampMs - previousMs;
    previousMs = message.timestampMs;
    const header = new Uint8Array(index === 0 ? 12 : 8);
    header[0] = (index === 0 ? 0 : 0x40) | message.chunkStreamId;
    writeUint24(header, 1, Math.min(field, EXTENDED));
    writeUint24(header, 4, message.payload.length);
    header[7] = message.typeId;
    if (index === 0) header[8] = message.messageStreamId;
    const extended = (value: number) => {
      const bytes = new Uint8Array(4);
      writeUint32(bytes, 0, value);
      return field >= EXTENDED ? bytes : new Uint8Array(0);
    };
    parts.push(header, extended(field), message.payload.subarray(0, 128));
    for (let from = 128; from < message.payload.length; from += 128) {
      parts.push(Uint8Array.of(0xc0 | message.chunkStreamId));
      if (habit !== 'leaves it out') parts.push(extended(habit === 'repeats it' ? field : message.timestampMs));
      parts.push(message.payload.subarray(from, from + 128));
    }
  }
  return concatBytes(parts);
}

function readAll(input: Uint8Array, cutBytes: number): RtmpMessage[] {
  const reader = new RtmpChunkReader();
  const messages: RtmpMessage[] = [];
  for (let from = 0; from < input.length; from += cutBytes) {
    reader.push(input.subarray(from, from + cutBytes), (message) => messages.push(message));
  }
  return messages;
}

const START_MS = 0x01_00_00_10; // 4.7 hours into a show: the first timestamp that does not fit

describe('extended timestamps as encoders write them', () => {
  test.each<Habit>(['repeats it', 'leaves it out', 'repeats the absolute time'])('an encoder that %s', (habit) => {
    const gaps = fc.array(fc.tuple(fc.constantFrom(0, 33, EXTENDED, EXTENDED + 5), fc.integer({ min: 1, max: 400 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 300 }), (shapes, cutBytes) => {
        let timestampMs = START_MS;
        const messages = shapes.map(([gapMs, lengthBytes]): RtmpMessage => {
          timestampMs += gapMs;
          // Payload bytes from 128 on, so that none of them can look like one of these timestamps.
          const payload = new Uint8Array(lengthBytes).map((_, index) => 0x80 | (index * 7));
          return { chunkStreamId: 6, typeId: RtmpMessageType.video, messageStreamId: 1, timestampMs, payload };
        });
        // A last message without content, because the four bytes that decide may belong to what follows.
        const last = { ...(messages.at(-1) as RtmpMessage), payload: new Uint8Array(4).fill(0xff) };
        expect(readAll(encodeAs(habit, [...messages, last]), cutBytes)).toEqual([...messages, last]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('aggregate messages (built by the specification: no encoder at hand sends them)', () => {
  const aggregate = (payload: Uint8Array, timestampMs = 5_000): RtmpMessage => ({
    chunkStreamId: 5,
    typeId: RtmpMessageType.aggregate,
    messageStreamId: 1,
    timestampMs,
    payload,
  });
  const tag = (typeId: number, timestampMs: number, ...payload: number[]) =>
    encodeFlvTag({ typeId: typeId as FlvTagTypeId, timestampMs, payload: Uint8Array.from(payload) });

  test('are handed on as the messages in them, with their times', () => {
    const payload = concatBytes([tag(9, 1_000, 0x17, 1), tag(8, 1_010, 0xaf), tag(18, 1_010), tag(9, 1_040, 0x27)]);
    const header = Uint8Array.of(5, 0, 0x13, 0x88, 0, 0, payload.length, 22, 1, 0, 0, 0);
    const messages = readAll(concatBytes([header, payload]), 7);
    expect(messages.map(({ typeId, timestampMs, payload: one }) => [typeId, timestampMs, ...one])).toEqual([
      [9, 5_000, 0x17, 1],
      [8, 5_010, 0xaf],
      [18, 5_010],
      [9, 5_040, 0x27],
    ]);
    expect(messages.every((message) => message.messageStreamId === 1 && message.chunkStreamId === 5)).toBe(true);
  });

  test('whatever is put in comes out, in order', () => {
    const parts = fc.array(
      fc.record({
        typeId: fc.constantFrom(8, 9, 15, 18),
        afterMs: fc.integer({ min: 0, max: 100 }),
        payload: fc.uint8Array({ maxLength: 60 }),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(
        parts,
        fc.integer({ min: 0, max: 0xff_ff_ff_ff }),
        fc.integer({ min: 0, max: 0xff_ff_ff_ff }),
        (list, atMs, insideMs) => {
          let sumMs = 0;
          const wanted = list.map(({ typeId, afterMs, payload }, index) => {
            sumMs += index === 0 ? 0 : afterMs;
            return { typeId, payload, sumMs };
          });
          const bytes = concatBytes(wanted.map((one) => tag(one.typeId, (insideMs + one.sumMs) >>> 0, ...one.payload)));
          const read = splitRtmpAggregate(aggregate(bytes, atMs));
          expect(read.map(({ typeId, timestampMs, payload }) => ({ typeId, timestampMs, payload }))).toEqual(
            wanted.map(({ typeId, payload, sumMs: after }) => ({ typeId, payload, timestampMs: (atMs + after) >>> 0 })),
          );
        },
      ),
    );
  });

  test('times wrap at 32 bits, inside and outside', () => {
    const payload = concatBytes([tag(8, 0xff_ff_ff_f0, 1), tag(8, 0x10, 2)]);
    const times = splitRtmpAggregate(aggregate(payload, 0xff_ff_ff_ff)).map((message) => message.timestampMs);
    expect(times).toEqual([0xff_ff_ff_ff, 0x1f]);
  });

  test.each([
    ['an aggregate in an aggregate', tag(22, 0, 1), 'rtmp.aggregate_type'],
    ['a command in an aggregate', tag(20, 0, 1), 'rtmp.aggregate_type'],
    ['a message that is longer than the rest', tag(8, 0, 1, 2, 3).subarray(0, 13), 'rtmp.aggregate_length'],
    ['half a header', tag(8, 0, 1, 2, 3).subarray(0, 5), 'rtmp.aggregate_length'],
    [
      'more messages than the limit',
      concatBytes(Array.from({ length: RTMP_AGGREGATE_MESSAGES_MAX + 1 }, () => tag(8, 0))),
      'rtmp.aggregate_messages',
    ],
  ])('refuses %s', (_name, payload, code) => {
    expect(() => splitRtmpAggregate(aggregate(payload))).toThrow(expect.objectContaining({ code }));
  });

  test('a missing last back pointer is forgiven, an empty aggregate holds nothing', () => {
    const payload = tag(8, 0, 7);
    expect(splitRtmpAggregate(aggregate(payload.subarray(0, 12)))[0]?.payload).toEqual(Uint8Array.of(7));
    expect(splitRtmpAggregate(aggregate(new Uint8Array(0)))).toEqual([]);
  });
});
