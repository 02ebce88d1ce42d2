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

async function byEveryPlayer({ playbackId }: OwnShow): Promise<void> {
  const list = `${floor.videoUrl}/live/${playbackId}.m3u8`;
  await waitFor('the show to be on air in HLS', async () => (await fetch(list)).ok, 30_000);
  const watches = await Promise.all(PLAYERS.map((player) => Watch.open(browser, floor, { playbackId, player })));
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

/** Chromium counts the bytes of sound that it has decoded. */
function hasSound(watch: Watch): Promise<boolean> {
  return watch.page.evaluate('document.querySelector("[data-testid=video]").webkitAudioDecodedByteCount > 0');
}
