import { readFileSync } from 'node:fs';
// @ts-expect-error: the player's inner file, which it has no types for
import FlvDemuxerOfPlayer from 'mpegts.js/src/demux/flv-demuxer.js';
import { expect, test } from 'vitest';
import { concatBytes } from './byte-order.ts';
import { encodeFlvVideo } from './flv-media-payload.ts';
import { encodeFlvHeader, encodeFlvTag } from './flv-tag.ts';
import { iterateNals, prefixNal } from './nal-unit.ts';
import { insertUserDataSei } from './sei.ts';
import { decodeWallClockSei, encodeWallClockSei, INGEST_TIME_SEI_UUID } from './wall-clock-sei.ts';

/** The part of mpegts.js that is used here. */
type PlayerDemuxer = {
  onError: (type: string, info: string) => void;
  onMediaInfo: (info: unknown) => void;
  onTrackMetadata: (type: string, meta: { codecWidth: number; codecHeight: number }) => void;
  onSeiArrived: (sei: { uuid: Uint8Array; user_data: Uint8Array; pts: number }) => void;
  onDataAvailable: (audio: unknown, video: { samples: { cts: number; isKeyframe: boolean }[]; length: number }) => void;
  parseChunks: (bytes: ArrayBuffer, byteStart: number) => number;
};

const FRAME_MS = 40;
const file = readFileSync(new URL('../fixtures/hevc-bframes-426x240.mp4', import.meta.url));

function box(type: string): Uint8Array {
  const at = file.indexOf(type, 0, 'latin1') - 4;
  return new Uint8Array(file.subarray(at + 8, at + file.readUInt32BE(at)));
}

/** x265's pictures in FLV tags: every second one with a composition time, keyframes with the ingest clock. */
function flvOfFixture(): Uint8Array {
  const packet = { codec: 'hevc', isKeyframe: true, compositionTimeMs: 0 } as const;
  const parts = [
    encodeFlvHeader({ hasAudio: false, hasVideo: true }),
    encodeFlvTag({
      typeId: 9,
      timestampMs: 0,
      payload: encodeFlvVideo({ ...packet, kind: 'sequence-header', data: box('hvcC') }),
    }),
  ];
  let unit: Uint8Array[] = [];
  let frames = 0;
  for (const nal of iterateNals(box('mdat'), 4, 'hevc')) {
    unit.push(prefixNal(nal.data, 4));
    if (nal.type >= 32) continue;
    const isKeyframe = nal.type >= 16;
    const timestampMs = frames * FRAME_MS;
    const clock = encodeWallClockSei(1_763_630_000_000 + timestampMs);
    const plain = concatBytes(unit);
    const data = isKeyframe ? insertUserDataSei(plain, 4, INGEST_TIME_SEI_UUID, clock, 'hevc') : plain;
    const compositionTimeMs = frames % 2 === 0 ? 0 : FRAME_MS;
    const payload = encodeFlvVideo({ ...packet, kind: 'frames', isKeyframe, compositionTimeMs, data });
    parts.push(encodeFlvTag({ typeId: 9, timestampMs, payload }));
    unit = [];
    frames += 1;
  }
  return concatBytes(parts);
}

test('mpegts.js reads the HEVC that we write: size, frames, composition times and the clock', () => {
  Object.assign(globalThis, { window: globalThis, self: globalThis }); // it expects a browser
  const bytes = flvOfFixture();
  const buffer = bytes.slice().buffer;
  const demuxer = new FlvDemuxerOfPlayer(FlvDemuxerOfPlayer.probe(buffer), { isLive: true }) as PlayerDemuxer;
  const sizes: number[][] = [];
  const samples: { cts: number; isKeyframe: boolean }[] = [];
  const clocks: (number | null)[] = [];
  demuxer.onError = (type, info) => expect.fail(`${type}: ${info}`);
  demuxer.onMediaInfo = () => undefined;
  demuxer.onTrackMetadata = (_type, meta) => sizes.push([meta.codecWidth, meta.codecHeight]);
  demuxer.onSeiArrived = (sei) => {
    if (Buffer.compare(sei.uuid, INGEST_TIME_SEI_UUID) === 0) clocks.push(decodeWallClockSei(sei.user_data));
  };
  demuxer.onDataAvailable = (_audio, video) => {
    samples.push(...video.samples);
    Object.assign(video, { samples: [], length: 0 });
  };
  expect(demuxer.parseChunks(buffer, 0)).toBe(bytes.length);
  expect(sizes).toEqual([[426, 240]]);
  expect(samples.map((sample) => sample.cts)).toEqual(Array.from({ length: 30 }, (_, at) => (at % 2) * FRAME_MS));
  const keyframes = samples.flatMap((sample, at) => (sample.isKeyframe ? [at] : []));
  expect(clocks).toEqual(keyframes.map((at) => 1_763_630_000_000 + at * FRAME_MS));
  expect(clocks.length).toBeGreaterThan(1);
});
