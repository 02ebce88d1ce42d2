import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  readFlvVideoHeader,
  readUserDataSei,
} from '@showfloor/media-formats';
import { expect, test } from 'vitest';
import { bigClip, type FlvWatcher, metricOf, PlaneUnderTest, until } from '../../test/plane-under-test.ts';

/** Small in CI; the full size of the bar is 450 good and 50 slow viewers: V4_VIEWERS=500. */
const VIEWERS = Number(process.env.V4_VIEWERS ?? 30);
const SLOW = Math.round(VIEWERS / 10);
const BACKLOG_BYTES_MAX = 2 * 1024 * 1024;
const WINDOW_MS = 400;
/** Few viewers take a fat stream, so that the kernel's buffers (up to 10 MB) fill in seconds; many take 2.65 Mbit/s. */
const CLIP_BYTES_PER_SECOND = VIEWERS > 100 ? 331_000 : 1_500_000;
const FILL_TIMEOUT_MS = VIEWERS > 100 ? 150_000 : 40_000;

/** Reads at about a tenth of the stream's rate, as a phone in a tunnel does. */
function slowReader(url: string): Socket {
  const { port, pathname } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port) }, () =>
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`),
  );
  socket.pause();
  const timer = setInterval(() => socket.read(CLIP_BYTES_PER_SECOND / 100), 100);
  socket.on('close', () => clearInterval(timer));
  socket.on('error', () => undefined); // cut by the server: what the test waits for
  return socket;
}

/**
 * p99 of capture → arrival over all watchers, in ms, of the best of several windows; stops at the first one that is
 * good enough. What the machine does beside us comes and goes, what slow viewers do to their neighbours would be in every
 * window.
 */
async function delayP99(watchers: readonly FlvWatcher[], windows: number, enoughMs = 0): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let window = 0; window < windows && best > enoughMs; window += 1) {
    best = Math.min(best, await delayP99InWindow(watchers));
  }
  return best;
}

async function delayP99InWindow(watchers: readonly FlvWatcher[]): Promise<number> {
  const delaysMs: number[] = [];
  for (const watcher of watchers) {
    watcher.onPicture = (tag) => {
      const { dataOffset } = readFlvVideoHeader(tag.payload);
      const payload = readUserDataSei(tag.payload.subarray(dataOffset), 4, CAPTURE_TIME_SEI_UUID);
      const captureMs = payload === null ? null : decodeWallClockSei(payload);
      if (captureMs !== null) delaysMs.push(Date.now() - captureMs);
    };
  }
  await sleep(WINDOW_MS);
  for (const watcher of watchers) watcher.onPicture = null;
  return delaysMs.toSorted((a, b) => a - b)[Math.floor(delaysMs.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

test(`V4 ${SLOW} of ${VIEWERS} viewers read at a tenth of the rate: bounded memory, skipped or closed, neighbours unaffected`, async () => {
  await using floor = await PlaneUnderTest.start({ viewerLimits: { stuckMsMax: 8_000 }, mergeCeilingMs: 10 });
  floor.publish('show-slow', undefined, bigClip(CLIP_BYTES_PER_SECOND));
  await until('the stream', () => floor.plane.hub.find('show-slow')?.state === 'live');
  const good = Array.from({ length: VIEWERS - SLOW }, () => floor.watch('show-slow', { keepsTags: false }));
  await until('all good viewers', () => good.every((watcher) => watcher.pictureCount > 5));
  const before = await delayP99(good, 8);
  const slow = Array.from({ length: SLOW }, () => slowReader(floor.flvUrl('show-slow')));
  let backlogMaxBytes = 0;
  const sampler = setInterval(() => {
    for (const viewer of floor.plane.viewers()) backlogMaxBytes = Math.max(backlogMaxBytes, viewer.backlogBytes);
  }, 20);
  const skips = async (): Promise<boolean> =>
    metricOf(await floor.metricsText(), 'media_subscriber_skips_total') >= SLOW;
  await until('every slow viewer to be over its bound', skips, FILL_TIMEOUT_MS);
  const during = await delayP99(good, 18, before + 10);
  await until('stuck viewers to be cut', () => floor.plane.viewers().length === good.length, 40_000);
  clearInterval(sampler);
  for (const socket of slow) socket.destroy();
  const after = await delayP99(good, 8); // what else the machine does may have changed
  // The mark may be passed by one shared buffer; the join buffer (one GOP, shared by all) counts apart.
  expect(backlogMaxBytes).toBeGreaterThan(BACKLOG_BYTES_MAX / 2);
  expect(backlogMaxBytes).toBeLessThanOrEqual(BACKLOG_BYTES_MAX + 1.2 * CLIP_BYTES_PER_SECOND);
  expect(good.every((watcher) => !watcher.isClosed)).toBe(true);
  expect(during).toBeLessThanOrEqual(Math.max(before, after) + 10);
  expect(metricOf(await floor.metricsText(), 'media_subscriber_dropped_packets_total')).toBeGreaterThan(0);
}, 300_000);
