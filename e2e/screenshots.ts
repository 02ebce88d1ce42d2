/** `npm run screenshots`: pictures for the README, taken from a running system: desktop and phone, light and dark. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { launchBrowser } from './browser.ts';
import { startFloor } from './floor.ts';
import { Shopper } from './shopper.ts';
import { signInToken } from './sign-in-link.ts';
import { RoomMember } from './viewer.ts';
import { waitFor } from './wait-for.ts';

const FOLDER = resolve(import.meta.dirname, '../docs/images');
const QUALITY = 82;
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** Into the clip's loop, where all three products are in the picture. */
const PICTURE_AT_SECONDS = 3;
const CHAT = ['Hello from Lyon', 'Is the glaze food safe?', 'Just got the sand one, love it', 'How heavy is the lamp?'];

mkdirSync(FOLDER, { recursive: true });
const floor = await startFloor();
const browser = await launchBrowser();
try {
  const sellerToken = await signInToken(floor);
  await talk();
  for (const scheme of ['light', 'dark'] as const) {
    await shoot(`watch-desktop-${scheme}`, DESKTOP, scheme, watch);
    await shoot(`watch-phone-${scheme}`, PHONE, scheme, watch);
  }
  await shoot('bag-desktop-light', DESKTOP, 'light', async (page) => {
    await watch(page);
    await page.getByTestId('pinned-card').getByTestId('hold').click();
    await page.getByTestId('checkout-open').click();
    await page.getByTestId('pay').waitFor();
  });
  await shoot('studio-desktop-light', DESKTOP, 'light', async (page) => {
    await page.goto(`${floor.webUrl}/signin?token=${sellerToken}`);
    await page.getByTestId('studio-show').first().waitFor();
  });
} finally {
  await browser.close();
  await floor.stop();
}

async function shoot(
  name: string,
  viewport: { width: number; height: number },
  colorScheme: 'light' | 'dark',
  prepare: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  await prepare(page);
  await page.screenshot({ path: join(FOLDER, `${name}.jpg`), type: 'jpeg', quality: QUALITY });
  await context.close();
  console.log(`${join('docs/images', name)}.jpg`);
}

async function watch(page: Page): Promise<void> {
  await page.goto(`${floor.webUrl}/live/demo`);
  await page.getByTestId('pinned-card').waitFor();
  await waitFor(
    'the picture',
    () => page.evaluate<boolean>(`(document.querySelector('video')?.currentTime ?? 0) > ${PICTURE_AT_SECONDS}`),
    20_000,
  );
}

async function talk(): Promise<void> {
  for (const message of CHAT) {
    const guest = await Shopper.guest(floor.webUrl);
    const token = await guest.send<{ token: string }>('POST', '/api/auth/room-token');
    const member = await RoomMember.enter(floor.realtimeUrl, token.body.token);
    await member.joinChat();
    await member.say(message);
    member.leave();
  }
}
