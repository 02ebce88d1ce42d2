/** Every parser of the package, with what must hold besides "a value or a FormatError". */
import assert from 'node:assert/strict';
import {
  acceptsFourCc,
  addEmulationPrevention,
  amf0BodyOffset,
  answerRtmpHandshake,
  CAPTURE_TIME_SEI_UUID,
  canonicalFlvAudio,
  canonicalFlvVideo,
  decodeAmf0All,
  decodeRtmpCommand,
  decodeWallClockSei,
  encodeAmf0,
  encodeFlvTag,
  encodeWallClockSei,
  FlvDemuxer,
  FormatError,
  finishRtmpHandshake,
  insertUserDataSei,
  iterateNals,
  iterateSeiMessages,
  type NalCodec,
  type NalLengthSize,
  parseAacConfig,
  parseAvcConfig,
  parseAvcSps,
  parseHevcConfig,
  parseHevcSps,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RTMP_READER_LIMITS,
  RTMP_S0S1S2_BYTES,
  RtmpChunkReader,
  type RtmpMessage,
  RtmpMessageType,
  readControlArgument,
  readFlvAudioHeader,
  readFlvVideoHeader,
  readFmp4Runs,
  readFmp4Tracks,
  readRtmpConnect,
  readUserDataSei,
  refusalOfFlvAudio,
  refusalOfFlvVideo,
  removeEmulationPrevention,
  setFmp4Duration,
  splitRtmpAggregate,
} from '../src/index.ts';
import {
  AAC_CONFIGS,
  AGGREGATES,
  AMF0_BODIES,
  AMF0_VALUES,
  AVC_CONFIGS,
  AVC_UNITS,
  CAPTURES,
  CHUNKS,
  FLV_FILES,
  FLV_PAYLOADS,
  FMP4_BOXES,
  front,
  HEVC_CONFIGS,
  HEVC_UNITS,
  SEI_NALS,
  SMALL_FLV,
} from './corpus.ts';
import type { FuzzTarget } from './fuzz-loop.ts';
import type { RandomSource } from './random-source.ts';

const HANDSHAKE_BYTES = RTMP_C0C1_BYTES + RTMP_C2_BYTES;
const SMALL_LIMITS = { messageBytesMax: 20_000, pendingBytesMax: 30_000, chunkStreamsMax: 8 };
const SIZES: readonly NalLengthSize[] = [4, 4, 2, 1, 3];
const CODECS: readonly NalCodec[] = ['avc', 'hevc'];
const chunkSeeds = [
  CHUNKS,
  ...CAPTURES.flatMap((capture) => {
    const chunks = capture.slice(HANDSHAKE_BYTES);
    return [front(chunks, 700), front(chunks, 4_000), chunks];
  }),
];

/** Sizes told apart by their power of two: enough to see that an input did something new. */
function magnitude(count: number): string {
  return count === 0 ? '0' : String(Math.ceil(Math.log2(count + 1)));
}

function inPieces(input: Uint8Array, random: RandomSource, push: (piece: Uint8Array) => void): void {
  const cutBytes = random.pick([1, 13, 128, 1_449, 65_536]);
  for (let from = 0; from < input.length; from += cutBytes) push(input.subarray(from, from + cutBytes));
}

/** What a server reads of a message. */
function readMessage(message: RtmpMessage): string {
  const { typeId, payload } = message;
  switch (typeId) {
    case RtmpMessageType.commandAmf0:
    case RtmpMessageType.commandAmf3: {
      const { enhanced } = readRtmpConnect(decodeRtmpCommand(message));
      return String(acceptsFourCc(enhanced, 'hvc1'));
    }
    case RtmpMessageType.dataAmf0:
    case RtmpMessageType.dataAmf3:
      return magnitude(decodeAmf0All(payload, amf0BodyOffset(message)).length);
    case RtmpMessageType.video:
      return readFlvVideoHeader(payload).kind;
    case RtmpMessageType.audio:
      return readFlvAudioHeader(payload).kind;
    case RtmpMessageType.windowAcknowledgementSize:
    case RtmpMessageType.acknowledgement:
      return magnitude(readControlArgument(payload));
    default:
      return '';
  }
}

function chunkTarget(name: string, limits: typeof RTMP_READER_LIMITS, isRead: boolean): FuzzTarget {
  return {
    name,
    seeds: chunkSeeds,
    run: (input, random) => {
      const reader = new RtmpChunkReader(limits);
      const seen = new Set<string>();
      let messages = 0;
      let payloadBytes = 0;
      inPieces(input, random, (piece) => {
        reader.push(piece, (message) => {
          messages += 1;
          payloadBytes += message.payload.length;
          seen.add(isRead ? `${message.typeId}${readMessage(message)}` : String(message.typeId));
        });
        assert(reader.pendingBytes <= limits.pendingBytesMax + 18, `holds ${reader.pendingBytes} bytes`);
      });
      assert(payloadBytes + reader.pendingBytes <= input.length, 'more came out than went in');
      return `${magnitude(messages)} ${magnitude(reader.pendingBytes)} ${[...seen].sort().join()}`;
    },
  };
}

/** A read, an insertion and a reading of it, in both codecs. */
function seiTarget(codec: NalCodec, seeds: readonly Uint8Array[]): FuzzTarget {
  return {
    name: `${codec} access units`,
    seeds: seeds.flatMap((unit) => [unit, front(unit, 300)]),
    run: (input, random) => {
      const size = random.pick(SIZES);
      const payload = encodeWallClockSei(random.below(0xff_ff_ff_ff));
      const stamped = insertUserDataSei(input, size, CAPTURE_TIME_SEI_UUID, payload, codec);
      assert(stamped.length > input.length && stamped.length < input.length + 64, 'the stamp is of another size');
      const read = readUserDataSei(stamped, size, CAPTURE_TIME_SEI_UUID, codec);
      assert(read !== null && decodeWallClockSei(read) === decodeWallClockSei(payload), 'the stamp is not read again');
      const types = new Set([...iterateNals(stamped, size, codec)].map((nal) => nal.type));
      return [...types].sort((one, other) => one - other).join();
    },
  };
}

/** All targets. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  chunkTarget('rtmp chunks', RTMP_READER_LIMITS, false),
  chunkTarget('rtmp chunks under small limits', SMALL_LIMITS, false),
  chunkTarget('rtmp messages', RTMP_READER_LIMITS, true),
  {
    name: 'rtmp handshake',
    seeds: CAPTURES.map((capture) => front(capture, RTMP_C0C1_BYTES)),
    run: (input, random) => {
      const s0s1s2 = answerRtmpHandshake(input, new Uint8Array(1_528).fill(random.below(256)));
      assert.equal(s0s1s2.length, RTMP_S0S1S2_BYTES);
      assert.equal(finishRtmpHandshake(s0s1s2).length, RTMP_C2_BYTES);
      return s0s1s2[5] === 0 ? 'plain' : 'digest';
    },
  },
  {
    name: 'rtmp handshake of a server',
    seeds: CAPTURES.map((capture) => answerRtmpHandshake(front(capture, RTMP_C0C1_BYTES), new Uint8Array(1_528))),
    run: (input) => magnitude(finishRtmpHandshake(input).length),
  },
  {
    name: 'rtmp aggregates',
    seeds: AGGREGATES,
    run: (payload, random) => {
      const timestampMs = random.below(0xff_ff_ff_ff);
      const message = { chunkStreamId: 5, typeId: RtmpMessageType.aggregate, messageStreamId: 1, timestampMs, payload };
      const messages = splitRtmpAggregate(message);
      assert(messages.every((one) => one.timestampMs >= 0 && one.timestampMs <= 0xff_ff_ff_ff));
      return `${magnitude(messages.length)} ${new Set(messages.map((one) => one.typeId)).size}`;
    },
  },
  {
    name: 'rtmp commands',
    seeds: AMF0_BODIES,
    run: (payload, random) => {
      const typeId = random.pick([RtmpMessageType.commandAmf0, RtmpMessageType.commandAmf3]);
      const command = decodeRtmpCommand({ chunkStreamId: 3, typeId, messageStreamId: 0, timestampMs: 0, payload });
      const { app, tcUrl, enhanced } = readRtmpConnect(command);
      assert(app.length + tcUrl.length <= 4_096);
      return `${magnitude(command.args.length)} ${app !== ''} ${enhanced === null ? '' : magnitude(enhanced.video.size)}`;
    },
  },
  {
    name: 'amf0',
    seeds: [...AMF0_VALUES, ...AMF0_BODIES],
    run: (input) => {
      const values = decodeAmf0All(input);
      assert(values.length <= input.length);
      const again = encodeAmf0(...values);
      assert.equal(decodeAmf0All(again).length, values.length);
      return `${magnitude(values.length)} ${new Set(values.map((value) => typeof value)).size}`;
    },
  },
  {
    name: 'flv files',
    seeds: [SMALL_FLV, ...FLV_FILES.flatMap((file) => [front(file, 500), front(file, 5_000), file])],
    run: (input, random) => {
      let tags = 0;
      let bytes = 0;
      const seen = new Set<string>();
      const demuxer = new FlvDemuxer({
        tagBytesMax: random.pick([50_000, 8 * 1024 * 1024]),
        onTag: (tag) => {
          tags += 1;
          bytes += encodeFlvTag(tag).length;
          seen.add(String(tag.typeId));
        },
      });
      inPieces(input, random, (piece) => demuxer.push(piece));
      assert(bytes <= input.length + 15, 'more came out than went in');
      return `${magnitude(tags)} ${[...seen].sort().join()} ${demuxer.isAtTagBoundary}`;
    },
  },
  {
    name: 'flv payloads',
    seeds: FLV_PAYLOADS,
    run: (input) => {
      const outcomes = [readVideo, readAudio].map((read) => {
        try {
          return read(input);
        } catch (error) {
          if (error instanceof FormatError) return error.code;
          throw error;
        }
      });
      return outcomes.join(' ');
    },
  },
  {
    name: 'avc configuration',
    seeds: AVC_CONFIGS,
    run: (input) => {
      const { sps, codec, spsNals, ppsNals } = parseAvcConfig(input);
      assert.match(codec, /^avc1\.[0-9a-f]{6}$/);
      assertPicture(sps);
      return `${sps.profileIdc} ${spsNals.length} ${ppsNals.length} ${sps.frameRate === null}`;
    },
  },
  {
    name: 'avc parameter sets',
    seeds: AVC_CONFIGS.flatMap((config) => [...parseAvcConfig(config).spsNals]),
    run: (input) => {
      const sps = parseAvcSps(input);
      assertPicture(sps);
      return `${sps.profileIdc} ${sps.frameRate === null}`;
    },
  },
  {
    name: 'hevc configuration',
    seeds: HEVC_CONFIGS,
    run: (input) => {
      const { sps, codec, vpsNals, spsNals, ppsNals } = parseHevcConfig(input);
      assert.match(codec, /^hvc1\.[ABC]?\d+\.[0-9A-F]+\.[LH]\d+(\.[0-9A-F]+){0,6}$/);
      assertPicture(sps);
      return `${sps.profile.profileIdc} ${vpsNals.length} ${spsNals.length} ${magnitude(ppsNals.length)}`;
    },
  },
  {
    name: 'hevc parameter sets',
    seeds: HEVC_CONFIGS.flatMap((config) => [...parseHevcConfig(config).spsNals]),
    run: (input) => {
      const sps = parseHevcSps(input);
      assertPicture(sps);
      return `${sps.profile.profileIdc} ${sps.chromaFormatIdc} ${sps.bitDepthLuma} ${sps.frameRate === null}`;
    },
  },
  {
    name: 'aac configuration',
    seeds: AAC_CONFIGS,
    run: (input) => {
      const { objectType, frameSamples, sampleRateHz, outputSampleRateHz, channels, codec } = parseAacConfig(input);
      assert.match(codec, /^mp4a\.40\.\d+$/);
      assert(sampleRateHz > 0 && outputSampleRateHz > 0 && frameSamples >= 480 && channels >= 0);
      return `${objectType} ${frameSamples} ${channels}`;
    },
  },
  seiTarget('avc', AVC_UNITS),
  seiTarget('hevc', HEVC_UNITS),
  {
    name: 'sei messages',
    seeds: SEI_NALS,
    run: (input, random) => {
      let bytes = 0;
      const types = new Set<number>();
      for (const { payloadType, payload } of iterateSeiMessages(input, random.pick(CODECS))) {
        bytes += payload.length;
        types.add(Math.min(payloadType, 256));
      }
      assert(bytes <= input.length);
      return `${types.size} ${magnitude(bytes)}`;
    },
  },
  {
    name: 'emulation prevention',
    seeds: [...SEI_NALS, Uint8Array.of(0, 0, 1, 0, 0, 3, 0, 0, 0)],
    run: (input) => {
      const escaped = addEmulationPrevention(input);
      assert.deepEqual(removeEmulationPrevention(escaped), input);
      return magnitude(escaped.length - input.length);
    },
  },
  {
    name: 'mp4 boxes',
    seeds: FMP4_BOXES,
    run: (input) => {
      const outcomes = [readFmp4Tracks, readFmp4Runs, (bytes: Uint8Array) => setFmp4Duration(bytes.slice(), 1_000)].map(
        (read) => {
          try {
            return JSON.stringify(read(input)).length > 2;
          } catch (error) {
            if (error instanceof FormatError) return error.code;
            throw error;
          }
        },
      );
      return outcomes.join(' ');
    },
  },
];

function readVideo(input: Uint8Array): string {
  const header = readFlvVideoHeader(input);
  const canonical = readFlvVideoHeader(canonicalFlvVideo(input, header));
  assert.equal(canonical.compositionTimeMs, header.compositionTimeMs);
  assert.equal(canonical.codec, header.codec);
  return `${header.codec} ${header.kind} ${header.form} ${refusalOfFlvVideo(header)}`;
}

function readAudio(input: Uint8Array): string {
  const header = readFlvAudioHeader(input);
  const canonical = readFlvAudioHeader(canonicalFlvAudio(input, header));
  assert.equal(canonical.kind, header.kind);
  return `${header.codec} ${header.kind} ${header.form} ${refusalOfFlvAudio(header)}`;
}

function assertPicture(sps: { widthPx: number; heightPx: number; frameRate: number | null }): void {
  assert(sps.widthPx > 0 && sps.widthPx <= 65_536 && sps.heightPx > 0 && sps.heightPx <= 131_072, 'picture size');
  assert(sps.frameRate === null || sps.frameRate > 0, 'frame rate');
}
