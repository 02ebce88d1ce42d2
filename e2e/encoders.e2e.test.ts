import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';
import { hasFfmpeg, publishWithFfmpeg } from './ffmpeg.ts';
import { type Floor, startFloor } from './floor.ts';
import { hasGstreamer, publishWithGstreamer } from './gstreamer.ts';
import { createShow, type OwnShow, sellerOf } from './own-show.ts';
import type { Shopper } from './shopper.ts';
import { waitFor } from './wait-for.ts';
import { PLAYERS, Watch } from './watch.ts';

/** Encoders that are not ours, watched in Chromium by each way of playing. */
let floor: Floor;
let browser: Browser;
let seller: Shopper;

beforeAll(async () => {
  if (!hasBrowser) return;
  floor = await startFloor();
  browser = await launchBrowser();
  seller = await sellerOf(floor);
});
afterAll(async () => {
  await browser?.close();
  await floor?.stop();
});

test.skipIf(!hasFfmpeg || !hasBrowser)('ffmpeg is watched by FLV, LL-HLS and HLS', () => isWatched(publishWithFfmpeg));

test.skipIf(!hasGstreamer || !hasBrowser)('GStreamer is watched by FLV, LL-HLS and HLS', () =>
  isWatched(publishWithGstreamer),
);

test.skipIf(!hasFfmpeg || !hasGstreamer || !hasBrowser)(
  'V5 another encoder with another size takes over in the middle of the show: every page plays on',
  async () => {
    const show = await createShow(seller, 'Two encoders');
    const first = publishWithFfmpeg(show.server, show.streamKey);
    await onAirInHls(show);
    const watches = await openAll(show);
    for (const watch of watches) await watch.moves();
    const widths = (): Promise<number[]> => Promise.all(watches.map(pictureWidth));
    expect(await widths()).toEqual([1280, 1280, 1280]);
    await first.drop();
    const second = publishWithGstreamer(show.server, show.streamKey, { widthPx: 640, heightPx: 360 });
    await waitFor('the new size', async () => (await widths()).every((width) => width === 640), 30_000);
    for (const [index, watch] of watches.entries()) {
      await watch.moves();
      const { mode, loads } = await watch.facts();
      expect({ mode, loads, isSamePage: await watch.isSamePage() }).toEqual({
        mode: PLAYERS[index],
        loads: 1,
        isSamePage: true,
      });
      await watch.close();
    }
    await second.drop();
  },
);

type Publisher = { readonly output: () => string; readonly drop: () => Promise<void> };

async function isWatched(publish: (server: string, streamKey: string) => Publisher): Promise<void> {
  const show = await createShow(seller, 'Another encoder');
  const publisher = publish(show.server, show.streamKey);
  try {
    await byEveryPlayer(show);
  } catch (error) {
    throw new Error(`the encoder printed: ${publisher.output()}`, { cause: error });
  } finally {
    await publisher.drop();
  }
}

async function onAirInHls({ playbackId }: OwnShow): Promise<void> {
  const list = `${floor.videoUrl}/live/${playbackId}.m3u8`;
  await waitFor('the show to be on air in HLS', async () => (await fetch(list)).ok, 30_000);
}

function openAll({ playbackId }: OwnShow): Promise<Watch[]> {
  return Promise.all(PLAYERS.map((player) => Watch.open(browser, floor, { playbackId, player })));
}

async function byEveryPlayer(show: OwnShow): Promise<void> {
  await onAirInHls(show);
  const watches = await openAll(show);
  for (const [index, watch] of watches.entries()) {
    await watch.moves();
    const decoded = await watch.decodedFrames();
    await waitFor('decoded frames to grow', async () => (await watch.decodedFrames()) > decoded + 30);
    const { mode, latencyMs } = await watch.facts();
    expect(mode).toBe(PLAYERS[index]);
    expect(latencyMs).not.toBeNull();
    expect(await hasSound(watch)).toBe(true);
    await watch.close();
  }
}

function pictureWidth(watch: Watch): Promise<number> {
  return watch.page.evaluate('document.querySelector("[data-testid=video]").videoWidth');
}

/** Chromium counts the bytes of sound that it has decoded. */
function hasSound(watch: Watch): Promise<boolean> {
  return watch.page.evaluate('document.querySelector("[data-testid=video]").webkitAudioDecodedByteCount > 0');
}
