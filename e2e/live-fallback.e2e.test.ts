import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';
import { type Floor, startFloor } from './floor.ts';
import { waitFor } from './wait-for.ts';
import { Watch } from './watch.ts';

/** What the page does where its first choice of playing does not work. */
let floor: Floor;
let browser: Browser;

beforeAll(async () => {
  if (!hasBrowser) return;
  floor = await startFloor();
  browser = await launchBrowser();
  await waitFor('the demo show to be on air in HLS', async () => (await fetch(`${floor.videoUrl}/live/demo.m3u8`)).ok);
});
afterAll(async () => {
  await browser?.close();
  await floor?.stop();
});

const HLS_CHUNK = /\/assets\/hls-engine-[^/]+\.js$/;
const FLV_CHUNK = /\/assets\/flv-engine-[^/]+\.js$/;

describe.skipIf(!hasBrowser)('live-fallback', () => {
  test('FLV that works never asks for hls.js', async () => {
    const watch = await Watch.open(browser, floor);
    await watch.moves();
    expect((await watch.facts()).mode).toBe('flv');
    expect(watch.requests.some((url) => HLS_CHUNK.test(url) || url.includes('.m3u8'))).toBe(false);
    await watch.close();
  });

  test('G-51 FLV refused with 404: HLS takes over, hls.js loads, the picture moves', async () => {
    const watch = await Watch.open(browser, floor, { prepare: (page) => answerFlv(page, 404) });
    await watch.moves();
    const facts = await watch.facts();
    expect(facts).toMatchObject({ state: 'playing', slate: 'none', mode: 'll-hls' });
    expect(watch.requests.some((url) => HLS_CHUNK.test(url))).toBe(true);
    expect(watch.requests.filter((url) => url.endsWith('.flv'))).toHaveLength(1);
    await watch.close();
  });

  test('FLV that a proxy cuts again and again is left for HLS after three retries', async () => {
    const watch = await Watch.open(browser, floor, {
      prepare: (page) => page.route('**/*.flv', (route) => route.abort('connectionreset')),
    });
    await watch.moves(30_000);
    expect((await watch.facts()).mode).toBe('ll-hls');
    const tries = watch.requests.filter((url) => url.endsWith('.flv')).length;
    expect(tries).toBeGreaterThanOrEqual(4);
    expect(tries).toBeLessThanOrEqual(5); // one more when the room says meanwhile that the show is on air
    await watch.close();
  });

  test('without Media Source Extensions the browser plays HLS by itself', async () => {
    const watch = await Watch.open(browser, floor, {
      prepare: (page) => page.addInitScript('delete window.MediaSource; delete window.WebKitMediaSource;'),
    });
    await watch.moves(30_000);
    expect((await watch.facts()).mode).toBe('native');
    expect(watch.requests.some((url) => HLS_CHUNK.test(url) || FLV_CHUNK.test(url) || url.endsWith('.flv'))).toBe(
      false,
    );
    await watch.close();
  });

  test('a show that is not on air loads no hls.js, and a browser that cannot play says so', async () => {
    const watch = await Watch.open(browser, floor, {
      prepare: async (page) => {
        await answerFlv(page, 404);
        await page.route('**/*.m3u8', (route) => route.fulfill({ status: 404, headers: CORS }));
      },
    });
    await waitFor('HLS to be asked', () => watch.requests.some((url) => url.includes('.m3u8')));
    await waitFor('FLV to be asked again', () => watch.requests.filter((url) => url.endsWith('.flv')).length >= 2);
    expect(watch.requests.some((url) => HLS_CHUNK.test(url))).toBe(false);
    await watch.close();

    const without = await Watch.open(browser, floor, {
      prepare: (page) =>
        page.addInitScript(
          `delete window.MediaSource; delete window.WebKitMediaSource; HTMLMediaElement.prototype.canPlayType = () => '';`,
        ),
    });
    await waitFor('the slate', async () => (await without.facts()).slate === 'unsupported');
    await without.close();
  });
});

const CORS = { 'access-control-allow-origin': '*' };

function answerFlv(page: Page, status: number): Promise<unknown> {
  return page.route('**/*.flv', (route) => route.fulfill({ status, headers: CORS }));
}
