/**
 * The parsers and writers that every packet passes, alone on one core: no sockets, no streams. Isolates what a byte costs
 * in this package; the plane's benchmarks show what it costs in all. `npm run bench -- formats [--ms 1000]`.
 */
import { parseArgs } from 'node:util';
import {
  answerRtmpHandshake,
  concatBytes,
  encodeFlvHeader,
  encodeFlvTag,
  encodeWallClockSei,
  FlvDemuxer,
  INGEST_TIME_SEI_UUID,
  insertUserDataSei,
  type NalCodec,
  prefixNal,
  RtmpChunkReader,
  RtmpChunkWriter,
  readUserDataSei,
  startRtmpHandshake,
} from '../src/index.ts';
import { imprintDigest } from '../src/rtmp-digest.ts';

const READ_BYTES = 65_536;
const KEYFRAME_BYTES = 120_000;
const FRAME_BYTES = 11_000; // 2.65 Mbit/s at 30 frames/s

const { values } = parseArgs({ options: { ms: { type: 'string', default: '1000' } } });
const budgetMs = Number(values.ms);

/** Runs `once` for the budget and prints processor time per call, and bytes per second of it. */
function measure(name: string, bytes: number, once: () => void): void {
  for (let warm = 0; warm < 30; warm += 1) once();
  const start = process.threadCpuUsage();
  let calls = 0;
  let cpuMs = 0;
  while (cpuMs < budgetMs) {
    for (let batch = 0; batch < 10; batch += 1) once();
    calls += 10;
    const { user, system } = process.threadCpuUsage(start);
    cpuMs = (user + system) / 1_000;
  }
  const perCall = `${((cpuMs * 1_000) / calls).toFixed(1)} µs`;
  const speed = `${((bytes * calls) / cpuMs / 1_000).toFixed(0)} MB/s`;
  console.log(`${name.padEnd(48)}${perCall.padStart(12)}${speed.padStart(14)}`);
}

function chunks(frameBytes: number, chunkBytes: number): Uint8Array {
  const writer = new RtmpChunkWriter();
  const parts = [writer.setChunkSize(chunkBytes)];
  for (let frame = 0; frame < 30; frame += 1) {
    const time = { messageStreamId: 1, timestampMs: frame * 33 };
    parts.push(writer.write({ ...time, chunkStreamId: 6, typeId: 9, payload: new Uint8Array(frameBytes).fill(1) }));
    parts.push(writer.write({ ...time, chunkStreamId: 4, typeId: 8, payload: new Uint8Array(350).fill(2) }));
  }
  return concatBytes(parts);
}

function inReads(bytes: Uint8Array, push: (piece: Uint8Array) => void): void {
  for (let from = 0; from < bytes.length; from += READ_BYTES) push(bytes.subarray(from, from + READ_BYTES));
}

function accessUnit(codec: NalCodec, bytes: number): Uint8Array {
  const picture = new Uint8Array(bytes).fill(7);
  picture.set(codec === 'avc' ? [0x65] : [19 << 1, 1]);
  return prefixNal(picture, 4);
}

for (const chunkBytes of [128, 4_096, 60_000]) {
  const bytes = chunks(FRAME_BYTES, chunkBytes);
  measure(`RTMP in: 1 s of 2.65 Mbit/s, chunks of ${chunkBytes}`, bytes.length, () => {
    const reader = new RtmpChunkReader();
    inReads(bytes, (piece) => reader.push(piece, () => undefined));
  });
}
const writer = new RtmpChunkWriter();
writer.setChunkSize(60_000);
const message = {
  chunkStreamId: 6,
  typeId: 9,
  messageStreamId: 1,
  timestampMs: 0,
  payload: new Uint8Array(FRAME_BYTES),
};
measure('RTMP out: a frame', FRAME_BYTES, () => writer.write(message));

const tag = encodeFlvTag({ typeId: 9, timestampMs: 0, payload: new Uint8Array(FRAME_BYTES) });
const file = concatBytes([
  encodeFlvHeader({ hasAudio: false, hasVideo: true }),
  ...Array.from({ length: 30 }, () => tag),
]);
measure('FLV in: 30 frames', file.length, () => {
  const demuxer = new FlvDemuxer({ onTag: () => undefined });
  inReads(file, (piece) => demuxer.push(piece));
});

const clock = encodeWallClockSei(Date.now());
for (const codec of ['avc', 'hevc'] as const) {
  const unit = accessUnit(codec, KEYFRAME_BYTES);
  const stamped = insertUserDataSei(unit, 4, INGEST_TIME_SEI_UUID, clock, codec);
  measure(`${codec}: the clock into a keyframe of 120 KB`, unit.length, () => {
    insertUserDataSei(unit, 4, INGEST_TIME_SEI_UUID, clock, codec);
  });
  measure(`${codec}: the clock out of it`, stamped.length, () => {
    readUserDataSei(stamped, 4, INGEST_TIME_SEI_UUID, codec);
  });
}

const random = new Uint8Array(1_528).map((_, index) => index * 31);
const plain = startRtmpHandshake(random);
const digest = concatBytes([Uint8Array.of(3), imprintDigest(plain.subarray(1), 0, false)]);
measure('RTMP handshake, plain', plain.length, () => answerRtmpHandshake(plain, random));
measure('RTMP handshake, digest', digest.length, () => answerRtmpHandshake(digest, random));
