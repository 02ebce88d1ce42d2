/** What encoders that are not ours publish comes out of HLS whole: counted and timed by ffprobe. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Encoder, type FfmpegPicture, ffmpegTo, gstreamerTo, hasGstreamer } from '../../test/encoders.ts';
import { hasFfmpeg, PlaneUnderTest, run, until } from '../../test/plane-under-test.ts';

const SECONDS = 5;
const X264 = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p';

type Show = { init: Uint8Array; segments: Map<string, Uint8Array>; playlist: string };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'encoders-to-hls-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasFfmpeg())('ffmpeg', () => {
  const shapes: readonly [string, FfmpegPicture, { frames: number; rate: string; target: number }][] = [
    ['24 fps with B-frames', { fps: 24, video: `${X264} -g 24 -bf 2` }, { frames: 120, rate: '24.000', target: 1 }],
    [
      '50 fps, sound at 48 kHz',
      { fps: 50, video: `${X264} -g 50 -tune zerolatency`, audio: '-c:a aac -ar 48000' },
      { frames: 250, rate: '50.000', target: 1 },
    ],
    [
      '60 fps, pictures alone',
      { fps: 60, video: `${X264} -g 60 -bf 3`, audio: 'none' },
      { frames: 300, rate: '60.000', target: 1 },
    ],
    ['GOPs of two seconds', { fps: 30, video: `${X264} -g 60 -bf 2` }, { frames: 150, rate: '30.000', target: 2 }],
    [
      'keyframes where the scene changes',
      { fps: 25, video: `${X264} -g 250 -keyint_min 5 -force_key_frames expr:gte(t,n_forced*1.3)` },
      { frames: 125, rate: '25.000', target: 1 },
    ],
  ];

  test.each(shapes)('%s', async (name, picture, expected) => {
    const show = await recordHls((url) => ffmpegTo(url, { ...picture, seconds: SECONDS }));
    const pictures = await probe(show, name, 'v');
    expect(pictures).toHaveLength(expected.frames);
    expectEven(pictures, 1 / Number(expected.rate));
    if (picture.audio !== 'none')
      expectEven(await probe(show, name, 'a'), 1_024 / (picture.audio?.includes('48000') ? 48_000 : 44_100));
    expect(show.playlist).toContain(`#EXT-X-TARGETDURATION:${expected.target}\n`);
    expect(show.playlist).toContain('#EXT-X-INDEPENDENT-SEGMENTS');
  });

  test('sound alone', async () => {
    const show = await recordHls((url) => ffmpegTo(url, { video: 'none', seconds: SECONDS }));
    const sounds = await probe(show, 'sound', 'a');
    expect(Math.abs(sounds.length - (SECONDS * 44_100) / 1_024)).toBeLessThan(4);
    expectEven(sounds, 1_024 / 44_100);
  });
});

test.skipIf(!hasGstreamer() || !hasFfmpeg())('GStreamer: openh264 and voaac in real time, cut off', async () => {
  const show = await recordHls(gstreamerTo, 6_000);
  const pictures = await probe(show, 'gstreamer', 'v');
  expect(pictures.length).toBeGreaterThan(90);
  expectEven(pictures, 1 / 30, 3); // a live source stumbles on a busy machine
  expectEven(await probe(show, 'gstreamer', 'a'), 1_024 / 44_100, 3);
});

/** Publishes a whole show and takes everything that was listed, part by part. */
async function recordHls(encode: (url: string) => Encoder, killAfterMs: number | null = null): Promise<Show> {
  await using host = await PlaneUnderTest.start({
    admit: () => Promise.resolve({ ok: true, showId: 'hls', graceMs: 0 }),
  });
  await using encoder = encode(host.rtmpUrl('show-hls'));
  const base = `http://127.0.0.1:${host.plane.httpPort}/live/show-hls/`;
  const get = async (name: string): Promise<Uint8Array> => {
    const response = await fetch(base + name);
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  await until('the show', () => host.plane.hub.find('show-hls')?.state === 'live', 20_000);
  const startedMs = performance.now();
  const parts = new Map<string, Uint8Array>();
  const segments = new Map<string, Uint8Array>();
  for (let query = ''; ; ) {
    if (killAfterMs !== null && performance.now() - startedMs > killAfterMs) await encoder.kill();
    const playlist = new TextDecoder().decode(await get(`index.m3u8${query}`));
    for (const [, name = ''] of playlist.matchAll(/#EXT-X-PART:.*URI="([^"]+)"/g)) {
      if (!parts.has(name)) parts.set(name, await get(name));
    }
    for (const name of playlist.split('\n')) {
      if (name.endsWith('.m4s') && !name.startsWith('#') && !segments.has(name)) segments.set(name, await get(name));
    }
    if (playlist.includes('#EXT-X-ENDLIST')) {
      expectPartsAreSegments(parts, segments);
      const init = await get(/#EXT-X-MAP:URI="([^"]+)"/.exec(playlist)?.[1] ?? '');
      return { init, segments, playlist };
    }
    const [, msn, part] = /#EXT-X-PRELOAD-HINT:.*-(\d+)\.(\d+)\.m4s"/.exec(playlist) ?? [];
    query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
  }
}

/** For each segment whose parts were seen from the first on. */
function expectPartsAreSegments(
  parts: ReadonlyMap<string, Uint8Array>,
  segments: ReadonlyMap<string, Uint8Array>,
): void {
  let compared = 0;
  for (const [name, bytes] of segments) {
    const own: Uint8Array[] = [];
    for (let index = 0; ; index += 1) {
      const part = parts.get(name.replace(/m4s$/, `${index}.m4s`));
      if (part === undefined) break;
      own.push(part);
    }
    if (own.length === 0) continue;
    compared += 1;
    expect(Buffer.compare(Buffer.concat(own), bytes)).toBe(0);
  }
  expect(compared).toBeGreaterThan(2);
}

/** Presentation times of a track's packets in seconds, in presentation order. */
async function probe(show: Show, name: string, track: 'v' | 'a'): Promise<number[]> {
  const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.mp4`);
  writeFileSync(file, Buffer.concat([show.init, ...show.segments.values()]));
  const entries = ['-show_entries', 'packet=pts_time', '-select_streams', `${track}:0`, '-of', 'csv=p=0'];
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', ...entries, file]);
  expect(stderr).toBe('');
  // In fine time: whole frames would lay two pictures of a stumbling source on one moment, and complain.
  const time = ['-vsync', 'passthrough', '-enc_time_base:v', '1:90000'];
  const decoded = await run('ffmpeg', ['-v', 'error', '-i', file, ...time, '-f', 'null', '-']);
  expect(decoded).toMatchObject({ code: 0, stderr: '' });
  return stdout
    .trim()
    .split('\n')
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Each packet follows the one before by a frame, give or take a millisecond; `mayBeOff` of them only follow. */
function expectEven(times: readonly number[], stepS: number, mayBeOff = 0): void {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(steps.filter((step) => step <= 0)).toEqual([]);
  const off = steps.filter((step) => Math.abs(step - stepS) > 0.001_1);
  expect(off.slice(mayBeOff)).toEqual([]);
}
