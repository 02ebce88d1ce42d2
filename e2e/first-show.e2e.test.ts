import type { ShowDetail, ShowList } from '@showfloor/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { axeSource, hasBrowser, launchBrowser } from './browser.ts';
import { type Floor, startFloor } from './floor.ts';
import { PAYING_CARD, Shopper } from './shopper.ts';
import { signInToken } from './sign-in-link.ts';
import { waitFor } from './wait-for.ts';
import { PLAYERS, Watch } from './watch.ts';

/** What a newcomer does after `npm start`: open the page, watch, chat, hold, pay, see the order. */
let floor: Floor;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (!hasBrowser) return;
  floor = await startFloor();
  browser = await launchBrowser();
  page = await browser.newPage();
});
afterAll(async () => {
  await browser?.close();
  await floor?.stop();
});

describe.skipIf(!hasBrowser)('a first visit', () => {
  test('the list leads to a picture that moves', async () => {
    await page.goto(floor.webUrl);
    await page.getByTestId('show-card').first().click();
    await page.getByTestId('watch-page').waitFor();
    expect(page.url()).toBe(`${floor.webUrl}/live/demo`);
    await moves(page);
    const frames = await decodedFrames(page);
    await waitFor('decoded frames to grow', async () => (await decodedFrames(page)) > frames + 30);
    await page.getByTestId('live-badge').waitFor();
    expect(await page.getByTestId('viewer-count').innerText()).toMatch(/[1-9]/);
  });

  test('a chat message appears once', async () => {
    await page.getByTestId('chat-input').fill('Does the mug go into the dishwasher?');
    await page.keyboard.press('Enter');
    const mine = page.getByText('Does the mug go into the dishwasher?');
    await mine.first().waitFor();
    await waitFor('the message to be confirmed, once', async () => {
      const confirmed = await page.getByTestId('chat-message').filter({ hasText: 'dishwasher' }).count();
      return confirmed === 1 && (await mine.count()) === 1;
    });
  });

  test('the pinned product is held, paid with the test card, and the order is there after a reload', async () => {
    const card = page.getByTestId('pinned-card');
    await card.getByTestId('hold').click();
    await page.getByTestId('hold-countdown').first().waitFor();
    const remainingMs = Number(await page.locator('[data-remaining-ms]').first().getAttribute('data-remaining-ms'));
    expect(remainingMs).toBeGreaterThan(590_000 - 15_000);
    expect(remainingMs).toBeLessThanOrEqual(600_000);
    await page.getByTestId('checkout-open').click();
    expect(await page.getByTestId('checkout-form').locator('input[inputmode=numeric]').inputValue()).toBe(PAYING_CARD);
    await page.getByTestId('pay').click();
    await page.getByTestId('receipt').waitFor();
    expect(await page.getByTestId('order-number').first().innerText()).toMatch(/SF-\d{6}/);
    await page.getByTestId('order-link').click();
    await page.getByTestId('order').waitFor();
    await page.reload();
    await page.getByTestId('order').waitFor();
    expect(await page.getByTestId('order-status').innerText()).toMatch(/paid/i);
  });

  test('R5 a pinned product appears with its frame, not before, by FLV, LL-HLS and HLS at once', async () => {
    const seller = await Shopper.redeem(floor.webUrl, await signInToken(floor));
    const watches = await Promise.all(PLAYERS.map((player) => Watch.open(browser, floor, { player })));
    for (const watch of watches) {
      await watch.moves();
      await watch.page.getByTestId('pinned-card').waitFor();
      await waitFor('the clock in the picture', async () => (await watch.facts()).playheadWallMs !== null);
    }
    const detail = (await seller.get<ShowDetail>('/api/shows/demo')).body;
    const pinned = detail.featured?.product.id;
    const skews: [string, number][] = [];
    for (const next of detail.products.filter(({ id }) => id !== pinned)) {
      await Promise.all(watches.map(({ page: seen }) => seen.evaluate(noteWhenPinned(next.title))));
      const answer = await seller.send<ShowDetail>('PUT', `/api/shows/${detail.show.id}/featured`, {
        productId: next.id,
      });
      expect(answer.status).toBe(200);
      const pinnedAtMs = answer.body.featured?.pinnedAtMs ?? Number.NaN;
      for (const [index, watch] of watches.entries()) {
        const seenAtMs = await watch.page.evaluate<number>('window.seenAtWallMs');
        skews.push([PLAYERS[index] ?? '', seenAtMs - pinnedAtMs]);
      }
    }
    process.stdout.write(
      `R5 skews: ${skews.map(([player, skewMs]) => `${player} ${Math.round(skewMs)} ms`).join(', ')}\n`,
    );
    for (const [player, skewMs] of skews) {
      expect(skewMs, player).toBeGreaterThanOrEqual(-250);
      expect(skewMs, player).toBeLessThanOrEqual(250);
    }
    await Promise.all(watches.map((watch) => watch.close()));
  });

  test('the watch page has no serious accessibility finding', async () => {
    await page.emulateMedia({ reducedMotion: 'reduce' }); // colours are judged at rest, not half way through a fade
    await page.goto(`${floor.webUrl}/live/demo`);
    await moves(page);
    await page.getByTestId('pinned-card').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByTestId('pinned-card').getByTestId('hold').click();
    await page.getByTestId('checkout-open').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
  });

  test('buying with the keyboard alone takes at most 12 presses from the pinned card', async () => {
    const buyer = await browser.newContext();
    const fresh = await buyer.newPage();
    await fresh.goto(`${floor.webUrl}/live/demo`);
    await fresh.getByTestId('pinned-card').getByTestId('hold').focus();
    let presses = 0;
    const press = async (key: string): Promise<void> => {
      presses += 1;
      await fresh.keyboard.press(key);
    };
    await press('Enter');
    await fresh.getByTestId('checkout-open').waitFor();
    await tabTo(fresh, 'checkout-open', press);
    await press('Enter');
    await fresh.getByTestId('pay').waitFor();
    await tabTo(fresh, 'pay', press);
    await press('Enter');
    await fresh.getByTestId('receipt').waitFor();
    expect(presses).toBeLessThanOrEqual(12);
    await buyer.close();
  });

  test('a seller who lost the link asks for a new one, which works once', async () => {
    const link = floor.command('signin-link').trim();
    const token = /\/signin\?token=([\w-]+)$/.exec(link)?.[1] ?? '';
    const seller = await Shopper.redeem(floor.webUrl, token);
    expect((await seller.get<ShowList>('/api/seller/shows')).body.shows.map(({ playbackId }) => playbackId)).toEqual([
      'demo',
    ]);
    await expect(Shopper.redeem(floor.webUrl, token)).rejects.toThrow('401');
    expect((await fetch(`${floor.admin.commerce}/sign-in-link`, { method: 'POST' })).status).toBe(401);
  });

  test('a show that does not exist says so', async () => {
    await page.goto(`${floor.webUrl}/live/nosuchshow`);
    await page.getByRole('heading').first().waitFor();
    expect(await page.locator('body').innerText()).not.toContain('undefined');
  });
});

async function moves(watching: Page): Promise<void> {
  const playhead = (): Promise<number> => watching.evaluate('document.querySelector("video")?.currentTime ?? 0');
  const start = await waitFor('the first picture', playhead, 20_000);
  await waitFor('the picture to move', async () => (await playhead()) > start + 0.5, 10_000);
}

function decodedFrames(watching: Page): Promise<number> {
  return watching.evaluate('document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames');
}

/**
 * Script of a promise in the page: the ingest clock of the picture when the pinned card first shows `title`. The
 * page writes its clock every few frames only, but that of the element's time zero stands while it plays.
 */
function noteWhenPinned(title: string): string {
  return `void (window.seenAtWallMs = new Promise((done) => {
    const look = () => {
      const card = document.querySelector('[data-testid=pinned-card]');
      const { zeroWallMs } = document.querySelector('[data-testid=player]').dataset;
      const { currentTime } = document.querySelector('[data-testid=video]');
      if (card?.textContent.includes(${JSON.stringify(title)})) done(Number(zeroWallMs) + currentTime * 1000);
      else setTimeout(look, 10);
    };
    look();
  }))`;
}

async function tabTo(fresh: Page, testId: string, press: (key: string) => Promise<void>): Promise<void> {
  for (let count = 0; count < 12; count += 1) {
    if (await fresh.evaluate(`document.activeElement?.dataset.testid === ${JSON.stringify(testId)}`)) return;
    await press('Tab');
  }
}

async function seriousFindings(watching: Page): Promise<string[]> {
  await watching.evaluate(axeSource());
  const found = await watching.evaluate<{ id: string; impact: string; nodes: { html: string }[] }[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}
