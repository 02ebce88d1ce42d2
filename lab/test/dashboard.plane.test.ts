import { get, type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { DashboardFrame } from '../src/dashboard/dashboard-frame.ts';
import { PAGES_MAX } from '../src/dashboard/event-stream.ts';
import { type Dashboard, DashboardPortError, startDashboard } from '../src/dashboard/start-dashboard.ts';

let dashboard: Dashboard | null = null;
afterEach(async () => {
  await dashboard?.close();
  dashboard = null;
});

async function start(): Promise<Dashboard> {
  dashboard = await startDashboard({ port: 0, title: 'smoke <run>' });
  return dashboard;
}

function frame(atMs: number, more: Partial<DashboardFrame> = {}): DashboardFrame {
  return {
    runId: 'r1',
    title: 'smoke',
    subtitle: '',
    atMs,
    status: { tone: 'good', word: 'On track', detail: '' },
    phase: { name: 'steady', clock: '', left: '', done: 0 },
    panels: [],
    charts: [],
    points: { 'users.FLV': atMs },
    criteria: [],
    faults: [],
    durationMs: 60_000,
    alerts: [],
    isOver: false,
    ...more,
  };
}

type Message = { readonly event: string; readonly id: string; readonly data: { [name: string]: unknown } };

/** One open page: what it was sent, and when it was cut off. */
class Page {
  readonly messages: Message[] = [];
  isClosed = false;
  #text = '';
  #wake: () => void = () => {};
  readonly #response: IncomingMessage;

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#read(text));
    for (const name of ['close', 'end', 'error']) {
      response.on(name, () => {
        this.isClosed = true;
        this.#wake();
      });
    }
  }

  static open(url: string, headers: Record<string, string> = {}): Promise<Page> {
    return new Promise((resolve, reject) => {
      get(new URL('/events', url), { headers, agent: false }, (response) => resolve(new Page(response))).on(
        'error',
        reject,
      );
    });
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  frames(): Message[] {
    return this.messages.filter(({ event }) => event === 'frame');
  }

  close(): void {
    this.#response.destroy();
  }

  #read(text: string): void {
    const parts = (this.#text + text).split('\n\n');
    this.#text = parts.pop() ?? '';
    for (const part of parts) {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? '';
      if (field('event') === '') continue;
      this.messages.push({ event: field('event'), id: field('id'), data: JSON.parse(field('data')) });
    }
    this.#wake();
  }
}

function ask(url: string, options: { path?: string; method?: string; headers?: Record<string, string> }) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>((resolve, reject) => {
    request(new URL(options.path ?? '/', url), { ...options, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the page', () => {
  test('is one document that may load nothing, with its title escaped', async () => {
    const { url } = await start();
    const { status, headers, body } = await ask(url, {});
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-/,
    );
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(body).toContain('<title>smoke &lt;run&gt;</title>');
    expect(body).not.toMatch(/(src|href)="(?!data:|#)/);
    expect(body).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    expect(body).not.toMatch(/^(import|export) /m);
  });

  test.each([
    ['another name (DNS rebinding)', { headers: { host: 'evil.example:9090' } }, 421],
    ['another name, for the stream', { path: '/events', headers: { host: 'evil.example' } }, 421],
    ['a foreign page', { path: '/events', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
    ['anything but looking', { method: 'POST' }, 405],
    ['another path', { path: '/manifest.json' }, 404],
  ])('%s is refused', async (_name, options, expected) => {
    const { url, counters } = await start();
    expect((await ask(url, options)).status).toBe(expected);
    expect(counters().refusedHosts).toBe(expected === 421 ? 1 : 0);
  });
});

describe('the stream', () => {
  test('a late visitor is sent everything of the last minutes, then each frame', async () => {
    const { url, push } = await start();
    push(frame(1000));
    const first = await Page.open(url);
    await first.until(() => first.messages.length > 0);
    expect(first.messages[0]).toMatchObject({
      event: 'snapshot',
      data: { isWhole: true, rows: [[1000, { 'users.FLV': 1000 }]], frame: { atMs: 1000 } },
    });
    push(frame(2000));
    await first.until(() => first.frames().length > 0);
    const late = await Page.open(url);
    await late.until(() => late.messages.length > 0);
    expect(late.messages[0]?.data.rows).toEqual([
      [1000, { 'users.FLV': 1000 }],
      [2000, { 'users.FLV': 2000 }],
    ]);
    for (const page of [first, late]) page.close();
  });

  test('who comes back is sent what it missed, and everything after another run began', async () => {
    const { url, push } = await start();
    push(frame(1000));
    const page = await Page.open(url);
    await page.until(() => page.messages.length > 0);
    const lastEventId = page.messages[0]?.id ?? '';
    page.close();
    push(frame(2000));
    const watcher = await Page.open(url);
    await watcher.until(() => watcher.frames().length > 0);
    const back = await Page.open(url, { 'last-event-id': lastEventId });
    await back.until(() => back.messages.length > 0);
    expect(back.messages[0]?.data).toMatchObject({ isWhole: false, rows: [[2000, { 'users.FLV': 2000 }]] });
    push(frame(1000, { runId: 'r2' }));
    await watcher.until(() => watcher.frames().length > 1);
    const other = await Page.open(url, { 'last-event-id': lastEventId });
    await other.until(() => other.messages.length > 0);
    expect(other.messages[0]?.data).toMatchObject({ isWhole: true, rows: [[1000, { 'users.FLV': 1000 }]] });
    for (const one of [watcher, back, other]) one.close();
  });

  test('of many frames in a second the newest is sent, and the last one before the end', async () => {
    const { url, push, counters, close } = await start();
    push(frame(0));
    const page = await Page.open(url);
    await page.until(() => page.messages.length > 0);
    for (let index = 1; index <= 50; index += 1) push(frame(index));
    await page.until(() => page.frames().length > 0);
    expect(page.frames()[0]?.data.frame).toMatchObject({ atMs: 50 });
    expect(counters().framesSent).toBe(2);
    push(frame(99, { isOver: true }));
    await close();
    await page.until(() => page.isClosed);
    expect(page.messages.slice(-2)).toMatchObject([
      { event: 'frame', data: { frame: { atMs: 99, isOver: true } } },
      { event: 'end' },
    ]);
  });

  test('a page that does not read is dropped, and its neighbour never notices', async () => {
    const { url, push, counters } = await start();
    const bulk = 'x'.repeat(4_000_000);
    push(frame(0));
    const neighbour = await Page.open(url);
    const port = Number(new URL(url).port);
    const stuck: Socket = connect(port, '127.0.0.1', () => {
      stuck.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      stuck.pause();
    });
    stuck.on('error', () => {});
    await neighbour.until(() => counters().open === 2 || neighbour.messages.length > 0);
    for (let count = 1; counters().dropped === 0; count += 1) {
      push(frame(count, { subtitle: bulk }));
      await neighbour.until(() => neighbour.frames().length >= count);
      expect(count).toBeLessThan(20);
    }
    expect(counters()).toMatchObject({ dropped: 1, open: 1 });
    expect(neighbour.isClosed).toBe(false);
    stuck.destroy();
    neighbour.close();
  });

  test('one page too many is told why', async () => {
    const { url, push, counters } = await start();
    push(frame(0));
    const pages = await Promise.all(Array.from({ length: PAGES_MAX }, () => Page.open(url)));
    const refused = await Page.open(url);
    await refused.until(() => refused.isClosed);
    expect(refused.messages).toMatchObject([
      { event: 'refused', data: { reason: expect.stringContaining('close one') } },
    ]);
    expect(counters()).toMatchObject({ open: PAGES_MAX, refused: 1 });
    for (const page of pages) page.close();
  });
});

test('a busy port is one clear line', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const refused = startDashboard({ port, title: 'smoke' });
  await expect(refused).rejects.toThrow(DashboardPortError);
  await expect(refused).rejects.toThrow(/^port \d+ is taken.*--dashboard <port>$/);
  await new Promise((resolve) => other.close(resolve));
});
