/**
 * V5, the show that does not end, at the video plane. Scaled for every run; in full: `V5_GAPS_MS=1000,10000,20000,30000,40000,50000,
 * 60000,70000,80000,90000 V5_LEG_MS=900000 npx vitest run --project planes -t V5`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  type FlvTag,
  FlvTagType,
  INGEST_TIME_SEI_UUID,
  readFlvVideoHeader,
  readUserDataSei,
} from '@showfloor/media-formats';
import { connectRtmpPublisher, publishFlvLoop } from '@showfloor/rtmp-client';
import { expect, test } from 'vitest';
import { CutProxy } from '../../test/cut-proxy.ts';
import { ffmpegTo } from '../../test/encoders.ts';
import { CLIP, type FlvWatcher, GOOD_KEY, hasFfmpeg, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import type { MediaPacket } from './media-packet.ts';
import type { Stream } from './stream.ts';

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../media-formats/fixtures/${name}`, import.meta.url)));
/** Same size and frame rate as CLIP, by another encoder: only the parameter sets differ. */
const OTHER_ENCODER = fixture('gstreamer-avc-aac-320x180.flv');

const GAPS_MS = (process.env.V5_GAPS_MS ?? '10,100,200,300,400,500,600,700,800,900').split(',').map(Number);
const LEG_MS = Number(process.env.V5_LEG_MS ?? 700);
const PICTURE_BACK_MS_MAX = 3_000;
const FRAME_MS = 40;
const FULL_TEST_MS = GAPS_MS.reduce((sum, gapMs) => sum + gapMs + LEG_MS + 10_000, 60_000);

/** What an output of the stream was told, in letters: H header, K keyframe, p picture, s sound, | another publisher. */
class Witness {
  story = '';
  readonly keyframes: { packet: MediaPacket; wallMs: number; labelMs: number }[] = [];

  constructor(stream: Stream) {
    stream.attach({
      packet: (packet) => {
        this.story += packet.kind === 'sequence-header' ? 'H' : letterOf(packet);
        if (packet.track !== 'video' || !packet.isKeyframe || packet.kind !== 'frames') return;
        const labelMs = stream.wallClockAt(packet.timestampMs);
        this.keyframes.push({ packet, wallMs: clockOf(packet.payload, INGEST_TIME_SEI_UUID), labelMs });
      },
      sourceChanged: () => {
        this.story += '|';
      },
      tracksChanged: () => {
        this.story += '!';
      },
      interrupted: () => undefined,
      resumed: () => undefined,
      ended: () => undefined,
    });
  }
}

function letterOf({ track, isKeyframe }: MediaPacket): string {
  return track === 'audio' ? 's' : isKeyframe ? 'K' : 'p';
}

/** A clock that rides in a picture, in ms since 1970. */
function clockOf(payload: Uint8Array, uuid: Uint8Array): number {
  const sei = readUserDataSei(payload.subarray(readFlvVideoHeader(payload).dataOffset), 4, uuid);
  return sei === null ? Number.NaN : (decodeWallClockSei(sei) ?? Number.NaN);
}

/** Steps between the frames of a track as a viewer got them. */
function stepsOf(watcher: FlvWatcher, typeId: number): number[] {
  const isFrame = (tag: FlvTag): boolean => tag.typeId === typeId && tag.payload[1] !== 0; // the second byte of AVC and AAC headers
  const times = watcher.tags.filter(isFrame).map((tag) => tag.timestampMs);
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

/** Publishes by our own client, which reconnects by itself, until it is stopped. */
function loopTo(url: string, flvBytes: Uint8Array): () => Promise<void> {
  const abort = new AbortController();
  const retry = { retryFirstMs: 20, retryMaxMs: 50 };
  const done = publishFlvLoop({ url, flvBytes, signal: abort.signal, ...retry });
  return async () => {
    abort.abort();
    await done;
  };
}

async function streamOf(floor: PlaneUnderTest, playbackId: string): Promise<Stream> {
  const [stream] =
    (await until('the stream', () => {
      const found = floor.plane.hub.find(playbackId);
      return found === undefined ? null : [found];
    })) ?? [];
  if (stream === undefined) throw new Error(`${playbackId} is not on air`);
  return stream;
}

test(`V5 ${GAPS_MS.length} drops of a publisher: one session, one URL, nobody reconnects, the picture is back at once`, {
  timeout: FULL_TEST_MS,
}, async () => {
  await using floor = await PlaneUnderTest.start({ graceMs: 120_000, keepAliveMs: 100 });
  await using proxy = new CutProxy(floor.plane.rtmpPort);
  const url = `rtmp://127.0.0.1:${await proxy.listen()}/live/show-v5?key=${GOOD_KEY}`;
  let stop = loopTo(url, CLIP);
  const stream = await streamOf(floor, 'show-v5');
  const witness = new Witness(stream);
  const watcher = floor.watch('show-v5');
  const late: number[] = [];
  watcher.onPicture = ({ payload }) => {
    if (readFlvVideoHeader(payload).isKeyframe) late.push(Date.now() - clockOf(payload, CAPTURE_TIME_SEI_UUID));
  };
  for (const [index, gapMs] of GAPS_MS.entries()) {
    await sleep(LEG_MS);
    await until('a keyframe', () => late.length > 0);
    const before = { late: late.length, wallMs: witness.keyframes.at(-1)?.wallMs ?? 0 };
    // Some encoders count on, others begin at 0 again.
    const isRestarted = index % 2 === 1;
    proxy.cut(isRestarted ? 'closed' : 'reset');
    const cutAtMs = Date.now();
    if (isRestarted) await stop();
    await until('the interruption', () => stream.state === 'interrupted');
    await sleep(gapMs);
    proxy.mend();
    if (isRestarted) stop = loopTo(url, CLIP);
    await until(`the picture after a gap of ${gapMs} ms`, () => late.length > before.late);
    expect(late[before.late]).toBeLessThan(PICTURE_BACK_MS_MAX);
    expect(stream.state).toBe('live');
    expect(witness.keyframes.at(-1)?.wallMs).toBeGreaterThanOrEqual(cutAtMs + gapMs);
  }
  await stop();

  await until('the end of the last leg', () => stream.state === 'interrupted');
  expect(floor.story).toEqual(['started', ...GAPS_MS.flatMap(() => ['interrupted', 'resumed']), 'interrupted']);
  expect(new Set(floor.events.map(({ sessionId }) => sessionId))).toEqual(new Set([stream.sessionId]));
  expect([watcher.isClosed, watcher.status]).toEqual([false, 200]);
  // Time goes on by a frame, whatever the gap was.
  for (const [typeId, stepMsMin, stepMsMax] of [
    [FlvTagType.video, FRAME_MS, 2 * FRAME_MS],
    [FlvTagType.audio, 1, 2 * FRAME_MS + 24],
  ] as const) {
    const steps = stepsOf(watcher, typeId);
    const [least, most] = [Math.min(...steps), Math.max(...steps)];
    expect([least >= stepMsMin, most <= stepMsMax, { least, most }]).toEqual([true, true, expect.anything()]);
  }
  // The wall clock jumps instead: in the pictures, and in the labels that playlists carry.
  expect(witness.story.match(/\|/g)?.length).toBe(GAPS_MS.length);
  expect(witness.story).not.toContain('H'); // the same encoder: no decoder starts anew
  expect(witness.story).not.toMatch(/\|[ps]*p[ps]*K/); // a return begins with a keyframe
  const jumps = witness.keyframes.slice(1).map(({ packet, wallMs }, index) => {
    const last = witness.keyframes[index];
    return wallMs - (last?.wallMs ?? 0) - (packet.timestampMs - (last?.packet.timestampMs ?? 0));
  });
  for (const gapMs of GAPS_MS) expect(jumps.some((jump) => jump >= gapMs * 0.9)).toBe(true);
  for (const { wallMs, labelMs } of witness.keyframes) expect(Math.abs(wallMs - labelMs)).toBeLessThan(250);
});

test('V5 a link that fades without a word: the encoder that returns is a rival at first, then takes over', async () => {
  await using floor = await PlaneUnderTest.start({ rivalWindowMs: 400 });
  await using proxy = new CutProxy(floor.plane.rtmpPort);
  const url = `rtmp://127.0.0.1:${await proxy.listen()}/live/show-fade?key=${GOOD_KEY}`;
  const stop = loopTo(url, CLIP);
  const stream = await streamOf(floor, 'show-fade');
  const witness = new Witness(stream);
  const watcher = floor.watch('show-fade');
  await until('pictures', () => watcher.pictures.length > 20);
  proxy.cut('silent');
  proxy.mend();
  await until('the new publisher', () => witness.story.includes('|'));
  const before = watcher.pictures.length;
  await until('pictures', () => watcher.pictures.length > before + 20);
  expect(floor.story).toEqual(['started']); // no viewer was told of an interruption
  await stop();
  expect(await floor.metricsText()).toContain('media_publish_total{outcome="bad_name"');
  expect(await floor.metricsText()).toMatch(/media_rtmp_session_ends_total\{reason="replaced"[^}]*\} 1/);
  expect(watcher.isClosed).toBe(false);
  expect(Math.min(...stepsOf(watcher, FlvTagType.video))).toBeGreaterThan(0);
});

test('V5 a rival with the right key changes nothing for those who watch', async () => {
  await using floor = await PlaneUnderTest.start();
  await floor.onAir('show-rival');
  const stream = await streamOf(floor, 'show-rival');
  const witness = new Witness(stream);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const rival = await connectRtmpPublisher({ url: floor.rtmpUrl('show-rival') });
    expect(rival).toMatchObject({ ok: false, reason: 'bad_name', statusCode: 'NetStream.Publish.BadName' });
  }
  await until('pictures', () => witness.story.length > 60);
  expect(witness.story).toMatch(/^[Kps]+$/);
  expect(floor.story).toEqual(['started']);
});

test('V5 another encoder on return: its parameter sets reach outputs before its first picture, and nothing else changes', async () => {
  await using floor = await PlaneUnderTest.start({ graceMs: 20_000 });
  const first = await floor.onAir('show-encoder');
  const stream = await streamOf(floor, 'show-encoder');
  const profile = stream.format.avc?.sps.profileIdc;
  const witness = new Witness(stream);
  const watcher = floor.watch('show-encoder');
  await until('pictures', () => watcher.pictures.length > 10);
  await first.stop();
  floor.publish('show-encoder', GOOD_KEY, OTHER_ENCODER);
  await until('the other encoder', () => /\|.*K[ps]{10}/.test(witness.story));
  const back = witness.story.slice(witness.story.indexOf('|'));
  expect(back).toMatch(/^\|H[Hs]*K/); // announced, then headers, then a picture that needs nothing before it
  const { avc } = stream.format;
  expect([avc?.sps.widthPx, avc?.sps.heightPx]).toEqual([320, 180]);
  expect(avc?.sps.profileIdc).not.toBe(profile);
  expect([floor.story, watcher.isClosed]).toEqual([['started', 'interrupted', 'resumed'], false]);
  expect(Math.min(...stepsOf(watcher, FlvTagType.video))).toBeGreaterThan(0);
});

test.skipIf(!hasFfmpeg())('V5 ffmpeg is killed, and returns with a larger picture', async () => {
  await using floor = await PlaneUnderTest.start({ graceMs: 20_000 });
  const url = floor.rtmpUrl('show-larger');
  await using small = ffmpegTo(url);
  const stream = await streamOf(floor, 'show-larger');
  const watcher = floor.watch('show-larger');
  await until('pictures', () => watcher.pictures.length > 30);
  await small.kill();
  await until('the interruption', () => stream.state === 'interrupted');
  const before = watcher.pictures.length;
  const witness = new Witness(stream);
  await using _large = ffmpegTo(url, { size: '640x360' });
  await until('pictures', () => watcher.pictures.length > before + 30);
  expect(stream.format.avc?.sps.widthPx).toBe(640);
  expect(witness.story).toMatch(/^\|H/);
  expect(Math.max(...stepsOf(watcher, FlvTagType.video))).toBeLessThan(150);
  expect(Math.min(...stepsOf(watcher, FlvTagType.video))).toBeGreaterThan(0);
  expect(watcher.isClosed).toBe(false);
});
