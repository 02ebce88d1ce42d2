/** Bar V9: what goes in by RTMP comes out everywhere. Frames are counted by ffprobe, in what a client of each output got. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  concatBytes,
  encodeFlvHeader,
  encodeFlvTag,
  FlvDemuxer,
  type FlvTag,
  FlvTagType,
  iterateNals,
  parseHevcConfig,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { connectRtmpPublisher } from '@showfloor/rtmp-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegTo } from '../test/encoders.ts';
import { hevcClip } from '../test/hevc-clip.ts';
import { FlvWatcher, hasFfmpeg, PlaneUnderTest, run, until } from '../test/plane-under-test.ts';
import type { FinishedRecording } from './recording/show-recorder.ts';

const SECONDS = 6;
const START_CODE = Uint8Array.of(0, 0, 0, 1);
const PLAYBACK_ID = 'show-v9';

type Source = Readonly<{ codec: 'h264' | 'hevc'; frames: number; publish: (url: string) => Promise<void> }>;
const SOURCES: Record<string, Source> = {
  'RTMP from ffmpeg': {
    codec: 'h264',
    frames: SECONDS * 30,
    publish: async (url) => {
      await using encoder = ffmpegTo(url, { seconds: SECONDS });
      expect(await encoder.exited).toBe(0);
    },
  },
  'Enhanced RTMP with HEVC from x265': { codec: 'hevc', frames: SECONDS * 30, publish: publishHevc },
};

describe.skipIf(!hasFfmpeg()).each(Object.entries(SOURCES))('V9 %s', (_name, source) => {
  const folder = mkdtempSync(join(tmpdir(), 'v9-'));
  const path = (name: string): string => join(folder, name);
  let tags: readonly FlvTag[] = [];
  let recorded: FinishedRecording | undefined;

  beforeAll(async () => {
    const finished: FinishedRecording[] = [];
    await using host = await PlaneUnderTest.start({
      admit: () => Promise.resolve({ ok: true, showId: 'v9', graceMs: 0, recording: { isEnabled: true } }),
      recording: { folder, limits: { freePercentMin: 0 } },
      onRecordingFinished: (recording) => finished.push(recording),
    });
    const base = `http://127.0.0.1:${host.plane.httpPort}/live`;
    const publishing = source.publish(host.rtmpUrl(PLAYBACK_ID));
    await until('the show', () => host.plane.hub.find(PLAYBACK_ID)?.state === 'live');
    const viewer = new FlvWatcher(host.flvUrl(PLAYBACK_ID));
    await until('HLS', async () => (await fetch(`${base}/${PLAYBACK_ID}/index.m3u8`)).status === 200);
    const hls = copyHls(`${base}/${PLAYBACK_ID}.m3u8`, path('hls.mp4'));
    const lowLatency = copyLowLatency(`${base}/${PLAYBACK_ID}/`, path('ll-hls.mp4'));
    await Promise.all([publishing, hls, lowLatency, until('the end', () => viewer.isClosed, 60_000)]);
    tags = viewer.tags;
    recorded = await until('the recording', () => finished[0]);
  }, 90_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Frames and codec as ffprobe finds them, held to the bar. */
  async function expectAll(file: string): Promise<void> {
    const show = ['-show_entries', 'stream=codec_name,nb_read_packets', '-count_packets', '-select_streams', 'v:0'];
    const { stdout, stderr } = await run('ffprobe', ['-v', 'error', ...show, '-of', 'csv=p=0', file]);
    const [codec, packets] = stdout.trim().split(',');
    expect([codec, stderr]).toEqual([source.codec, '']);
    expect(Math.abs(Number(packets) - source.frames)).toBeLessThanOrEqual(source.frames * 0.01);
    const decoded = await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
    expect(decoded).toMatchObject({ code: 0, stderr: '' });
  }

  test('V9 → HTTP-FLV', async () => {
    const file = path(source.codec === 'hevc' ? 'flv.hevc' : 'flv.flv');
    writeFileSync(file, source.codec === 'hevc' ? annexB(tags) : flvFile(tags));
    await expectAll(file);
  });
  test('V9 → HLS', () => expectAll(path('hls.mp4')));
  test('V9 → LL-HLS', () => expectAll(path('ll-hls.mp4')));
  test('V9 → recording', () => expectAll(join(folder, 'v9', recorded?.file ?? 'none')));
});

/** Six rounds of the clip, frame by frame when each is due. */
async function publishHevc(url: string): Promise<void> {
  const tags: FlvTag[] = [];
  new FlvDemuxer({ onTag: (tag) => tags.push(tag) }).push(hevcClip());
  const [header, ...frames] = tags;
  const connected = await connectRtmpPublisher({ url });
  if (!connected.ok || header === undefined) throw new Error('not admitted');
  const { publisher } = connected;
  publisher.send(header);
  const startedMs = performance.now();
  for (let round = 0; round < SECONDS; round += 1) {
    for (const [index, frame] of frames.entries()) {
      const timestampMs = Math.round(((round * frames.length + index) * 1_001) / 30);
      await sleep(Math.max(0, startedMs + timestampMs - performance.now()));
      publisher.send({ ...frame, timestampMs });
    }
  }
  publisher.close();
  await publisher.closed;
}

/** A classic player: ffmpeg, from the first segment to the end of the show. */
async function copyHls(url: string, file: string): Promise<void> {
  const copied = await run('ffmpeg', ['-v', 'error', '-live_start_index', '0', '-i', url, '-c', 'copy', file]);
  expect(copied.code).toBe(0);
}

/** A low-latency player: blocking reloads, each part as soon as it is listed. */
async function copyLowLatency(base: string, file: string): Promise<void> {
  const get = async (uri: string): Promise<Uint8Array> => {
    const response = await fetch(new URL(uri, base));
    if (!response.ok) throw new Error(`${uri}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const pieces = new Map<string, Uint8Array>();
  let query = '';
  for (;;) {
    const playlist = new TextDecoder().decode(await get(`index.m3u8${query}`));
    const uris = playlist.matchAll(/#EXT-X-(?:MAP|PART):.*?URI="([^"]+)"/g);
    for (const [, uri = ''] of uris) if (!pieces.has(uri)) pieces.set(uri, await get(uri));
    if (playlist.includes('#EXT-X-ENDLIST')) break;
    const [, msn, part] = /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="[^"]*-(\d+)\.(\d+)\.m4s"/.exec(playlist) ?? [];
    query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
  }
  writeFileSync(file, concatBytes([...pieces.values()]));
}

function flvFile(tags: readonly FlvTag[]): Uint8Array {
  const media = tags.filter(({ typeId }) => typeId !== FlvTagType.script);
  return concatBytes([encodeFlvHeader({ hasAudio: true, hasVideo: true }), ...media.map(encodeFlvTag)]);
}

/** The pictures as a raw stream: ffprobe 5.1 does not read HEVC in FLV. */
function annexB(tags: readonly FlvTag[]): Uint8Array {
  const nals: Uint8Array[] = [];
  for (const { typeId, payload } of tags) {
    if (typeId !== FlvTagType.video) continue;
    const { kind, dataOffset } = readFlvVideoHeader(payload);
    const data = payload.subarray(dataOffset);
    if (kind === 'sequence-header') {
      const { vpsNals, spsNals, ppsNals } = parseHevcConfig(data);
      nals.push(...vpsNals, ...spsNals, ...ppsNals);
    }
    if (kind === 'frames') for (const nal of iterateNals(data, 4, 'hevc')) nals.push(nal.data);
  }
  return concatBytes(nals.flatMap((nal) => [START_CODE, nal]));
}
