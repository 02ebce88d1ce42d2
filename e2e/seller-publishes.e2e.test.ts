import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ShowSummary, StreamKey } from '@showfloor/protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';
import { hasFfmpeg, publishWithFfmpeg } from './ffmpeg.ts';
import { type Floor, startFloor } from './floor.ts';
import { Shopper } from './shopper.ts';
import { signInToken } from './sign-in-link.ts';
import { FlvViewer } from './viewer.ts';
import { waitFor } from './wait-for.ts';

/** A seller's evening with an encoder that is not ours: link, show, key, ffmpeg, a dropped line, and no key left anywhere. */
let floor: Floor;
let browser: Browser;
let seller: Shopper;

beforeAll(async () => {
  if (!hasFfmpeg || !hasBrowser) return;
  floor = await startFloor();
  browser = await launchBrowser();
  seller = await Shopper.redeem(floor.webUrl, await signInToken(floor));
});
afterAll(async () => {
  await browser?.close();
  await floor?.stop();
});

describe.skipIf(!hasFfmpeg || !hasBrowser)('a seller publishes with ffmpeg', () => {
  test('is watched in Chromium, drops, comes back, and the page plays on without a reload (S1: the key is nowhere)', async () => {
    const show = (await seller.send<ShowSummary>('POST', '/api/shows', { title: 'Evening glazes' })).body;
    const key = (await seller.send<StreamKey>('POST', `/api/shows/${show.id}/stream-key`)).body;
    const secret = new URLSearchParams(key.streamKey.split('?')[1]).get('key') ?? '';
    expect(secret.length).toBeGreaterThanOrEqual(22); // 128 bits in base64url
    expect(key.server).toBe(floor.rtmpUrl);

    const first = publishWithFfmpeg(key.server, key.streamKey);
    await onAir(show.playbackId);
    const page = await browser.newPage();
    await page.goto(`${floor.webUrl}/live/${show.playbackId}`);
    const playhead = (): Promise<number> => page.evaluate('document.querySelector("video")?.currentTime ?? 0');
    await waitFor('the picture to move', async () => (await playhead()) > 1, 20_000);
    await page.evaluate('window.isSamePage = true');

    await first.drop();
    await statusIs(show.playbackId, 'interrupted');
    const stoppedAt = await playhead();
    const second = publishWithFfmpeg(key.server, key.streamKey);
    await statusIs(show.playbackId, 'live');
    await waitFor('the picture to move again', async () => (await playhead()) > stoppedAt + 3, 20_000);
    expect(await page.evaluate('window.isSamePage === true')).toBe(true);

    expect((await seller.send('POST', `/api/shows/${show.id}/stop`)).status).toBe(200);
    await waitFor(
      'the stopped publisher to be cut',
      () => second.process.exitCode !== null || second.output() !== '',
      15_000,
    );
    await second.drop();

    expect(await placesThatHold(secret, show)).toEqual([]);
  });

  test('a second encoder with the same key is turned away, and the studio says so', async () => {
    const show = (await seller.send<ShowSummary>('POST', '/api/shows', { title: 'Two laptops' })).body;
    const key = (await seller.send<StreamKey>('POST', `/api/shows/${show.id}/stream-key`)).body;
    const first = publishWithFfmpeg(key.server, key.streamKey);
    await onAir(show.playbackId);
    const page = await browser.newPage();
    const link = floor.command('signin-link').trim();
    await page.goto(`${floor.webUrl}/signin?token=${/token=([\w-]+)$/.exec(link)?.[1]}`);
    const second = publishWithFfmpeg(key.server, key.streamKey, 10);
    await waitFor('ffmpeg to be refused', () => second.process.exitCode !== null, 20_000);
    const panel = page.getByTestId('studio-show').filter({ hasText: 'Two laptops' });
    const notice = await panel.getByTestId('studio-refused-encoder').innerText({ timeout: 20_000 });
    expect(notice).toContain('Another encoder is on air');
    expect(first.process.exitCode).toBeNull();
    await first.drop();
  });

  test('a wrong key is refused', async () => {
    const show = (await seller.send<ShowSummary>('POST', '/api/shows', { title: 'Wrong key' })).body;
    await seller.send<StreamKey>('POST', `/api/shows/${show.id}/stream-key`);
    const publisher = publishWithFfmpeg(floor.rtmpUrl, `${show.playbackId}?key=AAAAAAAAAAAAAAAAAAAAAAAA`, 10);
    await waitFor('ffmpeg to be refused', () => publisher.process.exitCode !== null, 20_000);
    expect(publisher.process.exitCode).not.toBe(0);
    await expect(FlvViewer.open(floor.videoUrl, show.playbackId)).rejects.toThrow('404');
  });
});

function onAir(playbackId: string): Promise<unknown> {
  return waitFor(
    'the show to be on air',
    async () => {
      const viewer = await FlvViewer.open(floor.videoUrl, playbackId);
      viewer.close();
      return true;
    },
    20_000,
  );
}

function statusIs(playbackId: string, status: ShowSummary['status']): Promise<unknown> {
  return waitFor(
    `the show to be ${status}`,
    async () => {
      const answer = await seller.get<{ show: ShowSummary }>(`/api/shows/${playbackId}`);
      return answer.body.show.status === status;
    },
    20_000,
  );
}

/** Every output of the system that holds the secret: terminal, files of the data folder, metrics, API answers. */
async function placesThatHold(secret: string, show: ShowSummary): Promise<string[]> {
  const urls = [
    ...Object.values(floor.admin).map((admin) => `${admin}/metrics`),
    `${floor.admin.media}/api/v1/streams/`,
    `${floor.admin.media}/api/v1/clients/`,
    `${floor.admin.media}/api/v1/summaries`,
    `${floor.webUrl}/api/shows/${show.playbackId}`,
    `${floor.webUrl}/api/streaming/active`,
    `${floor.webUrl}/api/client-config`,
  ];
  const answers = await Promise.all(urls.map(async (url) => ({ name: url, text: await (await fetch(url)).text() })));
  const mine = await seller.get('/api/seller/shows');
  const files = filesBelow(floor.dataDir).map((path) => ({ name: path, text: readFileSync(path, 'latin1') }));
  return [
    ...answers,
    { name: '/api/seller/shows', text: JSON.stringify(mine.body) },
    { name: 'terminal', text: floor.output() },
    ...files,
  ]
    .filter(({ text }) => text.includes(secret))
    .map(({ name }) => name);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() && statSync(path).size < 64_000_000 ? [path] : [];
  });
}
