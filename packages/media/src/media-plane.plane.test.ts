import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import {
  CAPTURE_TIME_SEI_UUID,
  concatBytes,
  decodeWallClockSei,
  encodeFlvHeader,
  encodeFlvTag,
  FlvDemuxer,
  type FlvTag,
  FlvTagType,
  INGEST_TIME_SEI_UUID,
  readFlvVideoHeader,
  readUserDataSei,
} from '@showfloor/media-formats';
import { describe, expect, test } from 'vitest';
import {
  CLIP,
  FlvWatcher,
  GOOD_KEY,
  hasFfmpeg,
  metricOf,
  PlaneUnderTest,
  run,
  until,
} from '../test/plane-under-test.ts';
import type { MediaHook } from './hooks/media-hooks.ts';

const SOUND_CLIP = new Uint8Array(readFileSync(new URL('../../media-formats/fixtures/aac-mono.flv', import.meta.url)));
const words = (line: string): string[] => line.trim().split(/\s+/);

function clockOf(tag: FlvTag, uuid: Uint8Array): number | null {
  const { dataOffset } = readFlvVideoHeader(tag.payload);
  const payload = readUserDataSei(tag.payload.subarray(dataOffset), 4, uuid);
  return payload === null ? null : decodeWallClockSei(payload);
}

function expectMonotonic(tags: readonly FlvTag[], gapMsMax: number): void {
  for (const typeId of [FlvTagType.audio, FlvTagType.video]) {
    const times = tags.filter((tag) => tag.typeId === typeId).map((tag) => tag.timestampMs);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(gapMsMax);
  }
}

describe('from publisher to viewer', () => {
  test.skipIf(!hasFfmpeg())('ffmpeg publishes H.264 and AAC, ffprobe reads them as they were', async () => {
    await using floor = await PlaneUnderTest.start();
    const encoder = run(
      'ffmpeg',
      words(`-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=frequency=440:sample_rate=44100
        -t 6 -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -pix_fmt yuv420p -c:a aac -b:a 64k
        -f flv ${floor.rtmpUrl('show-ffmpeg')}`),
    );
    await until('the stream', () => floor.plane.hub.find('show-ffmpeg')?.state === 'live');
    const watcher = floor.watch('show-ffmpeg');
    const probe = await run(
      'ffprobe',
      words(`-v error -read_intervals %+2 -count_packets -of json
        -show_entries stream=codec_name,width,height,r_frame_rate,sample_rate,nb_read_packets
        ${floor.flvUrl('show-ffmpeg')}`),
    );
    const { streams } = JSON.parse(probe.stdout) as { streams: Record<string, unknown>[] };
    expect(streams).toHaveLength(2);
    expect(streams).toContainEqual(
      expect.objectContaining({ codec_name: 'h264', width: 640, height: 360, r_frame_rate: '30/1' }),
    );
    expect(streams).toContainEqual(expect.objectContaining({ codec_name: 'aac', sample_rate: '44100' }));
    expect((await encoder).stderr).toBe('');
    expect(watcher.pictures.length).toBeGreaterThan(90);
    expectMonotonic(watcher.tags.filter((tag) => tag.typeId !== FlvTagType.script).slice(2), 60);
    expect(floor.story).toEqual(['started', 'interrupted']);
  });

  test('a joiner has headers and a keyframe at once, and every keyframe carries the ingest clock', async () => {
    await using floor = await PlaneUnderTest.start();
    await floor.onAir('show-join');
    const watcher = floor.watch('show-join');
    await until('three keyframes', () => watcher.pictures.filter(isKeyframe).length >= 3);
    const [metadata, video, audio, first] = watcher.tags;
    expect([metadata, video, audio, first].map((tag) => tag?.typeId)).toEqual([18, 9, 8, 9]);
    expect(first !== undefined && isKeyframe(first)).toBe(true);
    for (const picture of watcher.pictures) {
      expect(Math.abs((clockOf(picture, CAPTURE_TIME_SEI_UUID) ?? 0) - Date.now())).toBeLessThan(10_000);
      expect(clockOf(picture, INGEST_TIME_SEI_UUID) !== null).toBe(isKeyframe(picture));
    }
  });

  test('a publisher that drops and returns: one session, one connection, timestamps go on', async () => {
    await using floor = await PlaneUnderTest.start({ keepAliveMs: 50, graceMs: 5_000 });
    const first = await floor.onAir('show-drop');
    const watcher = floor.watch('show-drop');
    await until('pictures', () => watcher.pictures.length > 10);
    await first.stop();
    await until('keep-alive tags', () => watcher.states.filter((state) => state === 'interrupted').length >= 3);
    const before = watcher.pictures.length;
    const late = floor.watch('show-drop');
    await until('the last picture for a joiner in grace', () => late.pictures.length > 0);
    await floor.onAir('show-drop');
    await until('pictures after the return', () => watcher.pictures.length > before + 30);
    expect(watcher.isClosed).toBe(false);
    expectMonotonic(watcher.tags.filter((tag) => tag.typeId !== FlvTagType.script).slice(2), 80);
    expect(floor.story).toEqual(['started', 'interrupted', 'resumed']);
    expect(new Set(floor.events.map((event) => event.sessionId)).size).toBe(1);
    expect(watcher.states.at(-1)).toBe('live');
    const stepMs = (watcher.pictures[before]?.timestampMs ?? 0) - (watcher.pictures[before - 1]?.timestampMs ?? 0);
    expect(stepMs).toBeGreaterThan(0);
    expect(stepMs).toBeLessThanOrEqual(80);
  });

  test('when the grace window runs out the viewers are ended and the stream is unknown', async () => {
    await using floor = await PlaneUnderTest.start({ graceMs: 150 });
    const loop = await floor.onAir('show-end');
    const watcher = floor.watch('show-end');
    await until('pictures', () => watcher.pictures.length > 5);
    await loop.stop();
    await until('the end of the response', () => watcher.isClosed);
    expect(watcher.states).toEqual(['interrupted', 'ended']);
    expect(floor.story).toEqual(['started', 'interrupted', 'ended']);
    expect(floor.events.map((event) => event.reason)).toEqual([undefined, 'publisher_stopped', 'grace_over']);
    expect((await fetch(floor.flvUrl('show-end'))).status).toBe(404);
  });

  test('a publisher on air keeps its place against a rival', async () => {
    await using floor = await PlaneUnderTest.start();
    await floor.onAir('show-rival');
    const rival = floor.publish('show-rival');
    await until('a refusal', () => rival.states.some((state) => state.kind === 'waiting'));
    expect(rival.states.find((state) => state.kind === 'waiting')).toMatchObject({
      reason: 'bad_name',
      statusCode: 'NetStream.Publish.BadName',
    });
    expect(floor.story).toEqual(['started']);
  });

  test('a stale publisher is replaced and the viewers stay', async () => {
    await using floor = await PlaneUnderTest.start({ rivalWindowMs: 0 });
    const stale = await floor.onAir('show-stale');
    const watcher = floor.watch('show-stale');
    await until('pictures', () => watcher.pictures.length > 5);
    const before = watcher.pictures.length;
    floor.publish('show-stale');
    await until('the old one to be cut', () => stale.states.some((state) => state.kind === 'waiting'));
    await stale.stop();
    await until('more pictures', () => watcher.pictures.length > before + 30);
    expectMonotonic(watcher.tags.filter((tag) => tag.typeId !== FlvTagType.script).slice(2), 80);
    expect(watcher.isClosed).toBe(false);
    expect(floor.story).not.toContain('ended');
  });
});

test('sound without picture has no keyframes to wait for', async () => {
  await using floor = await PlaneUnderTest.start();
  floor.publish('show-sound', GOOD_KEY, SOUND_CLIP);
  await until('the stream', () => floor.plane.hub.find('show-sound')?.state === 'live');
  const early = floor.watch('show-sound');
  const sounds = (watcher: FlvWatcher) => watcher.tags.filter((tag) => tag.typeId === FlvTagType.audio);
  await until('sound', () => sounds(early).length > 20);
  const late = floor.watch('show-sound');
  await until('sound for the late one', () => sounds(late).length > 20);
  for (const watcher of [early, late]) expect(sounds(watcher)[0]?.payload[1]).toBe(0); // the sequence header comes first
  expectMonotonic(early.tags.slice(2), 60);
});

test('a publisher that comes back without picture: those who watched are ended, joiners get sound', async () => {
  await using floor = await PlaneUnderTest.start();
  const full = await floor.onAir('show-less');
  const before = floor.watch('show-less');
  await until('pictures', () => before.pictures.length > 5);
  await full.stop();
  floor.publish('show-less', GOOD_KEY, SOUND_CLIP);
  await until('the old connection to end', () => before.isClosed);
  const after = floor.watch('show-less');
  await until('sound', () => after.tags.filter((tag) => tag.typeId === FlvTagType.audio).length > 20);
  expect(after.tags.some((tag) => tag.typeId === FlvTagType.video)).toBe(false);
  expect(before.states).toEqual(['interrupted', 'live']);
  expect(floor.story).toEqual(['started', 'interrupted', 'resumed']);
  await until('the count', async () => (await floor.metricsText()).includes('reason="tracks_changed"'));
});

test('a publisher that comes back without sound: joiners get the picture at once', async () => {
  await using floor = await PlaneUnderTest.start();
  const full = await floor.onAir('show-mute');
  const before = floor.watch('show-mute');
  await until('pictures', () => before.pictures.length > 5);
  await full.stop();
  floor.publish('show-mute', GOOD_KEY, withoutSound(CLIP));
  await until('the old connection to end', () => before.isClosed);
  const after = floor.watch('show-mute');
  await until('pictures', () => after.pictures.length > 30);
  expect(after.tags.some((tag) => tag.typeId === FlvTagType.audio)).toBe(false);
  expect(after.pictures[0] !== undefined && isKeyframe(after.pictures[0])).toBe(true);
  expect(floor.plane.viewers()).toHaveLength(1);
});

test('hooks tell of publishers that left and of viewers that came and went, without their keys', async () => {
  const hooks: MediaHook[] = [];
  await using floor = await PlaneUnderTest.start({ onHook: (hook) => hooks.push(hook) });
  const loop = await floor.onAir('show-hooks');
  const watcher = floor.watch('show-hooks');
  await until('pictures', () => watcher.pictures.length > 0);
  watcher.close();
  await until('the viewer to leave', () => hooks.length === 2);
  await loop.stop();
  await until('the publisher to leave', () => hooks.length === 3);
  expect(hooks.map(({ action }) => action)).toEqual(['on_play', 'on_stop', 'on_unpublish']);
  expect(hooks[0]?.client_id).toBe(hooks[1]?.client_id);
  for (const hook of hooks) expect(hook).toMatchObject({ app: 'live', stream: 'show-hooks', ip: '127.0.0.1' });
  expect(JSON.stringify(hooks)).not.toContain(GOOD_KEY);
});

describe('HTTP', () => {
  test('one connection is one viewer, however many requests come on it', async () => {
    await using floor = await PlaneUnderTest.start();
    await floor.onAir('show-pipe');
    const socket = connect({ host: '127.0.0.1', port: floor.plane.httpPort });
    const closed = once(socket, 'close');
    socket.on('error', () => undefined); // reset by the server
    socket.resume();
    const { pathname } = new URL(floor.flvUrl('show-pipe'));
    for (let index = 0; index < 5; index += 1) socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await closed;
    await until('nobody left', () => floor.plane.viewers().length === 0);
    expect(metricOf(await floor.metricsText(), 'media_subscriber_ends_total')).toBe(1);
  });

  test('unknown streams are refused at once, readable by a page of any origin', async () => {
    await using floor = await PlaneUnderTest.start();
    for (const path of ['/live/nobody.flv', '/live/live/nobody.flv', '/live/UPPER.flv', '/', '/live/../x.flv']) {
      const response = await fetch(`http://127.0.0.1:${floor.plane.httpPort}${path}`);
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, '*']);
      expect(await response.json()).toMatchObject({ reason: 'not_on_air' });
    }
  });

  test('HEAD, OPTIONS, other methods and the SRS alias', async () => {
    await using floor = await PlaneUnderTest.start();
    await floor.onAir('show-http');
    const url = floor.flvUrl('show-http');
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/x-flv']);
    const options = await fetch(url, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    const alias = new FlvWatcher(url.replace('/live/', '/live/live/'));
    await until('pictures by the alias', () => alias.pictures.length > 5);
    alias.close();
  });

  test('over the connection bound viewers get 503 and Retry-After, publishers a refusal', async () => {
    await using floor = await PlaneUnderTest.start({ connectionsMax: 3 });
    await floor.onAir('show-full');
    const watchers = [floor.watch('show-full'), floor.watch('show-full')];
    await until('two viewers', () => watchers.every((watcher) => watcher.pictures.length > 0));
    const refused = await fetch(floor.flvUrl('show-full'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    const second = floor.publish('show-full-2');
    await until('a refusal', () => second.states.some((state) => state.kind === 'waiting'));
    expect(second.states).toContainEqual(expect.objectContaining({ reason: 'failed' }));
    watchers[0]?.close();
    const next = floor.watch('show-full');
    await until('room again', () => next.pictures.length > 0 || (next.status === 503 && next.isClosed));
  });

  test('viewers of streams that never were leave no sockets behind', async () => {
    await using floor = await PlaneUnderTest.start();
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const response = await fetch(`http://127.0.0.1:${floor.plane.httpPort}/live/none-${index}.flv`, {
          headers: { connection: 'close' },
        });
        await response.arrayBuffer();
      }),
    );
    expect(await floor.metricsText()).toContain(
      'media_play_total{protocol="flv",outcome="not_found",service="media-test"} 200',
    );
    expect(await floor.metricsText()).not.toMatch(/media_subscribers\{[^}]*\} [1-9]/);
  });
});

function withoutSound(clip: Uint8Array): Uint8Array {
  const parts = [encodeFlvHeader({ hasAudio: false, hasVideo: true })];
  const demuxer = new FlvDemuxer({
    onTag: (tag) => {
      if (tag.typeId !== FlvTagType.audio) parts.push(encodeFlvTag(tag));
    },
  });
  demuxer.push(clip);
  return concatBytes(parts);
}

function isKeyframe(tag: FlvTag): boolean {
  return readFlvVideoHeader(tag.payload).isKeyframe;
}
