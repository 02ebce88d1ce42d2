import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';
import { hasFfmpeg, publishWithFfmpeg } from './ffmpeg.ts';
import { type Floor, startFloor } from './floor.ts';
import { createShow, sellerOf } from './own-show.ts';
import { waitFor } from './wait-for.ts';

/** What the disk holds of a show afterwards, in Chromium. */
const isComplete = hasBrowser && hasFfmpeg;
let floor: Floor;
let browser: Browser;
beforeAll(async () => {
  if (!isComplete) return;
  floor = await startFloor({ env: { MEDIA_RECORDING_FREE_PERCENT_MIN: '0' } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await floor?.stop();
});

const FRAGMENTS = 'media_recording_fragments_total';
const recordings = (): string[] => {
  const folder = join(floor.dataDir, 'recordings');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mp4'))
    .map((name) => join(folder, name));
};

test.skipIf(!isComplete)('a show is one file, which plays and seeks in a browser; the demo show is none', async () => {
  const show = await createShow(await sellerOf(floor), 'To be kept');
  for (let publishes = 1; publishes <= 2; publishes += 1) {
    const publisher = publishWithFfmpeg(show.server, show.streamKey);
    const written = await metric(FRAGMENTS);
    await waitFor('three seconds on disk', async () => (await metric(FRAGMENTS)) >= written + 3, 30_000);
    await publisher.drop();
  }
  await fetch(`${floor.admin.media}/api/v1/streams/${show.playbackId}`, { method: 'DELETE' });
  await waitFor('the file to be finished', async () => (await metric('media_recording_active')) === 0);
  const [file, ...others] = recordings();
  expect([file === undefined, others]).toEqual([false, []]);
  const server = await serve(readFileSync(file ?? ''));
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const read = <T>(expression: string): Promise<T> => page.evaluate(`video.${expression}`);
    await waitFor('the picture', async () => (await read<number>('currentTime')) > 0.5);
    const durationS = await read<number>('duration');
    expect(durationS).toBeGreaterThan(4);
    expect(durationS).toBeLessThan(20);
    expect([await read('videoWidth'), await read('error')]).toEqual([1280, null]);
    await page.evaluate(`video.currentTime = ${durationS - 2}`); // behind the drop
    await waitFor('the end', () => read<boolean>('ended'));
    expect(await read('error')).toBeNull();
  } finally {
    server.close();
  }
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${floor.admin.media}/metrics`)).text();
  return Number(new RegExp(`^${name}\\S* (\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** A page with a player, and the file by ranges. */
async function serve(file: Buffer): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html');
      response.end('<video id="video" src="/show.mp4" autoplay muted></video>');
      return;
    }
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from), to === '' ? file.length : Number(to) + 1];
    response.writeHead(206, {
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      'content-range': `bytes ${start}-${end - 1}/${file.length}`,
    });
    response.end(file.subarray(start, end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
