import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, createMetrics } from '@showfloor/service-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasFfmpeg, metricOf, until } from '../../test/plane-under-test.ts';
import { packetsOf, probe, StreamUnderTest } from '../../test/recorded-show.ts';
import type { SourcePacket } from '../hub/stream.ts';
import { createMediaMetrics } from '../media-metrics.ts';
import { QueueBudget } from './queue-budget.ts';
import { RECORDING_LIMITS, type RecordingLimits } from './recording-limits.ts';
import { type FinishedRecording, ShowRecorder } from './show-recorder.ts';
import { WriteLanes } from './write-lanes.ts';

const CLIP = packetsOf();
const OTHER_PICTURE = packetsOf('avc-bframes-426x240.flv');
const LAX: RecordingLimits = { ...RECORDING_LIMITS, freePercentMin: 0 };
const only = (track: 'video' | 'audio', packets: readonly SourcePacket[]) =>
  packets.filter((packet) => packet.track === track);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recording-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A recorder at a stream, and all that it says. */
function record(show: StreamUnderTest, limits: Partial<RecordingLimits> = {}, budget = new QueueBudget(1e9)) {
  const registry = createMetrics('media-test');
  const finished: FinishedRecording[] = [];
  const recorder = new ShowRecorder(show.stream, {
    showId: 'show-1',
    folder: join(folder, 'show-1'),
    limits: { ...LAX, ...limits },
    lanes: new WriteLanes(),
    budget,
    metrics: createMediaMetrics(registry),
    log: createLogger('media-test', 'silent'),
    onFinished: (recording) => finished.push(recording),
    after: Promise.resolve(),
  });
  const metric = async (name: string): Promise<number> => metricOf(await registry.metrics(), name);
  return { recorder, finished, metric };
}

const parts = (): string[] => readdirSync(join(folder, 'show-1')).toSorted();
const partPath = (part = 1): string => join(folder, 'show-1', `part-${part}.mp4`);

/** Records a whole show. */
async function recordShow(play: (show: StreamUnderTest) => void): Promise<void> {
  const show = new StreamUnderTest();
  const { recorder } = record(show);
  play(show);
  show.stream.end();
  await recorder.done;
}

const ONE_CLIP = { pictures: 50, sounds: 95, firstMs: 0, isMonotonic: true, stepMsMax: 40, complaints: '' };

describe.skipIf(!hasFfmpeg())('a recording', () => {
  test('holds every frame of the show, once, and plays as long as the show', async () => {
    const show = new StreamUnderTest();
    const { recorder, finished, metric } = record(show);
    show.send(CLIP);
    show.stream.end();
    await recorder.done;
    expect(await probe(partPath())).toMatchObject(ONE_CLIP);
    expect((await probe(partPath())).durationMs).toBeCloseTo(2_000, -2);
    expect(recorder.facts).toMatchObject({ state: 'finished', reason: null, file: 'part-1.mp4', queueBytes: 0 });
    expect(finished).toMatchObject([{ showId: 'show-1', playbackId: 'show-r', file: 'part-1.mp4' }]);
    expect(Math.abs((finished[0]?.durationMs ?? 0) - 2_000)).toBeLessThan(60);
    expect(await metric('media_recording_active')).toBe(0);
    expect(await metric('media_recording_fragments_total')).toBeGreaterThanOrEqual(2);
  });

  test('goes on in one file through the drops of the publisher', async () => {
    await recordShow((show) => {
      show.send(CLIP);
      for (let drops = 0; drops < 3; drops += 1) {
        show.drop();
        show.send(CLIP);
      }
    });
    expect(parts()).toEqual(['part-1.mp4']);
    const probed = await probe(partPath());
    expect(probed).toMatchObject({ ...ONE_CLIP, pictures: 200, sounds: 380, stepMsMax: expect.any(Number) });
    expect(probed.stepMsMax).toBeLessThan(120);
    expect(Math.abs(probed.durationMs - 8_000)).toBeLessThan(400);
  });

  test('goes on in the same file when another process continues the show', async () => {
    for (let runs = 0; runs < 3; runs += 1) await recordShow((show) => show.send(CLIP));
    expect(parts()).toEqual(['part-1.mp4']);
    const probed = await probe(partPath());
    expect(probed).toMatchObject({ ...ONE_CLIP, pictures: 150, sounds: 285, stepMsMax: expect.any(Number) });
    expect(Math.abs(probed.durationMs - 6_000)).toBeLessThan(300);
  });

  test('is cut after its last whole fragment when a crash tore it, and goes on from there', async () => {
    await recordShow((show) => show.send(CLIP));
    const whole = statSync(partPath()).size;
    truncateSync(partPath(), whole - 3_000); // the index and a piece of the last fragment
    const torn = await probe(partPath());
    expect(torn.pictures).toBeGreaterThanOrEqual(25);
    await appendFile(partPath(), Buffer.alloc(500_000)); // what a lost power leaves behind
    await recordShow((show) => show.send(CLIP));
    expect(parts()).toEqual(['part-1.mp4']);
    expect(await probe(partPath())).toMatchObject({ pictures: 75, isMonotonic: true, complaints: '' });
  });

  test('loses a fragment whose content did not reach the disk although its size did', async () => {
    await recordShow((show) => show.send(CLIP));
    const file = await open(partPath(), 'r+');
    await file.write(Buffer.alloc(200), 0, 200, statSync(partPath()).size - 1_000);
    await file.close();
    await recordShow((show) => show.send(CLIP));
    expect(await probe(partPath())).toMatchObject({ pictures: 75, isMonotonic: true, complaints: '' });
  });

  test('any cut of a file leaves a file that goes on', async () => {
    await recordShow((show) => show.send(CLIP));
    const whole = statSync(partPath()).size;
    for (const cutBytes of [1, 37, 900, whole / 2, whole - 1_300].map(Math.round)) {
      truncateSync(partPath(), whole - cutBytes);
      await recordShow((show) => show.send(CLIP));
      expect(parts()).toEqual(['part-1.mp4']);
      const { pictures, isMonotonic, complaints } = await probe(partPath());
      expect([pictures === 50 || pictures === 75 || pictures === 100, isMonotonic, complaints]).toEqual([
        true,
        true,
        '',
      ]);
      truncateSync(partPath(), 0);
      rmSync(partPath());
      await recordShow((show) => show.send(CLIP));
    }
  });

  test('begins a second file when the picture returns in another configuration, and never mixes them', async () => {
    await recordShow((show) => {
      show.send(CLIP);
      show.drop();
      show.send(OTHER_PICTURE);
    });
    expect(parts()).toEqual(['part-1.mp4', 'part-2.mp4']);
    expect(await probe(partPath(1))).toMatchObject(ONE_CLIP);
    expect(await probe(partPath(2))).toMatchObject({ pictures: 30, firstMs: 0, isMonotonic: true, complaints: '' });
  });

  test('keeps its file while a track is missing, and takes the track up again', async () => {
    await recordShow((show) => {
      show.send(CLIP);
      show.drop();
      show.send(only('video', CLIP));
      show.drop();
      show.send(CLIP);
    });
    expect(parts()).toEqual(['part-1.mp4']);
    expect(await probe(partPath())).toMatchObject({ pictures: 150, sounds: 190, isMonotonic: true, complaints: '' });
  });

  test('has the tracks whose headers come while the first fragment is gathered', async () => {
    const [soundHeader] = only('audio', CLIP);
    const others = CLIP.filter((packet) => packet !== soundHeader && packet.timestampMs >= 0);
    await recordShow((show) => {
      show.send(others.slice(0, 5));
      if (soundHeader !== undefined) show.send([soundHeader]);
      show.send(others.slice(5));
    });
    expect(parts()).toEqual(['part-1.mp4']);
    const { pictures, sounds } = await probe(partPath());
    expect([pictures, sounds > 85]).toEqual([50, true]);
  });

  test('of sound only, and of pictures only', async () => {
    await recordShow((show) => show.send(only('audio', CLIP)));
    expect(await probe(partPath())).toMatchObject({ pictures: 0, sounds: 95, isMonotonic: true, complaints: '' });
    rmSync(partPath());
    await recordShow((show) => show.send(only('video', CLIP)));
    expect(await probe(partPath())).toMatchObject({ pictures: 50, sounds: 0, isMonotonic: true, complaints: '' });
  });

  test('with B-frames has the composition times of its source', async () => {
    await recordShow((show) => show.send(OTHER_PICTURE));
    expect(await probe(partPath())).toMatchObject({ pictures: 30, isMonotonic: true, complaints: '' });
  });

  test('that begins in the middle of a show begins with a keyframe', async () => {
    const show = new StreamUnderTest();
    show.send(CLIP.slice(0, 20));
    const { recorder } = record(show);
    show.send(CLIP.slice(20));
    show.stream.end();
    await recorder.done;
    expect(await probe(partPath())).toMatchObject({ pictures: 25, isMonotonic: true, complaints: '' });
  });

  test('leaves a file alone that is no recording', async () => {
    await recordShow((show) => show.send(CLIP));
    writeFileSync(partPath(), 'not ours');
    await recordShow((show) => show.send(CLIP));
    expect(statSync(partPath()).size).toBe(8);
    expect(await probe(partPath(2))).toMatchObject(ONE_CLIP);
  });
});

describe('a recording stops, and says why, when', () => {
  test('the show is larger than it may be', async () => {
    const show = new StreamUnderTest();
    const { recorder, finished } = record(show, { showBytesMax: 40_000 });
    for (let clips = 0; clips < 5; clips += 1) {
      show.send(CLIP);
      await until('the disk', () => recorder.facts.queueBytes === 0);
    }
    await recorder.done;
    expect(recorder.facts).toMatchObject({ state: 'stopped', reason: 'bytes_max' });
    expect(statSync(partPath()).size).toBeLessThan(42_000);
    expect(finished).toHaveLength(1);
    show.send(CLIP); // the stream takes no notice
    expect(show.stream.videoFrames).toBe(300);
  });

  test('there is less free space than must stay, before a file is made', async () => {
    const show = new StreamUnderTest();
    const { recorder, finished } = record(show, { freePercentMin: 100 });
    show.send(CLIP);
    await recorder.done;
    expect(recorder.facts).toMatchObject({ state: 'stopped', reason: 'disk_low', file: null });
    expect([parts(), finished]).toEqual([[], []]);
  });

  test('the disk fails', async () => {
    writeFileSync(join(folder, 'show-1'), 'a file where the folder should be');
    const show = new StreamUnderTest();
    const { recorder, metric } = record(show);
    show.send(CLIP);
    await recorder.done;
    expect(recorder.facts).toMatchObject({ state: 'stopped', reason: 'disk_error', queueBytes: 0 });
    expect(await metric('media_recording_stops_total')).toBe(1);
    expect(await metric('media_recording_queue_bytes')).toBe(0);
  });

  test('the disk hangs: what waits is bounded, and the stream is not held up', async () => {
    const disk = await hangDisk(folder);
    const show = new StreamUnderTest();
    const { recorder, metric } = record(show, { queueBytesMax: 100_000 });
    let sent = 0;
    for (; recorder.facts.reason === null && sent < 20; sent += 1) {
      show.send(CLIP);
      await sleep(20); // a disk that works takes it meanwhile
      expect(recorder.facts.queueBytes).toBeLessThanOrEqual(100_000);
    }
    expect(recorder.facts).toMatchObject({ reason: 'queue_full', queueBytes: 0 });
    expect(sent).toBeLessThan(10);
    show.send(CLIP);
    expect(show.stream.videoFrames).toBe((sent + 1) * 50);
    disk.release();
    await recorder.done;
    expect(recorder.facts.state).toBe('stopped');
    expect(await metric('media_recording_dropped_fragments_total')).toBeGreaterThan(0);
    expect(await metric('media_recording_queue_bytes')).toBe(0);
  });

  test('the disk hangs: what all shows have waiting is bounded together', async () => {
    const disk = await hangDisk(folder);
    const budget = new QueueBudget(150_000);
    const shows = [new StreamUnderTest(), new StreamUnderTest(), new StreamUnderTest()];
    const recorders = shows.map((show) => record(show, {}, budget).recorder);
    for (let sent = 0; sent < 10; sent += 1) {
      for (const show of shows) show.send(CLIP);
      const waitingBytes = recorders.reduce((sum, { facts }) => sum + facts.queueBytes, 0);
      expect(waitingBytes).toBeLessThanOrEqual(150_000);
    }
    expect(recorders.map(({ facts }) => facts.reason)).toEqual(['queue_full', 'queue_full', 'queue_full']);
    expect(budget.bytes).toBe(0);
    disk.release();
    await Promise.all(recorders.map(({ done }) => done));
  });

  test('the disk hangs: samples of one byte cost what they occupy', async () => {
    const disk = await hangDisk(folder);
    const show = new StreamUnderTest();
    const { recorder } = record(show, { queueBytesMax: 1_000_000 });
    const [header] = only('audio', CLIP);
    const sound = only('audio', CLIP).find(({ kind }) => kind === 'frames');
    if (header === undefined || sound === undefined) throw new Error('the clip has no sound');
    show.send([header]);
    const payload = sound.payload.slice(0, 3);
    for (let index = 0; index < 20_000; index += 1) show.stream.push({ ...sound, timestampMs: index, payload });
    expect(recorder.facts.reason).toBe('queue_full');
    disk.release();
    await recorder.done;
  });

  test('a publisher changes its configuration again and again', async () => {
    const show = new StreamUnderTest();
    const { recorder } = record(show, { partsMax: 3 });
    for (let turns = 0; turns < 4; turns += 1) show.send(turns % 2 === 0 ? CLIP : OTHER_PICTURE);
    show.stream.end();
    await recorder.done;
    expect(recorder.facts).toMatchObject({ state: 'stopped', reason: 'parts_max', file: 'part-3.mp4' });
    expect(parts()).toEqual(['part-1.mp4', 'part-2.mp4', 'part-3.mp4']);
  });

  test('it is switched off', async () => {
    const show = new StreamUnderTest();
    const { recorder, finished } = record(show);
    show.send(CLIP);
    recorder.stop('disabled');
    await recorder.done;
    expect(recorder.facts).toMatchObject({ state: 'stopped', reason: 'disabled' });
    expect(finished).toMatchObject([{ file: 'part-1.mp4', durationMs: expect.closeTo(2_000, -2) }]);
  });
});

test('a process that stops finishes the file and tells nobody that the show is over', async () => {
  const show = new StreamUnderTest();
  const { recorder, finished } = record(show);
  show.send(CLIP);
  recorder.close();
  await recorder.done;
  expect(finished).toEqual([]);
  expect(recorder.facts).toMatchObject({ state: 'finished', durationMs: expect.closeTo(2_000, -2) });
});

/** Holds all of Node's file threads: each opens a pipe that nobody writes to. */
async function hangDisk(inFolder: string): Promise<{ release: () => void }> {
  const pipe = join(inFolder, 'hangs');
  execFileSync('mkfifo', [pipe]);
  const held = Array.from({ length: Number(process.env.UV_THREADPOOL_SIZE ?? 4) }, () => open(pipe, 'r'));
  return {
    release: () => {
      execFileSync('sh', ['-c', 'exec 3<>"$0"; sleep 0.5', pipe], { timeout: 5_000 });
      void Promise.all(held.map(async (file) => (await file).close()));
    },
  };
}
