import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMediaError } from './hls-media-reader.ts';
import { TS_HEAD_BYTES_MAX, TS_PACKET_BYTES, TsDemuxer } from './ts-demuxer.ts';
import { TsMediaReader } from './ts-media-reader.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url));
const PLAIN = fixture('avc-aac-160x90.mpegts');
const STAMPED = fixture('stamped-avc-aac-320x180.mpegts');

type Seen = readonly [codec: string, dtsTicks: number, headBytes: number];

function unitsOf(pieces: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = [];
  const demuxer = new TsDemuxer(({ codec, dtsTicks, head }) => seen.push([codec, dtsTicks, head.length]));
  for (const piece of pieces) demuxer.push(piece);
  demuxer.end();
  return seen;
}

describe('segments by ffmpeg', () => {
  test('pictures with B-frames and sound: begin and end as ffprobe tells them', () => {
    const media = new TsMediaReader().read(PLAIN);
    expect(media).toMatchObject({ stamps: [] });
    expect(media?.startMs).toBeCloseTo(1400, 3);
    expect(media?.endMs).toBeCloseTo(3400, 3);
    expect(media?.frameMs).toBeCloseTo(40, 3);
    const codecs = unitsOf([PLAIN]).map(([codec]) => codec);
    expect(codecs.filter((codec) => codec === 'avc')).toHaveLength(50);
    expect(codecs.filter((codec) => codec === 'aac').length).toBeGreaterThan(5);
  });

  test('sound alone: the end counts its last frames', () => {
    const media = new TsMediaReader().read(fixture('aac-48000.mpegts'));
    const lengthMs = (media?.endMs ?? 0) - (media?.startMs ?? 0);
    expect(lengthMs).toBeGreaterThanOrEqual(1000);
    expect(lengthMs).toBeLessThan(1050);
  });

  test('HEVC', () => {
    const media = new TsMediaReader().read(fixture('hevc-160x90.mpegts'));
    expect((media?.endMs ?? 0) - (media?.startMs ?? 0)).toBeCloseTo(1000, 3);
  });

  test('the clocks in the pictures are read, also where 33 bits run over', () => {
    const media = new TsMediaReader().read(STAMPED);
    const captured = (media?.stamps ?? []).filter(({ tier }) => tier === 'capture');
    expect(captured).toHaveLength(50);
    for (const { atMediaMs, wallMs } of captured) {
      const sinceMs = wallMs - (captured[0]?.wallMs ?? 0);
      expect(Math.abs(atMediaMs - (media?.startMs ?? 0) - sinceMs)).toBeLessThan(1);
    }
    expect((media?.endMs ?? 0) - (media?.startMs ?? 0)).toBeCloseTo(2000, 0);
    const ingested = (media?.stamps ?? []).filter(({ tier }) => tier === 'ingest');
    expect(ingested.map(({ wallMs }) => wallMs % 1000)).toEqual(ingested.map(() => 250));
    expect(ingested.length).toBeGreaterThan(0);
  });

  test('time goes on from segment to segment, also over the end of 33 bits', () => {
    const reader = new TsMediaReader();
    const media = unitsOf([STAMPED]).map(([, ticks]) => ticks);
    expect(Math.max(...media) - Math.min(...media)).toBeGreaterThan(2 ** 32); // as they stand there
    const first = reader.read(STAMPED);
    const again = reader.read(STAMPED);
    expect(Math.abs((again?.startMs ?? 0) - (first?.startMs ?? 0))).toBeLessThan(1);
  });
});

describe('bytes that come as they like', () => {
  test('in any pieces they give the same', () => {
    const whole = unitsOf([PLAIN]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        const pieces: Uint8Array[] = [];
        for (let [at, index] = [0, 0]; at < PLAIN.length; index += 1) {
          const length = lengths[index % lengths.length] ?? 1;
          pieces.push(PLAIN.subarray(at, at + length));
          at += length;
        }
        expect(unitsOf(pieces)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test('hostile ones end in a value or are the bytes’ fault, and never in more than is there', () => {
    const changes = fc.array(fc.tuple(fc.nat(STAMPED.length - 1), fc.nat(255)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(changes, fc.nat(STAMPED.length), (edits, length) => {
        const bytes = Buffer.from(STAMPED.subarray(0, length));
        for (const [at, value] of edits) if (at < bytes.length && at % TS_PACKET_BYTES > 0) bytes[at] = value;
        try {
          const media = new TsMediaReader().read(bytes);
          if (media === null) return;
          expect(Number.isFinite(media.startMs) && Number.isFinite(media.endMs)).toBe(true);
          expect(media.stamps.length).toBeLessThanOrEqual(2 * (length / TS_PACKET_BYTES));
        } catch (error) {
          expect(isMediaError(error)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('packets of anything behind a sync byte are bounded', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 187, maxLength: 187 }), { maxLength: 40 }), (packets) => {
        const bytes = Buffer.concat(packets.flatMap((packet) => [Buffer.of(0x47), packet]));
        expect(unitsOf([bytes]).every(([, , headBytes]) => headBytes <= TS_HEAD_BYTES_MAX)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['a lost sync byte', (bytes: Buffer) => bytes.fill(0, 188 * 7, 188 * 7 + 1), /sync byte/],
    ['an end inside a packet', (bytes: Buffer) => bytes.subarray(0, bytes.length - 30), /158 bytes into a packet/],
    [
      'packets that are missing',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 188 * 20), bytes.subarray(188 * 23)]),
      /gaps in the packets/,
    ],
  ])('%s is named', (_name, spoil, message) => {
    expect(() => new TsMediaReader().read(spoil(Buffer.from(PLAIN)))).toThrow(message);
  });
});
