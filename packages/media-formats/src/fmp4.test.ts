import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAacConfig } from './aac-config.ts';
import { parseAvcConfig } from './avc-config.ts';
import { concatBytes } from './byte-order.ts';
import { FlvDemuxer } from './flv-demuxer.ts';
import { readFlvAudioHeader, readFlvVideoHeader } from './flv-media-header.ts';
import { type FlvTag, FlvTagType } from './flv-tag.ts';
import { encodeFmp4Fragment, type Fmp4Sample } from './fmp4-fragment.ts';
import { encodeFmp4Init, type Fmp4Track } from './fmp4-init.ts';
import { readFmp4Runs, readFmp4Tracks, readMp4BoxHeader, setFmp4Duration } from './fmp4-reader.ts';
import { FormatError } from './format-error.ts';

const hasFfprobe = spawnSync('ffprobe', ['-version']).status === 0 || process.env.CI === 'true';
const fixturePath = (name: string) => new URL(`../fixtures/${name}`, import.meta.url);

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl', 'mvex', 'moof', 'traf']);
type Box = { type: string; offset: number; body: DataView; children: Box[] };

/** The tree of boxes; throws when sizes do not add up. */
function boxes(bytes: Uint8Array, start = 0, end = bytes.length): Box[] {
  const found: Box[] = [];
  let offset = start;
  while (offset < end) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const sizeBytes = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (sizeBytes < 8 || offset + sizeBytes > end) throw new Error(`${type} at ${offset} does not fit its parent`);
    const body = new DataView(bytes.buffer, bytes.byteOffset + offset + 8, sizeBytes - 8);
    const children = CONTAINERS.has(type) ? boxes(bytes, offset + 8, offset + sizeBytes) : [];
    found.push({ type, offset, body, children });
    offset += sizeBytes;
  }
  return found;
}

function only(list: readonly Box[], ...path: readonly string[]): Box {
  const [type, ...rest] = path;
  const [box, second] = list.filter((one) => one.type === type);
  if (box === undefined || second !== undefined) throw new Error(`not exactly one ${type}`);
  return rest.length === 0 ? box : only(box.children, ...rest);
}

/** 32-bit words, one after the other. */
class Words {
  readonly #view: DataView;
  offset: number;

  constructor(view: DataView, offset: number) {
    this.#view = view;
    this.offset = offset;
  }

  next(): number {
    this.offset += 4;
    return this.#view.getUint32(this.offset - 4);
  }
}

/** Reads a fragment back, by the flags it carries. */
function parseFragment(bytes: Uint8Array) {
  const top = boxes(bytes);
  const moof = only(top, 'moof');
  const runs = moof.children
    .filter((box) => box.type === 'traf')
    .map((traf) => {
      const tfhd = only([traf], 'traf', 'tfhd').body;
      const tfhdFlags = tfhd.getUint32(0) & 0xff_ff_ff;
      const header = new Words(tfhd, 8);
      const defaultDuration = (tfhdFlags & 8) === 0 ? null : header.next();
      const defaultFlags = (tfhdFlags & 0x20) === 0 ? null : header.next();
      const trun = only([traf], 'traf', 'trun').body;
      const flags = trun.getUint32(0) & 0xff_ff_ff;
      let dataAt = moof.offset + trun.getUint32(8);
      const words = new Words(trun, 12);
      const samples = Array.from({ length: trun.getUint32(4) }, (): Fmp4Sample => {
        const durationTicks = (flags & 0x100) === 0 ? defaultDuration : words.next();
        const sizeBytes = words.next();
        const sampleFlags = (flags & 0x400) === 0 ? defaultFlags : words.next();
        const compositionOffsetTicks = (flags & 0x800) === 0 ? 0 : words.next() | 0;
        const data = bytes.slice(dataAt, dataAt + sizeBytes);
        dataAt += sizeBytes;
        const isKeyframe = ((sampleFlags ?? 0) & 0x1_0000) === 0;
        return { data, durationTicks: durationTicks ?? -1, compositionOffsetTicks, isKeyframe };
      });
      expect(words.offset).toBe(trun.byteLength);
      const baseDecodeTimeTicks = Number(only([traf], 'traf', 'tfdt').body.getBigUint64(4));
      return { trackId: tfhd.getUint32(4), baseDecodeTimeTicks, samples };
    });
  return { sequenceNumber: only([moof], 'moof', 'mfhd').body.getUint32(4), runs, types: top.map((box) => box.type) };
}

const sample = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  durationTicks: fc.constantFrom(40, 33, 0x7fff_ffff),
  compositionOffsetTicks: fc.constantFrom(0, 0, 80, -80),
  isKeyframe: fc.boolean(),
});
const run = fc.record({
  baseDecodeTimeTicks: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  samples: fc.array(sample, { minLength: 1, maxLength: 8 }),
});

const VIDEO: Fmp4Track = {
  kind: 'video',
  codec: 'avc',
  config: Uint8Array.of(1, 2, 3),
  widthPx: 320,
  heightPx: 180,
  timescale: 1_000,
};
const AUDIO: Fmp4Track = {
  kind: 'audio',
  codec: 'aac',
  config: Uint8Array.of(0x11, 0x90),
  sampleRateHz: 48_000,
  channels: 2,
  timescale: 48_000,
};

describe('fragments', () => {
  test('any samples of any tracks are read back as they were given', () => {
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 3 }), fc.nat({ max: 2 ** 32 - 1 }), (runs, sequence) => {
        const tracks = runs.map((one, index) => ({ trackId: index + 1, ...one }));
        const bytes = encodeFmp4Fragment({ sequenceNumber: sequence, tracks });
        expect(parseFragment(bytes)).toEqual({ sequenceNumber: sequence, runs: tracks, types: ['moof', 'mdat'] });
      }),
    );
  });

  test('the reader finds the tracks, times and first flags of any fragment', () => {
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 3 }), (runs) => {
        const tracks = runs.map((one, index) => ({ trackId: index + 1, ...one }));
        const bytes = encodeFmp4Fragment({ sequenceNumber: 9, tracks });
        expect(readFmp4Runs(bytes.subarray(0, readMp4BoxHeader(bytes, 0).sizeBytes))).toEqual({
          sequenceNumber: 9,
          runs: tracks.map(({ trackId, baseDecodeTimeTicks, samples }) => ({
            trackId,
            baseDecodeTimeTicks,
            durationTicks: samples.reduce((sum, { durationTicks }) => sum + durationTicks, 0),
            startsWithKeyframe: samples[0]?.isKeyframe,
          })),
        });
      }),
    );
  });

  test('bytes that were torn or never ours are refused with a FormatError', () => {
    const whole = encodeFmp4Init([VIDEO, AUDIO]);
    const moov = whole.subarray(readMp4BoxHeader(whole, 0).sizeBytes);
    const one = { data: Uint8Array.of(7), durationTicks: 40, compositionOffsetTicks: 0, isKeyframe: true };
    const tracks = [{ trackId: 1, baseDecodeTimeTicks: 0, samples: [one, { ...one, durationTicks: 41 }] }];
    const fragment = encodeFmp4Fragment({ sequenceNumber: 1, tracks });
    const moof = fragment.subarray(0, readMp4BoxHeader(fragment, 0).sizeBytes);
    const attempt = (read: () => unknown) => {
      try {
        read();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    };
    const spoilt = (bytes: Uint8Array) =>
      fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length)).map(([at, byte, end]) => {
        const copy = bytes.slice();
        copy[at] = byte;
        return copy.subarray(0, end);
      });
    fc.assert(fc.property(spoilt(moov), (bytes) => attempt(() => readFmp4Tracks(bytes))));
    fc.assert(fc.property(spoilt(moof), (bytes) => attempt(() => readFmp4Runs(bytes))));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attempt(() => readFmp4Runs(bytes))));
    expect(() => readFmp4Tracks(moov.subarray(0, 20))).toThrow(FormatError);
  });

  test('what all samples have in common is said once', () => {
    const same = { data: Uint8Array.of(1), durationTicks: 1_024, compositionOffsetTicks: 0, isKeyframe: true };
    const bytes = encodeFmp4Fragment({
      sequenceNumber: 1,
      tracks: [{ trackId: 1, baseDecodeTimeTicks: 0, samples: Array.from({ length: 50 }, () => same) }],
    });
    expect(bytes.length).toBeLessThan(150 + 50 * 5);
  });

  test('a segment may begin with its type and the wall clock of its first frame', () => {
    const one = { data: Uint8Array.of(7), durationTicks: 40, compositionOffsetTicks: 0, isKeyframe: true };
    const bytes = encodeFmp4Fragment({
      sequenceNumber: 3,
      tracks: [
        { trackId: 1, baseDecodeTimeTicks: 80, samples: [one] },
        { trackId: 2, baseDecodeTimeTicks: 0, samples: [] },
      ],
      startsSegment: true,
      referenceTime: { trackId: 1, wallMs: 1_700_000_000_250, decodeTimeTicks: 80 },
    });
    const { runs, types } = parseFragment(bytes);
    expect(types).toEqual(['styp', 'prft', 'moof', 'mdat']);
    expect(runs).toEqual([{ trackId: 1, baseDecodeTimeTicks: 80, samples: [one] }]);
    const clock = only(boxes(bytes), 'prft').body;
    const unixSeconds = clock.getUint32(8) - 2_208_988_800 + clock.getUint32(12) / 2 ** 32;
    expect([unixSeconds, Number(clock.getBigUint64(16))]).toEqual([1_700_000_000.25, 80]);
  });

  test('a fragment without samples is refused', () => {
    expect(() => encodeFmp4Fragment({ sequenceNumber: 1, tracks: [] })).toThrow(RangeError);
    expect(() => encodeFmp4Init([])).toThrow(RangeError);
  });
});

describe('init segments', () => {
  test('equal tracks have equal descriptions, whatever their number', () => {
    const facts = (tracks: Fmp4Track[]) => {
      const init = encodeFmp4Init(tracks, { durationMs: 5 });
      return readFmp4Tracks(init.subarray(readMp4BoxHeader(init, 0).sizeBytes));
    };
    const [first, second] = facts([AUDIO, VIDEO]);
    expect(facts([VIDEO])[0]).toEqual({ ...second, trackId: 1 });
    expect([first?.timescale, second?.timescale]).toEqual([48_000, 1_000]);
    const other = { ...VIDEO, config: Uint8Array.of(1, 2, 4) };
    expect(facts([other])[0]?.description).not.toEqual(second?.description);
  });

  test('tracks are numbered in order; configs are verbatim; one track makes a CMAF header', () => {
    const muxed = boxes(encodeFmp4Init([VIDEO, AUDIO]));
    const ids = only(muxed, 'moov').children.filter((box) => box.type === 'trak');
    expect(ids.map((trak) => only([trak], 'trak', 'tkhd').body.getUint32(12))).toEqual([1, 2]);
    expect(only(muxed, 'moov', 'mvex').children.map((box) => box.body.getUint32(4))).toEqual([1, 2]);
    const brands = (tracks: Fmp4Track[]) => new TextDecoder().decode(only(boxes(encodeFmp4Init(tracks)), 'ftyp').body);
    expect(brands([VIDEO])).toContain('cmfc');
    expect(brands([VIDEO, AUDIO])).not.toContain('cmfc');
    const text = String.fromCharCode(...encodeFmp4Init([{ ...VIDEO, codec: 'hevc' }]));
    expect(text).toContain('hvc1');
    expect(text).toContain('hvcC\u0001\u0002\u0003');
  });

  test('a duration changes no other byte, so that a file can be given its own at the end', () => {
    const [before, after] = [0, 7_200_000].map((durationMs) => encodeFmp4Init([VIDEO, AUDIO], { durationMs }));
    expect(before?.length).toBe(after?.length);
    expect(setFmp4Duration(encodeFmp4Init([VIDEO]), 1)).toBe(false);
    const rewritten = before?.slice() ?? new Uint8Array(0);
    expect([setFmp4Duration(rewritten, 7_200_000), rewritten]).toEqual([true, after]);
    const changed = [...(before ?? [])].filter((byte, index) => byte !== after?.[index]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThanOrEqual(8);
  });
});

/** The frames of an FLV file as samples, and its tracks. */
function samplesOf(name: string) {
  const tags: FlvTag[] = [];
  new FlvDemuxer({ onTag: (tag) => tags.push(tag), tagBytesMax: 1_000_000 }).push(
    new Uint8Array(readFileSync(fixturePath(name))),
  );
  const tracks: Fmp4Track[] = [];
  const frames: { timeMs: number; sample: Fmp4Sample }[][] = [];
  for (const typeId of [FlvTagType.video, FlvTagType.audio]) {
    const read = typeId === FlvTagType.video ? readFlvVideoHeader : readFlvAudioHeader;
    const own = tags.filter((tag) => tag.typeId === typeId).map((tag) => ({ ...tag, header: read(tag.payload) }));
    const first = own.find((tag) => tag.header.kind === 'sequence-header');
    if (first === undefined) continue;
    const config = first.payload.subarray(first.header.dataOffset);
    if (typeId === FlvTagType.video) {
      const { sps } = parseAvcConfig(config);
      tracks.push({ ...VIDEO, config, widthPx: sps.widthPx, heightPx: sps.heightPx } as Fmp4Track);
    } else {
      tracks.push({ ...AUDIO, config, ...parseAacConfig(config), codec: 'aac', timescale: 1_000 } as Fmp4Track);
    }
    const coded = own.filter((tag) => tag.header.kind === 'frames');
    frames.push(
      coded.map((tag, index) => ({
        timeMs: tag.timestampMs,
        sample: {
          data: tag.payload.subarray(tag.header.dataOffset),
          durationTicks: (coded[index + 1]?.timestampMs ?? tag.timestampMs + 40) - tag.timestampMs,
          compositionOffsetTicks: 'compositionTimeMs' in tag.header ? tag.header.compositionTimeMs : 0,
          isKeyframe: 'isKeyframe' in tag.header ? tag.header.isKeyframe : true,
        },
      })),
    );
  }
  return { tracks, frames };
}

/** Written in fragments of `framesMax` frames per track, as a stream would. */
function muxed(name: string, framesMax: number): Uint8Array {
  const { tracks, frames } = samplesOf(name);
  const parts = [encodeFmp4Init(tracks)];
  for (let from = 0; frames.some((list) => from < list.length); from += framesMax) {
    const runs = frames.map((list, index) => ({
      trackId: index + 1,
      baseDecodeTimeTicks: list[from]?.timeMs ?? 0,
      samples: list.slice(from, from + framesMax).map((one) => one.sample),
    }));
    parts.push(encodeFmp4Fragment({ sequenceNumber: parts.length, tracks: runs }));
  }
  return concatBytes(parts);
}

/** `codec_type,pts_time,dts_time,size,flags` of each packet as ffprobe sees it. */
function probePackets(path: string): string[] {
  const show = ['-show_entries', 'packet=codec_type,pts_time,dts_time,flags', '-of', 'csv=p=0'];
  const { stdout, stderr, status } = spawnSync('ffprobe', ['-v', 'error', ...show, path], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/,(K_|__)_?.*$/, ',$1'))
    .toSorted();
}

describe.skipIf(!hasFfprobe)('what ffprobe reads', () => {
  test.each([
    ['avc-aac-320x180.flv', 12],
    ['avc-bframes-426x240.flv', 7],
    ['aac-mono.flv', 10],
  ])('%s in fragments: every packet with the times and flags of the FLV file', (name, framesMax) => {
    const folder = mkdtempSync(join(tmpdir(), 'fmp4-'));
    try {
      const path = join(folder, 'out.mp4');
      writeFileSync(path, muxed(name, framesMax));
      expect(probePackets(path)).toEqual(probePackets(fixturePath(name).pathname));
      const decode = ['-v', 'error', '-i', path, '-f', 'null', '-'];
      expect(spawnSync('ffmpeg', decode, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
