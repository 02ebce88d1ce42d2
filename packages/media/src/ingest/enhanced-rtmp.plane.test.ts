import {
  type Amf0Object,
  acceptsFourCc,
  decodeWallClockSei,
  encodeFlvAac,
  encodeFlvVideo,
  INGEST_TIME_SEI_UUID,
  readEnhancedRtmp,
  readFlvVideoHeader,
  readUserDataSei,
} from '@showfloor/media-formats';
import { describe, expect, test } from 'vitest';
import { hevcClip } from '../../test/hevc-clip.ts';
import { GOOD_KEY, hasFfmpeg, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import { AAC_FRAME, AAC_HEADER, AVC_HEADER, AVC_KEYFRAME, RawPeer } from '../../test/raw-peer.ts';

const OFFER: Amf0Object = { fourCcList: ['av01', 'hvc1'], videoFourCcInfoMap: { '*': 2 }, capsEx: 15 };

describe('capabilities', () => {
  test('an encoder that asks is told what we forward, and that we have no extension', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-caps', OFFER);
    const answer = peer.commands.find(({ name }) => name === '_result')?.args ?? [];
    for (const said of answer.slice(0, 2).map((value) => readEnhancedRtmp(value))) {
      expect(said?.capsEx).toBe(0);
      expect([acceptsFourCc(said ?? null, 'hvc1'), acceptsFourCc(said ?? null, 'mp4a')]).toEqual([true, true]);
      expect([...(said?.video.keys() ?? [])]).not.toContain('av01');
    }
    expect(answer).toHaveLength(2);
  });

  test('one that does not is told nothing of it', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-plain');
    const answer = peer.commands.find(({ name }) => name === '_result')?.args ?? [];
    expect(answer.map((value) => readEnhancedRtmp(value))).toEqual([null, null]);
  });

  test('when the server stops, an encoder that knows it is asked to reconnect', async () => {
    const floor = await PlaneUnderTest.start();
    const asks = await RawPeer.open(floor.plane.rtmpPort);
    await asks.publish('show-drain', OFFER);
    const plain = await RawPeer.open(floor.plane.rtmpPort);
    await plain.publish('show-drain-2');
    await floor[Symbol.asyncDispose]();
    await until('the ends', () => asks.isClosed && plain.isClosed);
    expect(asks.statuses.at(-1)).toMatch(/^NetConnection\.Connect\.ReconnectRequest/);
    expect(plain.statuses.at(-1)).toMatch(/^NetStream\.Publish\.Start/);
  });
});

describe.skipIf(!hasFfmpeg())('H.265', () => {
  test('goes through to FLV viewers as it came, with the ingest clock in each keyframe', async () => {
    await using floor = await PlaneUnderTest.start();
    floor.publish('show-hevc', GOOD_KEY, hevcClip());
    await until('the stream', () => floor.plane.hub.find('show-hevc')?.state === 'live');
    const watcher = floor.watch('show-hevc');
    await until('three keyframes', () => keyframes(watcher).length >= 3, 20_000);
    const { format } = floor.plane.hub.find('show-hevc') ?? {};
    expect(format?.avc).toBeNull();
    expect([format?.hevc?.sps.widthPx, format?.hevc?.sps.heightPx, format?.hevc?.codec]).toEqual([
      426,
      240,
      'hvc1.1.6.L60.90',
    ]);
    for (const { payload } of keyframes(watcher)) {
      const { codec, form, dataOffset } = readFlvVideoHeader(payload);
      const sei = readUserDataSei(payload.subarray(dataOffset), 4, INGEST_TIME_SEI_UUID, 'hevc');
      expect([codec, form]).toEqual(['hevc', 'fourcc']);
      expect(Math.abs((sei === null ? 0 : (decodeWallClockSei(sei) ?? 0)) - Date.now())).toBeLessThan(10_000);
    }
    const reordered = watcher.pictures.map(({ payload }) => readFlvVideoHeader(payload).compositionTimeMs);
    expect(new Set(reordered).size).toBeGreaterThan(1);
  });

  test('a publisher that returns with the other codec: the new header follows, timestamps go on', async () => {
    await using floor = await PlaneUnderTest.start({ graceMs: 10_000 });
    const first = await floor.onAir('show-switch');
    const watcher = floor.watch('show-switch');
    await until('pictures', () => watcher.pictures.length > 10);
    await first.stop();
    floor.publish('show-switch', GOOD_KEY, hevcClip());
    await until('both codecs', () => new Set(codecs(watcher)).size === 2 && watcher.pictures.length > 30);
    const { format } = floor.plane.hub.find('show-switch') ?? {};
    expect([format?.avc, format?.hevc?.sps.widthPx]).toEqual([null, 426]);
    const times = watcher.pictures.map((tag) => tag.timestampMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

test('H.264 and AAC sent by their FourCC reach viewers in the form that every player reads', async () => {
  await using floor = await PlaneUnderTest.start();
  const peer = await RawPeer.open(floor.plane.rtmpPort);
  await peer.publish('show-fourcc', OFFER);
  const video = { codec: 'avc', isKeyframe: true, compositionTimeMs: 0 } as const;
  const config = encodeFlvVideo({ ...video, kind: 'sequence-header', data: AVC_HEADER.subarray(5) }, 'fourcc');
  peer.sendMedia('video', config);
  peer.sendMedia('audio', [0x90, ...Buffer.from('mp4a'), ...AAC_HEADER.subarray(2)]);
  await until('the headers', () => floor.plane.hub.list()[0]?.stream.headers.audio !== null);
  const picture = { ...video, kind: 'frames', compositionTimeMs: 80, data: AVC_KEYFRAME.subarray(5) } as const;
  peer.sendMedia('video', encodeFlvVideo(picture, 'fourcc'));
  peer.sendMedia('audio', [0x91, ...Buffer.from('mp4a'), ...AAC_FRAME.subarray(2)]);
  await until('the stream', () => floor.plane.hub.find('show-fourcc')?.gop.length === 2);
  const { headers, gop } = floor.plane.hub.find('show-fourcc') ?? {};
  expect(headers?.video?.payload).toEqual(AVC_HEADER);
  expect(headers?.audio?.payload).toEqual(encodeFlvAac('sequence-header', AAC_HEADER.subarray(2)));
  expect(gop?.[0] === undefined ? null : readFlvVideoHeader(gop[0].payload)).toMatchObject({
    form: 'legacy',
    isKeyframe: true,
    compositionTimeMs: 80,
  });
  expect(gop?.[1]?.payload).toEqual(AAC_FRAME);
});

function keyframes(watcher: { pictures: { payload: Uint8Array }[] }) {
  return watcher.pictures.filter(({ payload }) => readFlvVideoHeader(payload).isKeyframe);
}

function codecs(watcher: { pictures: { payload: Uint8Array }[] }) {
  return watcher.pictures.map(({ payload }) => readFlvVideoHeader(payload).codec);
}
