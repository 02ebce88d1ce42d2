import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { axeSource, hasBrowser, launchBrowser } from './browser.ts';
import { type Floor, startFloor } from './floor.ts';
import { freePorts } from './free-ports.ts';
import { FlvViewer } from './viewer.ts';
import { waitFor } from './wait-for.ts';

/** What somebody sees who opens the lab's dashboard while a run goes on. */
const SHOWN_WITHIN_MS = 2000;
let floor: Floor;
let browser: Browser;
let lab: ChildProcess;
let url: string;
const problems: string[] = [];

beforeAll(async () => {
  if (!hasBrowser) return;
  floor = await startFloor();
  const onAir = (): Promise<boolean> => FlvViewer.open(floor.videoUrl).then((viewer) => viewer.close() ?? true);
  await waitFor('the demo show to be on air', onAir, 20_000);
  browser = await launchBrowser();
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}/`;
  const sized = ['--duration', '60s', '--out', join(floor.dataDir, 'shown'), '--dashboard', String(port)];
  const main = resolve(import.meta.dirname, '../lab/src/cli/main.ts');
  lab = spawn(process.execPath, [main, 'run', 'smoke', '--target', floor.webUrl, ...sized], { stdio: 'ignore' });
  await waitFor('the dashboard', async () => (await fetch(url).catch(() => null))?.ok === true, 30_000);
});
afterAll(async () => {
  if (lab?.exitCode === null) lab.kill('SIGKILL');
  await browser?.close();
  await floor?.stop();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED')) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) problems.push(request.url());
  });
  await page.goto(url);
  return page;
}

async function violations(page: Page): Promise<unknown[]> {
  const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `${axeSource()}; axe.run()`,
  );
  return found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}

describe.skipIf(!hasBrowser)('the dashboard of a run', () => {
  test('shows where the run stands at once, and its numbers move', async () => {
    const page = await open();
    await page.locator('#link[data-state=live]').waitFor({ timeout: SHOWN_WITHIN_MS });
    await page.locator('#word', { hasText: /\S/ }).waitFor({ timeout: SHOWN_WITHIN_MS });
    await page.locator('#streaming td', { hasText: /^10$/ }).first().waitFor(); // everybody has come
    const clock = await page.locator('#clock').innerText();
    const path = page.locator('[data-chart=traffic] path');
    const drawn = await path.getAttribute('d');
    await waitFor('the next second', async () => (await page.locator('#clock').innerText()) !== clock);
    await waitFor('the chart to grow', async () => (await path.getAttribute('d')) !== drawn);
    const start = page.locator('[data-criterion=start-success]');
    await waitFor('a criterion that holds', async () => (await start.getAttribute('data-outcome')) === 'pass');
    expect(await start.innerText()).toMatch(/100 %\s+> 99 %/);
    await page.close();
  });

  test('a late visitor sees what came before', async () => {
    const page = await open();
    const path = page.locator('[data-chart=users] path').first();
    await path.waitFor({ state: 'attached' });
    expect((await path.getAttribute('d'))?.match(/[ML]/g)?.length).toBeGreaterThan(3);
    await page.close();
  });

  test.each([
    ['a desk, light', { colorScheme: 'light', viewport: { width: 1440, height: 900 } }],
    ['a phone, dark', { colorScheme: 'dark', viewport: { width: 360, height: 780 } }],
  ] as const)('%s: nothing to the side, nothing that axe objects to', async (_name, options) => {
    const page = await open(options);
    await page.locator('[data-chart=users]').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await violations(page)).toEqual([]);
    await page.close();
  });

  test('says that it is over when the run ends, with the last word on it', async () => {
    const page = await open();
    await page.locator('#link[data-state=live]').waitFor();
    lab.kill('SIGINT');
    await page.locator('#link[data-state=ended]').waitFor({ timeout: 20_000 });
    await page.locator('#word', { hasText: 'Interrupted' }).waitFor();
    await page.close();
  });

  test('loads nothing from elsewhere and breaks none of its own rules', () => {
    expect(problems).toEqual([]);
  });
});
