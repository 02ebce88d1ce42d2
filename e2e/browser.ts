import { readFileSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/**
 * Headless Chromium with H.264, unpacked from an npm package (no download). `--single-process` of the package's own
 * argument list is dropped: one crashed page would end the browser.
 */
export async function launchBrowser(): Promise<Browser> {
  const args = chromium.args.filter((arg) => !/^--(single-process|headless)/.test(arg));
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...args, '--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-background-networking'],
    headless: true,
  });
}

/** Source of axe-core, to be evaluated in a page. */
export function axeSource(): string {
  return readFileSync(new URL(import.meta.resolve('axe-core')), 'utf8');
}
