import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ffmpegTo } from '../../test/encoders.ts';
import { GOOD_KEY, hasFfmpeg, metricOf, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import { probe } from '../../test/recorded-show.ts';
import type { Admit } from '../ingest/admission.ts';
import type { FinishedRecording } from './show-recorder.ts';

const SHOW_ID = '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0001';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recordings-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A plane that records; `isEnabled` is what commerce says at each publish. */
async function recordingPlane(isEnabled: () => boolean = () => true) {
  const finished: FinishedRecording[] = [];
  const admit: Admit = ({ key }) =>
    Promise.resolve(
      key === GOOD_KEY
        ? { ok: true, showId: SHOW_ID, recording: { isEnabled: isEnabled() } }
        : { ok: false, reason: 'wrong_key' },
    );
  const host = await PlaneUnderTest.start({
    admit,
    recording: { folder, limits: { freePercentMin: 0 } },
    onRecordingFinished: (recording) => finished.push(recording),
  });
  return { host, finished };
}

const path = (file: string): string => join(folder, SHOW_ID, file);

describe.skipIf(!hasFfmpeg())('a show from ffmpeg', () => {
  test('V5 is one file although its publisher dropped twice, within 1 % of its frames', async () => {
    const { host, finished } = await recordingPlane();
    await using _host = host;
    const frames = (): number => host.plane.hub.find('show-v5')?.videoFrames ?? 0;
    for (const framesMin of [90, 180, 270]) {
      await using encoder = ffmpegTo(host.rtmpUrl('show-v5'), { seconds: 20 });
      await until('frames', () => frames() >= framesMin, 20_000);
      await encoder.kill();
      await until('the drop', () => host.plane.hub.find('show-v5')?.state === 'interrupted');
    }
    const sent = frames();
    host.plane.hub.end('show-v5', 'cut');
    await until('the file', () => finished.length > 0);
    expect(readdirSync(join(folder, SHOW_ID))).toEqual(['part-1.mp4']);
    const probed = await probe(path('part-1.mp4'));
    expect(probed).toMatchObject({ isMonotonic: true, complaints: '', firstMs: 0 });
    expect(Math.abs(probed.pictures - sent)).toBeLessThanOrEqual(sent * 0.01);
    expect(probed.stepMsMax).toBeLessThanOrEqual(100);
    expect(Math.abs(probed.durationMs - (finished[0]?.durationMs ?? 0))).toBeLessThan(100);
    expect(host.story).toEqual(['started', 'interrupted', 'resumed', 'interrupted', 'resumed', 'interrupted', 'ended']);
    expect(metricOf(await host.metricsText(), 'media_recording_dropped_fragments_total')).toBe(0);
  }, 60_000);
});

test('what commerce does not want recorded leaves nothing on disk; what it wants later begins then', async () => {
  let isEnabled = false;
  const { host, finished } = await recordingPlane(() => isEnabled);
  await using _host = host;
  const first = await host.onAir('show-late');
  await until('frames', () => (host.plane.hub.find('show-late')?.videoFrames ?? 0) > 25);
  await first.stop();
  expect(readdirSync(folder)).toEqual([]);
  isEnabled = true;
  const second = await host.onAir('show-late');
  await until('a fragment', async () => metricOf(await host.metricsText(), 'media_recording_fragments_total') > 0);
  await second.stop();
  isEnabled = false;
  await host.onAir('show-late');
  await until('the end of the recording', () => finished.length > 0);
  expect(finished).toMatchObject([{ showId: SHOW_ID, playbackId: 'show-late', file: 'part-1.mp4' }]);
});

test('a plane that closes in the middle of a show leaves a file that its successor continues', async () => {
  for (let runs = 1; runs <= 2; runs += 1) {
    const { host, finished } = await recordingPlane();
    await using _host = host;
    await host.onAir('show-go-on');
    await until('a fragment', async () => metricOf(await host.metricsText(), 'media_recording_fragments_total') > 1);
    await host.plane.close();
    expect(finished).toEqual([]);
  }
  expect(readdirSync(join(folder, SHOW_ID))).toEqual(['part-1.mp4']);
  if (hasFfmpeg()) expect(await probe(path('part-1.mp4'))).toMatchObject({ isMonotonic: true, complaints: '' });
});
