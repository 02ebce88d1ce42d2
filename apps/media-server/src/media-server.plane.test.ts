import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectRtmpPublisher, publishFlvLoop } from '@showfloor/rtmp-client';
import { loadSecrets, verifyWebhook } from '@showfloor/service-kit';
import { expect, test } from 'vitest';

const CANARY = 'canary-9f27c1d4e8b3';
const WRONG_CANARY = 'canary-wrong-51aa0e';
const CLIP = fileURLToPath(new URL('../../../packages/media-formats/fixtures/avc-aac-320x180.flv', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

type Posted = { path: string; body: string; isSigned: boolean };

/** Stands for commerce and realtime: keeps what it is sent, admits the canary. */
class Neighbours {
  readonly posted: Posted[] = [];
  secret = '';
  restreamTargets: { id: string; url: string }[] = [];
  isRecorded = false;
  readonly #server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      this.posted.push({
        path: request.url ?? '',
        body,
        isSigned: verifyWebhook(this.secret, request.headers, Date.now(), body),
      });
      const isGood = body.includes(`key=${CANARY}`);
      const showId = '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0001';
      const { restreamTargets, isRecorded } = this;
      const recording = { isEnabled: isRecorded };
      const data = { showId, playbackId: 'show-s1', graceMs: 60_000, restreamTargets, recording };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isGood ? { code: 0, data } : { code: 1, reason: 'wrong_key' }));
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Types of the stream events, commerce's and realtime's copies. */
  get eventTypes(): string[] {
    return this.posted
      .filter((one) => one.path === '/internal/events')
      .map((one) => (JSON.parse(one.body) as { type: string }).type);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function until<T>(what: string, condition: () => T | Promise<T>, timeoutMs = 15_000): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(20);
  }
}

async function freePort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

class Process implements AsyncDisposable {
  readonly neighbours = new Neighbours();
  readonly folder = mkdtempSync(join(tmpdir(), 'media-server-'));
  allowedPorts = '';
  /** On top of those that every test needs. */
  variables: Record<string, string> = {};
  output = '';
  rtmpPort = 0;
  httpPort = 0;
  adminPort = 0;
  #child: ChildProcess | null = null;

  async start(): Promise<void> {
    const neighbours = await this.neighbours.listen();
    this.neighbours.secret = loadSecrets(this.folder).webhookSecret;
    [this.rtmpPort, this.httpPort, this.adminPort] = [await freePort(), await freePort(), await freePort()];
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        DATA_DIR: this.folder,
        LOG_LEVEL: 'trace',
        OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8',
        OUTBOUND_ALLOWED_PORTS: this.allowedPorts,
        MEDIA_RTMP_PORT: String(this.rtmpPort),
        MEDIA_HTTP_PORT: String(this.httpPort),
        MEDIA_ADMIN_PORT: String(this.adminPort),
        MEDIA_COMMERCE_URL: neighbours,
        MEDIA_REALTIME_URL: neighbours,
        ...this.variables,
      },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        this.output += bytes.toString();
      });
    }
    await until('the server', () => this.output.includes('service.started'));
  }

  async admin(path: string, method = 'GET'): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.adminPort}${path}`, { method })).text();
  }

  /** Sends SIGTERM and resolves with the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.neighbours.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The body of an FLV response as it grows. */
function watch(url: string): { bytes: () => Buffer; head: () => string; isClosed: () => boolean } {
  const parts: Buffer[] = [];
  let head = '';
  let isClosed = false;
  const request = get(url, { agent: false }, (response) => {
    head = JSON.stringify(response.headers);
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('close', () => {
      isClosed = true;
    });
    response.on('error', () => undefined); // cut when the server stops
  });
  request.on('error', () => undefined); // the same
  return { bytes: () => Buffer.concat(parts), head: () => head, isClosed: () => isClosed };
}

test('S1 a stream key leaves the server in the signed publish hook and nowhere else', async () => {
  await using server = new Process();
  server.variables = { MEDIA_HOOKS: 'on_unpublish,on_play,on_stop,on_dvr' };
  server.neighbours.isRecorded = true;
  await server.start();
  const url = (key: string): string => `rtmp://127.0.0.1:${server.rtmpPort}/live/show-s1?key=${key}`;
  const stop = new AbortController();
  const publishing = publishFlvLoop({ url: url(CANARY), filePath: CLIP, signal: stop.signal });
  const liveUrl = `http://127.0.0.1:${server.httpPort}/live`;
  await until('the stream', async () => (await fetch(`${liveUrl}/show-s1.flv`, { method: 'HEAD' })).status === 200);
  const viewer = watch(`${liveUrl}/show-s1.flv`);
  await until('video', () => viewer.bytes().length > 20_000);
  const hls = await everythingOfHls(`${liveUrl}/show-s1`);
  const rival = await connectRtmpPublisher({ url: url(CANARY) });
  const wrong = await connectRtmpPublisher({ url: url(WRONG_CANARY) });
  expect([rival, wrong]).toMatchObject([{ reason: 'bad_name' }, { reason: 'denied' }]);
  const told = (words: string): Posted | undefined => server.neighbours.posted.find((one) => one.body.includes(words));
  const sent = ['stream.started', 'stream.publisher_refused', '"on_play"', 'device_id'];
  await until('events, hooks and a heartbeat', () => sent.every((words) => told(words) !== undefined));
  const answers: string[] = [];
  for (const path of [
    '/metrics',
    '/api/v1/summaries',
    '/api/v1/streams',
    '/api/v1/streams/show-s1/restream',
    '/api/v1/clients',
    '/health/ready',
    '/health',
  ]) {
    answers.push(await server.admin(path));
  }
  for (const file of ['none.flv', 'none.m3u8', 'show-s1.m3u8', 'show-s1/index.m3u8']) {
    const answer = await fetch(`${liveUrl}/${file}?key=${CANARY}`);
    answers.push(JSON.stringify([...answer.headers]), await answer.text());
  }
  stop.abort();
  await publishing;
  await server.admin('/api/v1/streams/show-s1', 'DELETE'); // the seller ends the show: its recording is finished
  await until('the last hooks', () => ['"on_unpublish"', '"on_stop"', '"on_dvr"'].every((words) => told(words)));
  await until('the ends', () => server.neighbours.eventTypes.filter((type) => type === 'stream.ended').length === 2);
  const isQuestion = (one: Posted): boolean => one.path === '/api/streaming/hooks/on_publish';
  const files = readdirSync(server.folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  expect(files.some((file) => file.name.endsWith('.mp4'))).toBe(true);
  const outputs = {
    log: server.output,
    answers: answers.join('\n'),
    refusals: JSON.stringify([rival, wrong]),
    viewer: viewer.head() + viewer.bytes().toString('latin1'),
    hls,
    disk: files.map((file) => file.name + readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n'),
    posted: server.neighbours.posted
      .filter((one) => !isQuestion(one))
      .map((one) => one.path + one.body)
      .join('\n'),
  };
  expect(outputs.log).toContain('publish.accepted');
  expect(outputs.log).toContain('publish.refused');
  for (const [name, text] of Object.entries(outputs)) {
    expect([name, text.length > 50, text.includes(CANARY), text.includes(WRONG_CANARY)]).toEqual([
      name,
      true,
      false,
      false,
    ]);
  }
  const questions = server.neighbours.posted.filter(isQuestion);
  expect(questions.map((one) => one.body.includes('canary'))).toEqual([true, true, true]);
  expect(server.neighbours.posted.every((one) => one.isSigned)).toBe(true);
});

/** Playlists, initialization and segments of a stream, with the heads of their answers. */
async function everythingOfHls(baseUrl: string): Promise<string> {
  const media = await until('a segment', async () => {
    const text = await (await fetch(`${baseUrl}/index.m3u8`)).text();
    return text.includes('#EXTINF') ? text : '';
  });
  const uris = Array.from(media.matchAll(/(?:URI="([^"]+)"|^([^#\s].*)$)/gm), ([, tag, line]) => tag ?? line ?? '');
  const names = [`${baseUrl}.m3u8`, ...uris.map((uri) => `${baseUrl}/${uri.replace(/^\.\//, '')}`)];
  const answers = await Promise.all(
    names.map(async (name) => {
      const answer = await fetch(name);
      return JSON.stringify([...answer.headers]) + Buffer.from(await answer.arrayBuffer()).toString('latin1');
    }),
  );
  expect(uris.length).toBeGreaterThan(2);
  return [media, ...answers].join('\n');
}

test('S1 the key of a restream target goes to the target and nowhere else; it ends with the server', async () => {
  const TARGET_KEY = 'canary-target-77d2e1';
  await using platform = new Process(); // the other platform: a media-server as well
  await platform.start();
  await using server = new Process();
  server.allowedPorts = String(platform.rtmpPort);
  const closedPort = await freePort();
  const TARGETS = { works: '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0011', refused: '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0012' };
  server.neighbours.restreamTargets = [
    { id: TARGETS.works, url: `rtmp://127.0.0.1:${platform.rtmpPort}/live/show-copy?key=${CANARY}` },
    { id: TARGETS.refused, url: `rtmp://127.0.0.1:${closedPort}/live/${TARGET_KEY}` },
  ];
  await server.start();
  const stop = new AbortController();
  const url = `rtmp://127.0.0.1:${server.rtmpPort}/live/show-s1?key=${CANARY}`;
  const publishing = publishFlvLoop({ url, filePath: CLIP, signal: stop.signal });
  const copyUrl = `http://127.0.0.1:${platform.httpPort}/live/show-copy.flv`;
  await until('the show at the other platform', async () => (await fetch(copyUrl, { method: 'HEAD' })).status === 200);
  const viewer = watch(copyUrl);
  await until('video', () => viewer.bytes().length > 20_000);
  const restreamEvents = (): { data: { targetId: string; state: string; reason?: string } }[] =>
    server.neighbours.posted
      .filter((one) => one.body.includes('restream.state_changed'))
      .map((one) => JSON.parse(one.body) as ReturnType<typeof restreamEvents>[number]);
  const statesOf = (id: string): string[] =>
    restreamEvents()
      .filter(({ data }) => data.targetId === id)
      .map(({ data }) => data.state);
  await until(
    'both states',
    () => statesOf(TARGETS.works).includes('active') && statesOf(TARGETS.refused).includes('waiting'),
  );
  const restreamPath = '/api/v1/streams/show-s1/restream';
  await until('the series', async () => (await server.admin('/metrics')).includes('media_restream_frame_rate{target='));
  const answers: string[] = [];
  for (const path of ['/metrics', '/api/v1/streams', restreamPath]) answers.push(await server.admin(path));
  expect(answers[2]).toContain('"state":"active"');
  expect(await server.stop()).toBe(0);
  await until('the interruption over there', () => platform.neighbours.eventTypes.includes('stream.interrupted'));
  expect(statesOf(TARGETS.works).at(-1)).toBe('stopped');
  expect(restreamEvents().find(({ data }) => data.reason === 'refused')?.data.targetId).toBe(TARGETS.refused);
  for (const text of [...answers, server.output, JSON.stringify(restreamEvents())]) {
    expect(text.length).toBeGreaterThan(50);
    expect([text.includes(TARGET_KEY), text.includes(CANARY)]).toEqual([false, false]);
  }
  stop.abort();
  await publishing;
});

test('SIGTERM cuts everyone, ends quickly and tells that the show is interrupted, not that it is over', async () => {
  await using server = new Process();
  await server.start();
  const stop = new AbortController();
  const publishing = publishFlvLoop({
    url: `rtmp://127.0.0.1:${server.rtmpPort}/live/show-s1?key=${CANARY}`,
    filePath: CLIP,
    signal: stop.signal,
  });
  const flvUrl = `http://127.0.0.1:${server.httpPort}/live/show-s1.flv`;
  await until('the stream', async () => (await fetch(flvUrl, { method: 'HEAD' })).status === 200);
  const viewer = watch(flvUrl);
  await until('video', () => viewer.bytes().length > 1_000);
  const beganMs = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - beganMs).toBeLessThan(5_000);
  await until('the viewer to be cut', viewer.isClosed);
  const told = server.neighbours.posted.filter((one) => one.path === '/internal/events').map((one) => one.body);
  const interrupted = told.filter((body) => body.includes('stream.interrupted')).map((body) => JSON.parse(body));
  expect(server.neighbours.eventTypes.toSorted()).toEqual([
    'stream.interrupted', // commerce's and realtime's
    'stream.interrupted',
    'stream.started',
    'stream.started',
  ]);
  for (const one of interrupted) {
    expect(one).toMatchObject({ data: { reason: 'server_stopping', graceEndsAtMs: expect.any(Number) } });
    expect(one.data.graceEndsAtMs - one.atMs).toBeGreaterThan(50_000);
  }
  stop.abort();
  await publishing;
});

test('the control API has the shape of SRS and cuts viewers and publishers', async () => {
  await using server = new Process();
  await server.start();
  const stop = new AbortController();
  const publishing = publishFlvLoop({
    url: `rtmp://127.0.0.1:${server.rtmpPort}/live/show-s1?key=${CANARY}`,
    filePath: CLIP,
    signal: stop.signal,
    retryFirstMs: 60_000,
    retryMaxMs: 60_000,
  });
  const flvUrl = `http://127.0.0.1:${server.httpPort}/live/show-s1.flv`;
  await until('the stream', async () => (await fetch(flvUrl, { method: 'HEAD' })).status === 200);
  const viewer = watch(flvUrl);
  await until('video', () => viewer.bytes().length > 1_000);
  const { streams } = JSON.parse(await server.admin('/api/v1/streams')) as { streams: unknown[] };
  expect(streams).toMatchObject([
    {
      name: 'show-s1',
      app: 'live',
      clients: 2,
      publish: { active: true },
      video: { codec: 'H264', profile: 'Main', width: 320, height: 180 },
      audio: { codec: 'AAC', sample_rate: 48_000, channel: 2 },
    },
  ]);
  type Client = { id: string; type: string; publish: boolean };
  const { clients } = JSON.parse(await server.admin('/api/v1/clients')) as { clients: Client[] };
  expect(clients.map((client) => client.type).toSorted()).toEqual(['flv-play', 'fmle-publish']);
  expect(JSON.parse(await server.admin('/api/v1/summaries'))).toMatchObject({
    code: 0,
    data: { ok: true, system: { conn_srs: 2 } },
  });
  for (const isPublisher of [false, true]) {
    const id = clients.find((client) => client.publish === isPublisher)?.id;
    expect(JSON.parse(await server.admin(`/api/v1/clients/${id}`, 'DELETE'))).toMatchObject({ code: 0 });
  }
  await until('the viewer to be cut', viewer.isClosed);
  await until('the interruption', () => server.neighbours.eventTypes.includes('stream.interrupted'));
  expect(JSON.parse(await server.admin('/api/v1/clients/nobody', 'DELETE'))).toMatchObject({ code: 2049 });
  stop.abort();
  await publishing;
});

test('a stream that is ended by its name is over at once, for publisher, viewers and neighbours', async () => {
  await using server = new Process();
  await server.start();
  const stop = new AbortController();
  const publishing = publishFlvLoop({
    url: `rtmp://127.0.0.1:${server.rtmpPort}/live/show-s1?key=${CANARY}`,
    filePath: CLIP,
    signal: stop.signal,
    retryFirstMs: 60_000,
    retryMaxMs: 60_000,
  });
  const flvUrl = `http://127.0.0.1:${server.httpPort}/live/show-s1.flv`;
  await until('the stream', async () => (await fetch(flvUrl, { method: 'HEAD' })).status === 200);
  const viewer = watch(flvUrl);
  await until('video', () => viewer.bytes().length > 1_000);
  expect(JSON.parse(await server.admin('/api/v1/streams/show-s1', 'DELETE'))).toMatchObject({ code: 0 });
  await until('the end of the response', viewer.isClosed);
  expect((await fetch(flvUrl, { method: 'HEAD' })).status).toBe(404);
  const events = () => server.neighbours.posted.filter((one) => one.path === '/internal/events').map((one) => one.body);
  await until('the event', () => events().filter((body) => body.includes('stream.ended')).length === 2);
  expect(server.neighbours.eventTypes).not.toContain('stream.interrupted');
  expect(events().at(-1)).toContain('"reason":"cut"');
  expect(JSON.parse(await server.admin('/api/v1/streams/show-s1', 'DELETE'))).toMatchObject({ code: 2049 });
  stop.abort();
  await publishing;
});

test.each([
  ['ending the stream', '/api/v1/streams/show-s1', 2049],
  ['forgetting the key', '/api/v1/streams/show-s1/key', 0],
])('%s takes a key out of memory while nobody publishes with it', async (_name, path, code) => {
  await using server = new Process();
  await server.start();
  const url = `rtmp://127.0.0.1:${server.rtmpPort}/live/show-s1?key=${CANARY}`;
  const attempt = async (): Promise<string> => {
    const result = await connectRtmpPublisher({ url });
    if (result.ok) result.publisher.close();
    return result.ok ? 'accepted' : result.reason;
  };
  expect(await attempt()).toBe('accepted');
  server.neighbours.close();
  await until('the publisher to be gone', async () => (await server.admin('/api/v1/clients')).includes('"clients":[]'));
  expect(await attempt()).toBe('accepted');
  await until('the publisher to be gone', async () => (await server.admin('/api/v1/clients')).includes('"clients":[]'));
  expect(JSON.parse(await server.admin(path, 'DELETE'))).toMatchObject({ code });
  expect(await attempt()).toBe('failed');
});
