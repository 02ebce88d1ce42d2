import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import { TrustedProxies } from '../delivery/client-address.ts';

type Row = Record<string, unknown> & { id: string; protocol: string; type: string };

/** The control API of a plane on a port of its own. */
class Control implements AsyncDisposable {
  readonly #server;

  constructor(floor: PlaneUnderTest) {
    this.#server = createServer((request, response) => {
      if (!floor.plane.handleAdmin(request, response)) response.writeHead(404).end();
    });
    this.#server.listen(0, '127.0.0.1');
  }

  async ask(path: string, method = 'GET'): Promise<Record<string, unknown>> {
    if (!this.#server.listening) await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { method });
    return (await response.json()) as Record<string, unknown>;
  }

  async clients(query = ''): Promise<Row[]> {
    return (await this.ask(`/clients${query}`)).clients as Row[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

test('a stream tells rates, codec, size, publish state, and what is done with it', async () => {
  await using floor = await PlaneUnderTest.start();
  await using control = new Control(floor);
  await floor.onAir('show-facts');
  const watcher = floor.watch('show-facts');
  const list = `http://127.0.0.1:${floor.plane.httpPort}/live/show-facts/index.m3u8`;
  await until('HLS', async () => (await fetch(list)).status === 200);
  await until('pictures', () => watcher.pictures.length > 5);
  const stream = async (): Promise<Record<string, unknown>> =>
    (await control.ask('/streams/show-facts')).stream as Record<string, unknown>;
  const fps = (row: Record<string, unknown>): number => (row.video as { fps: number }).fps;
  await until('a measured frame rate', async () => fps(await stream()) > 0);
  const row = await stream();
  expect(row).toMatchObject({
    name: 'show-facts',
    app: 'live',
    state: 'live',
    clients: 3,
    publish: { active: true, cid: expect.any(String) },
    kbps: { recv_30s: expect.any(Number), send_30s: expect.any(Number) },
    video: { codec: 'H264', profile: 'Main', width: 320, height: 180, frame_rate: 25 },
    audio: { codec: 'AAC', sample_rate: 48_000, channel: 2 },
    hls: { problem: null, viewers: 1, low_latency_viewers: 0, target_duration: expect.any(Number) },
    restream: [],
    recording: null,
  });
  expect(Math.abs(fps(row) - 25)).toBeLessThan(5);
  expect(Math.abs((row.live_ms as number) - Date.now())).toBeLessThan(5_000); // the time of the answer, as with SRS
  expect(row.send_bytes).toBeGreaterThan(0);
  expect((await control.ask('/summaries')).data).toMatchObject({ system: { conn_srs: expect.any(Number) } });
});

test('one row per viewer of any protocol, each can be cut', async () => {
  await using floor = await PlaneUnderTest.start();
  await using control = new Control(floor);
  await floor.onAir('show-rows');
  const watcher = floor.watch('show-rows');
  const list = `http://127.0.0.1:${floor.plane.httpPort}/live/show-rows/index.m3u8`;
  const ask = (session: string, query = '') =>
    fetch(list + query, { headers: { 'x-playback-session-id': session } }).then((response) => response.status);
  await until('HLS', async () => (await ask('classic')) === 200);
  await ask('low', '?_HLS_msn=1&_HLS_part=0');
  await until('pictures', () => watcher.pictures.length > 5);
  const rows = await control.clients();
  expect(rows.map(({ protocol, type }) => [protocol, type])).toEqual([
    ['rtmp', 'fmle-publish'],
    ['flv', 'flv-play'],
    ['hls', 'hls-play'],
    ['llhls', 'hls-play'],
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({ ip: '127.0.0.1', stream: 'show-rows', alive: expect.any(Number) });
    expect([row.protocol, Number(row.send_bytes) > 0]).toEqual([row.protocol, true]);
  }
  const text = await floor.metricsText();
  for (const protocol of ['flv', 'hls', 'llhls']) {
    expect(text).toMatch(new RegExp(`media_subscribers\\{protocol="${protocol}"[^}]*\\} 1`));
    expect(text).toMatch(new RegExp(`media_play_total\\{protocol="${protocol}",outcome="accepted"[^}]*\\} [12]`));
  }
  for (const { id, protocol } of rows.slice(1)) {
    expect([protocol, (await control.ask(`/clients/${id}`, 'DELETE')).code]).toEqual([protocol, 0]);
    expect([protocol, (await control.ask(`/clients/${id}`, 'DELETE')).code]).not.toEqual([protocol, 0]);
  }
  await until('the FLV viewer to be cut', () => watcher.isClosed);
  expect([await ask('classic'), await ask('low'), await ask('another')]).toEqual([403, 403, 200]);
  expect((await control.clients()).map(({ protocol }) => protocol)).toEqual(['rtmp', 'hls']);
});

test.each([
  ['127.0.0.0/8', '198.51.100.7'],
  ['', '127.0.0.1'],
])('the address of a viewer behind a proxy, with proxies "%s"', async (proxies, address) => {
  await using floor = await PlaneUnderTest.start({ trustedProxies: TrustedProxies.parse(proxies) });
  await using control = new Control(floor);
  await floor.onAir('show-proxy');
  const headers = { 'x-forwarded-for': '1.2.3.4, 198.51.100.7' }; // the first is what the client says of itself
  const flv = get(floor.flvUrl('show-proxy'), { agent: false, headers }, (response) => response.resume());
  flv.on('error', () => undefined); // cut with the plane
  await fetch(`http://127.0.0.1:${floor.plane.httpPort}/live/show-proxy.m3u8`, { headers });
  await until('both viewers', async () => (await control.clients()).length === 3);
  expect((await control.clients()).slice(1).map(({ protocol, ip }) => [protocol, ip])).toEqual([
    ['flv', address],
    ['hls', address],
  ]);
  flv.destroy();
});

test('lists come in pages, as with SRS', async () => {
  await using floor = await PlaneUnderTest.start();
  await using control = new Control(floor);
  await floor.onAir('show-pages');
  const watchers = Array.from({ length: 14 }, () => floor.watch('show-pages', { keepsTags: false }));
  await until('all viewers', () => watchers.every((watcher) => watcher.pictureCount > 0));
  expect([(await control.ask('/clients')).total, (await control.clients()).length]).toEqual([15, 10]);
  const pages = await Promise.all(
    ['?start=0&count=6', '?start=6&count=6', '?start=12&count=6'].map((q) => control.clients(q)),
  );
  expect(pages.map((page) => page.length)).toEqual([6, 6, 3]);
  expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(15);
  expect(pages[0]?.[0]?.publish).toBe(true); // publishers first
  expect(await control.clients('?start=99')).toEqual([]);
  const id = pages[2]?.[0]?.id;
  expect((await control.ask(`/clients/${id}`)).client).toMatchObject({ id });
  expect((await control.ask('/clients/nobody')).code).toBe(2049);
  expect((await control.ask('/streams?count=1')).total).toBe(1);
});

test('figures that watch the watchers are there', async () => {
  await using floor = await PlaneUnderTest.start();
  await floor.onAir('show-figures');
  const watcher = floor.watch('show-figures');
  await until('pictures', () => watcher.pictures.length > 40);
  await until('a sample', async () => /media_gop_cache_frames\{[^}]*\} [1-9]/.test(await floor.metricsText()));
  const text = await floor.metricsText();
  for (const name of [
    'media_gop_cache_bytes',
    'media_http_connections',
    'media_subscriber_dropped_packets_total',
    'media_flv_round_seconds_count',
    'media_hls_held_requests',
    'media_hls_segment_age_seconds',
    'media_hls_part_delay_seconds_count',
    'media_publish_total',
    'media_stream_events_total',
    'media_sent_bytes_total',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    expect([name, text.includes(`\n${name}`)]).toEqual([name, true]);
  }
});
