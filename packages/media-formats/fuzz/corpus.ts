/** The inputs that damage starts from: the fixtures of other encoders, taken apart, and some of our own writers. */
import { readFileSync } from 'node:fs';
import {
  Amf0EcmaArray,
  concatBytes,
  encodeAmf0,
  encodeFlvHeader,
  encodeFlvTag,
  encodeFlvVideo,
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeRtmpCommand,
  enhancedRtmpProperties,
  FlvDemuxer,
  type FlvTag,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpMessage,
  RtmpMessageType,
  readFlvAudioHeader,
  readFlvVideoHeader,
  setPeerBandwidth,
  userControl,
  windowAcknowledgementSize,
} from '../src/index.ts';

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

/** FLV files. */
export const FLV_FILES = [
  'avc-aac-320x180.flv',
  'avc-bframes-426x240.flv',
  'aac-mono.flv',
  'gstreamer-avc-aac-320x180.flv',
].map(fixture);
/** Recorded publishers, from C0 on. */
export const CAPTURES = ['ffmpeg-publish.rtmp', 'gstreamer-publish.rtmp', 'ffmpeg-late.rtmp', 'librtmp-late.rtmp'].map(
  fixture,
);
const HEVC_FILES = ['hevc-bframes-426x240.mp4', 'hevc-main10-322x178.mp4'].map(fixture);

/** The first `count` bytes, for inputs where headers are a large part. */
export function front(input: Uint8Array, count: number): Uint8Array {
  return input.slice(0, count);
}

function tagsOf(file: Uint8Array): FlvTag[] {
  const tags: FlvTag[] = [];
  new FlvDemuxer({ onTag: (tag) => tags.push(tag) }).push(file);
  return tags;
}

function messagesOf(capture: Uint8Array): RtmpMessage[] {
  const messages: RtmpMessage[] = [];
  new RtmpChunkReader().push(capture.subarray(RTMP_C0C1_BYTES + RTMP_C2_BYTES), (one) => messages.push(one));
  return messages;
}

/** The content of the first box of this type, wherever it is nested. */
function box(file: Uint8Array, type: string): Uint8Array {
  const at = Buffer.from(file).indexOf(type, 0, 'latin1') - 4;
  return file.slice(at + 8, at + new DataView(file.buffer, file.byteOffset).getUint32(at));
}

const tags = FLV_FILES.flatMap(tagsOf);
const messages = CAPTURES.flatMap(messagesOf);
const video = tags.filter((tag) => tag.typeId === 9).map((tag) => tag.payload);
const audio = tags.filter((tag) => tag.typeId === 8).map((tag) => tag.payload);
const ofKind = (
  payloads: readonly Uint8Array[],
  read: typeof readFlvVideoHeader | typeof readFlvAudioHeader,
  kind: string,
) =>
  payloads.filter((payload) => read(payload).kind === kind).map((payload) => payload.slice(read(payload).dataOffset));

/** One of each command and some metadata, as AMF0 bodies. */
export const AMF0_BODIES = messages
  .filter(({ typeId }) => typeId === RtmpMessageType.commandAmf0 || typeId === RtmpMessageType.dataAmf0)
  .map(({ payload }) => payload);
/** Values of every kind that we write. */
export const AMF0_VALUES = [
  encodeAmf0(1, true, 'x', null, undefined, new Date(0), [1, ['y']], { a: { b: 1 } }, new Amf0EcmaArray({ c: 2 })),
  encodeAmf0('connect', 1, { app: 'live', ...enhancedRtmpProperties('client') }),
  encodeAmf0('long '.repeat(15_000)),
];
export const AVC_CONFIGS = ofKind(video, readFlvVideoHeader, 'sequence-header');
export const AAC_CONFIGS = [
  ...ofKind(audio, readFlvAudioHeader, 'sequence-header'),
  Uint8Array.of(0x2b, 0x92, 0x08, 0),
  Uint8Array.of(0x13, 0x08, 0x56, 0xe5, 0x9d, 0x48, 0x80),
];
export const AVC_UNITS = ofKind(video, readFlvVideoHeader, 'frames').slice(0, 30);
export const HEVC_CONFIGS = HEVC_FILES.map((file) => box(file, 'hvcC'));
export const HEVC_UNITS = HEVC_FILES.map((file) => box(file, 'mdat')).flatMap((samples) => [
  samples,
  front(samples, 900),
]);
export const FLV_PAYLOADS = [
  ...video.slice(0, 10).map((payload) => front(payload, 40)),
  ...audio.slice(0, 4),
  encodeFlvVideo({ codec: 'hevc', kind: 'frames', isKeyframe: true, compositionTimeMs: 40, data: new Uint8Array(9) }),
  encodeFlvVideo(
    { codec: 'avc', kind: 'frames', isKeyframe: true, compositionTimeMs: 0, data: new Uint8Array(9) },
    'fourcc',
  ),
  Uint8Array.of(0x97, 2, 0, 0, 1, 1, 0x68, 0x76, 0x63, 0x31),
  Uint8Array.of(0x96, 1, 0x68, 0x76, 0x63, 0x31, 0),
];
/** SEI NAL units, header first, of both codecs. */
export const SEI_NALS = [
  Uint8Array.of(6, 5, 18, ...Array.from({ length: 18 }, (_, index) => index), 0x80),
  Uint8Array.of(0x4e, 1, 1, 2, 7, 7, 5, 255, 3, ...new Uint8Array(258), 0x80),
];

/** Aggregates of a file's first tags. */
export const AGGREGATES = FLV_FILES.map((file) =>
  concatBytes(tagsOf(front(file, 4_000)).slice(0, 6).map(encodeFlvTag)),
);

/** A file with one tag of each type and a time over 24 bits. */
export const SMALL_FLV = concatBytes([
  encodeFlvHeader({ hasAudio: true, hasVideo: true }),
  ...([8, 9, 18] as const).map((typeId) =>
    encodeFlvTag({ typeId, timestampMs: 0x01_00_00_00 + typeId, payload: new Uint8Array(20).fill(typeId) }),
  ),
]);

/** Every control message, ids of one to three bytes, an aggregate, times over 24 bits, a change of the chunk size. */
export const CHUNKS = chunksOfEveryKind();

function chunksOfEveryKind(): Uint8Array {
  const writer = new RtmpChunkWriter();
  const media = (chunkStreamId: number, timestampMs: number, bytes: number, typeId: number): RtmpMessage => ({
    chunkStreamId,
    typeId,
    messageStreamId: 1,
    timestampMs,
    payload: new Uint8Array(bytes).fill(chunkStreamId),
  });
  const aggregate = { ...media(5, 9_000, 0, RtmpMessageType.aggregate), payload: AGGREGATES[2] ?? new Uint8Array(0) };
  return concatBytes([
    writer.write(windowAcknowledgementSize(2_500_000)),
    writer.write(setPeerBandwidth(2_500_000)),
    writer.write(userControl(6, 1)),
    writer.write(encodeRtmpCommand({ name: 'connect', transactionId: 1, args: [{ app: 'live' }] })),
    writer.write(media(6, 0, 300, 9)),
    writer.write(media(64, 20, 10, 8)),
    writer.write(media(400, 20, 10, 8)),
    writer.write(media(400, 40, 10, 8)),
    writer.write(media(400, 60, 10, 8)),
    writer.setChunkSize(64),
    writer.write(aggregate),
    writer.write(media(6, 0x01_00_00_00, 300, 9)),
    writer.write(media(6, 0x02_80_00_00, 300, 9)),
    writer.write({ ...media(2, 0, 4, RtmpMessageType.abort), messageStreamId: 0 }),
  ]);
}

/** What our own writer of fragmented MP4 makes, box by box; the reader of it reads nothing else. */
export const FMP4_BOXES = boxesOf(
  concatBytes([
    encodeFmp4Init([
      {
        kind: 'video',
        codec: 'avc',
        config: AVC_CONFIGS[0] ?? new Uint8Array(0),
        widthPx: 320,
        heightPx: 180,
        timescale: 90_000,
      },
      {
        kind: 'audio',
        codec: 'aac',
        config: AAC_CONFIGS[0] ?? new Uint8Array(0),
        sampleRateHz: 48_000,
        channels: 2,
        timescale: 48_000,
      },
    ]),
    encodeFmp4Fragment({
      sequenceNumber: 1,
      tracks: [
        {
          trackId: 1,
          baseDecodeTimeTicks: 0,
          samples: [
            { data: new Uint8Array(30), durationTicks: 3_000, compositionOffsetTicks: 0, isKeyframe: true },
            { data: new Uint8Array(20), durationTicks: 3_000, compositionOffsetTicks: 3_000, isKeyframe: false },
          ],
        },
      ],
    }),
  ]),
);

function boxesOf(file: Uint8Array): Uint8Array[] {
  const boxes: Uint8Array[] = [];
  for (let offset = 0; offset < file.length; offset += boxes.at(-1)?.length ?? file.length) {
    boxes.push(file.slice(offset, offset + new DataView(file.buffer, file.byteOffset).getUint32(offset)));
  }
  return boxes;
}
