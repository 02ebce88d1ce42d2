import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hevcClip } from '../../test/hevc-clip.ts';
import { GOOD_KEY, hasFfmpeg, PlaneUnderTest, run, until } from '../../test/plane-under-test.ts';

const SHOW_ID = '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0001';

/** A plane whose shows go to one URL on this machine. */
function planeTo(url: string): Promise<PlaneUnderTest> {
  return PlaneUnderTest.start({
    admit: () => Promise.resolve({ ok: true, showId: SHOW_ID, restreamTargets: [{ id: 't1', url }] }),
    outbound: { allowedNetworks: ['127.0.0.1'], allowedPorts: [Number(new URL(url.replace('rtmp', 'http')).port)] },
    restreamLimits: { backoff: { firstMs: 100, maxMs: 1_000 } },
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe('another server of ours is a target', () => {
  test('its viewers see one show, without an interruption, while the publisher is gone and back', async () => {
    await using there = await PlaneUnderTest.start();
    await using here = await planeTo(there.rtmpUrl('show-copy'));
    const loop = await here.onAir('show-first');
    await until('the copy', () => there.plane.hub.find('show-copy')?.state === 'live');
    const watcher = there.watch('show-copy');
    await until('pictures', () => watcher.pictures.length > 20);
    await loop.stop();
    await until('the interruption', () => here.story.includes('interrupted'));
    const before = watcher.pictures.length;
    await here.onAir('show-first');
    await until('pictures again', () => watcher.pictures.length > before + 20);
    const times = watcher.pictures.map(({ timestampMs }) => timestampMs);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect([Math.min(...steps) >= 0, Math.max(...steps) <= 80]).toEqual([true, true]);
    expect(there.story).toEqual(['started']);
    const { format } = there.plane.hub.find('show-copy') ?? {};
    expect([format?.avc?.sps.widthPx, format?.aac?.sampleRateHz]).toEqual([320, 48_000]);
    here.plane.hub.end('show-first', 'cut');
    await until('the end over there', () => there.story.includes('interrupted'));
  });

  test.skipIf(!hasFfmpeg())('H.265 goes on as it came', async () => {
    await using there = await PlaneUnderTest.start();
    await using here = await planeTo(there.rtmpUrl('show-copy'));
    here.publish('show-hevc', GOOD_KEY, hevcClip());
    await until('the copy', () => there.plane.hub.find('show-copy')?.format.hevc?.sps.widthPx === 426, 20_000);
    const watcher = there.watch('show-copy');
    await until('pictures', () => watcher.pictures.length > 20, 20_000);
  });
});

describe.skipIf(!hasFfmpeg())('ffmpeg is a target', () => {
  test('what it records has every picture from a keyframe on, and ends with the show', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'restream-'));
    const file = join(folder, 'copy.flv');
    const url = `rtmp://127.0.0.1:${await freePort()}/app/key`;
    const recorder = spawn('ffmpeg', ['-v', 'error', '-listen', '1', '-i', url, '-c', 'copy', '-y', file], {
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => recorder.once('exit', resolve));
    await using here = await planeTo(url);
    await here.onAir('show-ffmpeg');
    const active = async (): Promise<boolean> =>
      (await here.metricsText()).includes('media_restream_active{target="t1",service="media-test"} 1');
    await until('the target to be active', active, 20_000);
    const framesBefore = here.plane.hub.find('show-ffmpeg')?.videoFrames ?? 0;
    await until('four seconds', () => (here.plane.hub.find('show-ffmpeg')?.videoFrames ?? 0) > framesBefore + 100);
    here.plane.hub.end('show-ffmpeg', 'cut');
    await ended; // the goodbye ends ffmpeg: nothing is left running
    const entries = 'stream=codec_name,width,sample_rate:packet=codec_type,dts_time,flags';
    const probe = await run('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', entries, file]);
    rmSync(folder, { recursive: true });
    expect(probe.stderr).toBe('');
    const { streams, packets } = JSON.parse(probe.stdout) as {
      streams: { codec_name: string; width?: number; sample_rate?: string }[];
      packets: { codec_type: string; dts_time: string; flags: string }[];
    };
    expect(streams).toMatchObject([
      { codec_name: 'h264', width: 320 },
      { codec_name: 'aac', sample_rate: '48000' },
    ]);
    const pictures = packets.filter((one) => one.codec_type === 'video');
    expect(pictures.length).toBeGreaterThan(95);
    expect([pictures[0]?.flags.startsWith('K'), Number(pictures[0]?.dts_time) < 0.1]).toEqual([true, true]);
    const steps = pictures
      .slice(1)
      .map((one, index) => Math.round((Number(one.dts_time) - Number(pictures[index]?.dts_time)) * 1_000));
    expect(new Set(steps)).toEqual(new Set([40]));
  });
});
