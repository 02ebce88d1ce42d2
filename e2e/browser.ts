import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

const LIBRARY_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'];

/** True when the browser can start: it needs Debian's libnss3. Suites in Chromium are named as skipped otherwise. */
export const hasBrowser =
  process.arch === 'x64' && LIBRARY_FOLDERS.some((folder) => existsSync(join(folder, 'libnss3.so')));

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
