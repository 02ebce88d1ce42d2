import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestreamTargetList, ShowDetail, ShowList } from '@showfloor/protocol';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { axeSource, hasBrowser, launchBrowser } from './browser.ts';
import { hasFfmpeg } from './ffmpeg.ts';
import { type Floor, startFloor } from './floor.ts';
import { freePorts } from './free-ports.ts';
import { Shopper } from './shopper.ts';
import { signInToken } from './sign-in-link.ts';
import { waitFor } from './wait-for.ts';

const KEY = 'canary-studio-4c1a90-8e3d';
const POLL_PERIOD_MS = 3_000;

/** A seller at the desk while the demo show is on air: sends it on to an ingest that is not ours, and keeps house. */
let floor: Floor;
let browser: Browser;
let page: Page;
let seller: Shopper;
let port = 0;
let ingest: ChildProcess | null = null;

beforeAll(async () => {
  if (!hasFfmpeg || !hasBrowser) return;
  [port = 0] = await freePorts(1);
  floor = await startFloor({
    env: { OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8', OUTBOUND_ALLOWED_PORTS: String(port) },
  });
  browser = await launchBrowser();
  page = await browser.newPage({ reducedMotion: 'reduce' }); // colours are judged at rest
  await page.goto(`${floor.webUrl}/signin?token=${await signInToken(floor)}`);
  await demoShow().waitFor();
  const link = floor.command('signin-link').trim();
  seller = await Shopper.redeem(floor.webUrl, /token=([\w-]+)$/.exec(link)?.[1] ?? '');
});
afterAll(async () => {
  ingest?.kill('SIGKILL');
  await browser?.close();
  await floor?.stop();
});

describe.skipIf(!hasFfmpeg || !hasBrowser)('the studio', () => {
  test('sends a show on air to another platform: what is wrong is said at its field, active, off, gone', async () => {
    const ended = openIngest();
    await page.getByTestId('restream-add').click();
    const form = page.getByTestId('restream-form');
    await form.getByRole('button', { name: 'Add' }).click();
    expect(await form.getByText('Needed', { exact: true }).count()).toBe(3);
    expect(await focused('name')).toBe('name');

    await form.getByLabel('Name').fill('Elsewhere');
    await form.getByLabel('Server address').fill(`rtmp://10.0.0.7:${port}/app`);
    await form.getByLabel('Stream key').fill(KEY);
    expect(await form.getByLabel('Stream key').getAttribute('type')).toBe('password');
    await form.getByRole('button', { name: 'Add' }).click();
    const refusal = await waitFor(
      'the shop to refuse the address',
      async () => (await errorOf(form, 'Server address')) || false,
    );
    expect(refusal).toMatch(/public|not possible/);
    expect(await seriousFindings()).toEqual([]);

    await form.getByLabel('Server address').fill(`rtmp://127.0.0.1:${port}/app`);
    await form.getByRole('button', { name: 'Add' }).click();
    const target = page.getByTestId('restream-target');
    await target.waitFor();
    await form.waitFor({ state: 'detached' });
    await isState(target, 'active');
    expect(await target.getByTestId('restream-message').innerText()).toMatch(/since \d/);
    expect(await target.innerText()).toContain('••••8e3d');
    expect(await page.content()).not.toContain(KEY);
    expect(await seriousFindings()).toEqual([]);

    await target.getByRole('switch', { name: 'Send to Elsewhere' }).click();
    await ended; // by our goodbye
    await isState(target, 'off');
    expect((await targets())[0]?.isEnabled).toBe(false);

    await target.getByRole('button', { name: 'Edit Elsewhere' }).click();
    await form.getByLabel('Server address').fill(`rtmp://127.0.0.1:${port}/other`);
    await form.getByRole('button', { name: 'Save' }).click();
    expect(await errorOf(form, 'Stream key')).toContain('enter the key again');
    await form.getByLabel('Server address').fill(`rtmp://127.0.0.1:${port}/app`);
    await form.getByLabel('Name').fill('Over there');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    expect((await targets())[0]).toMatchObject({ name: 'Over there', url: `rtmp://127.0.0.1:${port}/app` });

    const trash = target.getByRole('button', { name: 'Delete Over there' });
    await trash.click();
    await target.getByRole('button', { name: 'Keep it' }).click();
    expect(await focused('aria-label')).toBe('Delete Over there');
    await trash.click();
    await target.getByRole('button', { name: 'Yes, delete' }).click();
    await target.waitFor({ state: 'detached' });
    expect(await targets()).toEqual([]);
  });

  test('asks how it goes every three seconds while looked at, and not at all while hidden', async () => {
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/restream-targets')) asked += 1;
    });
    await waitFor('two questions', () => asked >= 2);
    await page.evaluate(setVisibility('hidden'));
    const before = asked;
    await sleep(2.5 * POLL_PERIOD_MS);
    expect(asked).toBeLessThanOrEqual(before + 1); // one may have been under way
    await page.evaluate(setVisibility('visible'));
    const hidden = asked;
    await waitFor('questions again', () => asked > hidden);
  });

  test('changes and calls off a show, and folds it away', async () => {
    const { id } = (await seller.send<ShowList['shows'][number]>('POST', '/api/shows', { title: 'Saturday glazes' }))
      .body;
    const show = page.getByRole('article', { name: 'Saturday glazes', exact: true });
    await show.getByRole('button', { name: 'Edit show Saturday glazes' }).click();
    await show.getByLabel('Title').fill('Sunday glazes');
    await show.getByLabel('Planned for').fill('2031-03-02T18:30');
    expect(await seriousFindings()).toEqual([]);
    await show.getByRole('button', { name: 'Save' }).click();
    const renamed = page.getByRole('article', { name: 'Sunday glazes', exact: true });
    await renamed.waitFor();
    const planned = (await seller.get<ShowList>('/api/seller/shows')).body.shows.find((each) => each.id === id);
    const plannedAtMs = await page.evaluate<number>('new Date(2031, 2, 2, 18, 30).getTime()');
    expect(planned).toMatchObject({ title: 'Sunday glazes', scheduledAtMs: plannedAtMs });

    await renamed.getByRole('button', { name: 'Cancel show Sunday glazes' }).click();
    await renamed.getByRole('button', { name: 'Yes, call it off' }).click();
    await renamed.waitFor({ state: 'detached' });
    const past = page.getByTestId('studio-past');
    expect(await past.getByRole('link').count()).toBe(0);
    await past.getByText('Past shows (1)').click();
    await past.getByRole('link', { name: 'Sunday glazes' }).waitFor();
    expect(await past.innerText()).toContain('Cancelled');
    expect(await seriousFindings()).toEqual([]);
  });

  test('changes a product, which the show tells its viewers', async () => {
    await page.getByRole('button', { name: 'Edit product Stoneware mug' }).click();
    const form = page.getByRole('form', { name: 'Edit product Stoneware mug' });
    await form.getByLabel('Product name').fill('Stoneware cup');
    await form
      .getByLabel(/^Price of/)
      .first()
      .fill('0.5x');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('Write a price like 24.50').waitFor();
    await form
      .getByLabel(/^Price of/)
      .first()
      .fill('19,90');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Edit product Stoneware cup' }).waitFor();
    const { products } = (await seller.get<ShowDetail>('/api/shows/demo')).body;
    const cup = products.find(({ title }) => title === 'Stoneware cup');
    expect(cup?.variants[0]?.priceMinor).toBe(1_990);
    expect(await seriousFindings()).toEqual([]);
  });
});

function demoShow(): Locator {
  return page.locator('[data-testid=studio-show][data-playback-id=demo][data-status=live]');
}

/** ffmpeg as the other platform; the promise resolves when it has ended, as it does with its publisher. */
function openIngest(): Promise<unknown> {
  const url = `rtmp://127.0.0.1:${port}/app/${KEY}`;
  const child = spawn('ffmpeg', ['-v', 'error', '-listen', '1', '-i', url, '-c', 'copy', '-f', 'null', '-'], {
    stdio: 'ignore',
  });
  ingest = child;
  return new Promise((resolve) => child.once('exit', resolve));
}

function isState(target: Locator, state: string): Promise<unknown> {
  return waitFor(
    `the page to show the target as ${state}`,
    async () => (await target.getAttribute('data-state')) === state,
    30_000,
  );
}

async function targets(): Promise<RestreamTargetList['targets']> {
  const { shows } = (await seller.get<ShowList>('/api/seller/shows')).body;
  const id = shows.find(({ playbackId }) => playbackId === 'demo')?.id;
  return (await seller.get<RestreamTargetList>(`/api/shows/${id}/restream-targets`)).body.targets;
}

/** The error that belongs to a field by its description, as a screen reader finds it; empty: the field is right. */
async function errorOf(form: Locator, label: string): Promise<string> {
  const field = form.getByLabel(label);
  if ((await field.getAttribute('aria-invalid')) !== 'true') return '';
  const ids = (await field.getAttribute('aria-describedby')) ?? '';
  const texts = ids.split(/\s+/).map((id) => form.locator(`[id="${id}"]`).innerText());
  return (await Promise.all(texts)).join(' ');
}

function focused(attribute: string): Promise<string | null> {
  return page.evaluate(`document.activeElement?.getAttribute('${attribute}') ?? null`);
}

function setVisibility(state: 'hidden' | 'visible'): string {
  return `Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`;
}

async function seriousFindings(): Promise<string[]> {
  await page.evaluate(axeSource());
  const found = await page.evaluate<{ id: string; impact: string; nodes: { html: string }[] }[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}
