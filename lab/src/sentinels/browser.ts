/** A headless browser that can play H.264, when this machine has one. Both packages are optional. */
import type { Browser } from 'playwright-core';

/** Throws with a sentence that says what is missing. */
export async function launchSentinelBrowser(): Promise<Browser> {
  const [{ chromium: playwright }, { default: chromium }] = await Promise.all([
    import('playwright-core'),
    import('@sparticuz/chromium'),
  ]).catch(() => {
    throw new Error('playwright-core and @sparticuz/chromium are not installed');
  });
  // One process for all pages would end with the first page that crashes.
  const args = chromium.args.filter((arg) => !/^--(single-process|headless)/.test(arg));
  try {
    return await playwright.launch({
      executablePath: await chromium.executablePath(),
      args: [...args, '--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-background-networking'],
      headless: true,
    });
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`Chromium does not start here (${line.slice(0, 160)}); on Debian it needs libnss3`);
  }
}
