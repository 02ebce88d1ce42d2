import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { bigClip, GOOD_KEY, metricOf, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import { RtmpSink, SINK_CA, type SunkMessage } from '../../test/rtmp-sink.ts';
import type { MediaPlane, MediaPlaneOptions } from '../media-plane.ts';
import type { RestreamChange } from './restream-desk.ts';

const SHOW_ID = '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0001';
/** A second is 20 ms here. */
const QUICK = { firstMs: 20, maxMs: 1_200 };

type Target = { id: string; url: string };

const changes: RestreamChange[] = [];
afterEach(() => {
  changes.length = 0;
});

/** A plane whose shows go to `targets`; everything on this machine is allowed. */
function startPlane(sinks: readonly RtmpSink[], targets: Target[], options: Partial<MediaPlaneOptions> = {}) {
  return PlaneUnderTest.start({
    admit: (request) =>
      Promise.resolve(
        request.key === GOOD_KEY
          ? { ok: true, showId: SHOW_ID, restreamTargets: targets, restreamRevision: 1 }
          : { ok: false, reason: 'wrong_key' },
      ),
    outbound: {
      allowedNetworks: ['127.0.0.1'],
      allowedPorts: sinks.map(({ port }) => port),
      resolve: () => Promise.resolve(['127.0.0.1']),
    },
    restreamLimits: { backoff: QUICK },
    restreamCa: SINK_CA,
    onRestreamChange: (change) => changes.push(change),
    ...options,
  });
}

type RestreamFields = { id: string; state: string; reason: string | null; message: string | null } & Record<
  string,
  number | null
>;

/** The admin listener of a plane. */
class Admin implements AsyncDisposable {
  readonly #server: Server;
  private constructor(plane: MediaPlane) {
    this.#server = createServer((request, response) => {
      if (!plane.handleAdmin(request, response)) response.writeHead(404).end();
    });
  }
  static async open(plane: MediaPlane): Promise<Admin> {
    const admin = new Admin(plane);
    await new Promise<void>((resolve) => admin.#server.listen(0, '127.0.0.1', resolve));
    return admin;
  }
  async ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const { port } = this.#server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  }
  async restream(playbackId: string): Promise<RestreamFields[]> {
    const { text } = await this.ask('GET', `/api/v1/streams/${playbackId}/restream`);
    return (JSON.parse(text) as { restream: RestreamFields[] }).restream;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const steps = (messages: readonly SunkMessage[]): number[] =>
  messages.slice(1).map((one, index) => one.timestampMs - (messages[index]?.timestampMs ?? 0));

const storyOf = (targetId: string): string[] =>
  changes
    .filter((change) => change.targetId === targetId)
    .map(({ status }) => (status.reason === null ? status.state : `${status.state} ${status.reason}`));

describe('one target', () => {
  test('gets headers, then a keyframe at 0, then everything; it is active once bytes flow', async () => {
    await using sink = await RtmpSink.open({ acknowledges: true });
    await using floor = await startPlane([sink], [{ id: 't1', url: sink.url('app-key?a=b') }]);
    await using admin = await Admin.open(floor.plane);
    await floor.onAir('show-one');
    await until('three seconds of pictures', () => sink.pictures().length > 75);
    expect(sink.messages.slice(0, 3).map(({ kind }) => kind)).toEqual(['script', 'header', 'header']);
    expect(sink.pictures()[0]).toMatchObject({ isKeyframe: true, timestampMs: 0 });
    expect(new Set(steps(sink.pictures()))).toEqual(new Set([40]));
    expect([sink.streamNames, sink.tcUrls]).toEqual([['app-key?a=b'], [`rtmp://127.0.0.1:${sink.port}/app`]]);
    const [fields] = await admin.restream('show-one');
    expect(fields).toMatchObject({ id: 't1', state: 'active', reason: null, dropped_packets: 0, attempts: 1 });
    expect(fields?.frame_rate).toBeGreaterThan(15);
    expect(fields?.kbps).toBeGreaterThan(50);
    expect(fields?.acknowledged_bytes).toBeGreaterThan(10_000);
    const { text: streams } = await admin.ask('GET', '/api/v1/streams');
    expect((JSON.parse(streams) as { streams: { restream: unknown[] }[] }).streams[0]?.restream).toHaveLength(1);
    const metrics = await floor.metricsText();
    expect(metrics).toMatch(/media_restream_frame_rate\{target="t1",service="media-test"\} (2\d|1[5-9])/);
    expect(metricOf(metrics, 'media_restream_bitrate_bps')).toBeGreaterThan(50_000);
    expect(metrics).toContain('media_restream_targets{state="active",service="media-test"} 1');
    expect(storyOf('t1')).toEqual(['connecting', 'active']);
    for (const text of [metrics, streams, JSON.stringify(changes)]) expect(text).not.toContain('app-key');
  });

  test('a show that ends says goodbye and leaves nothing behind', async () => {
    await using sink = await RtmpSink.open();
    await using floor = await startPlane([sink], [{ id: 't1', url: sink.url() }]);
    await using admin = await Admin.open(floor.plane);
    const loop = await floor.onAir('show-end');
    await until('pictures', () => sink.pictures().length > 5);
    await until('the series', async () => (await floor.metricsText()).includes('target="t1"'));
    floor.plane.hub.end('show-end', 'cut');
    await until('no connection', () => sink.openConnections === 0);
    expect(sink.commands.slice(-2)).toEqual(['FCUnpublish', 'deleteStream']);
    expect(storyOf('t1').at(-1)).toBe('stopped');
    expect(await floor.metricsText()).not.toContain('target="t1"');
    expect(await admin.restream('show-end')).toEqual([]);
    await loop.stop();
    expect(sink.openedAtMs).toHaveLength(1);
  });

  test('a target that breaks is connected again, from a keyframe, headers first', async () => {
    await using sink = await RtmpSink.open();
    await using floor = await startPlane([sink], [{ id: 't1', url: sink.url() }]);
    await floor.onAir('show-again');
    await until('pictures', () => sink.pictures(0).length > 5);
    sink.drop();
    await until('pictures on a second connection', () => sink.pictures(1).length > 5);
    const second = sink.messages.filter(({ connection }) => connection === 1);
    expect(second.slice(0, 3).map(({ kind }) => kind)).toEqual(['script', 'header', 'header']);
    expect(sink.pictures(1)[0]).toMatchObject({ isKeyframe: true, timestampMs: 0 });
    expect(storyOf('t1')).toEqual(['connecting', 'active', 'waiting closed', 'active']);
  });

  test('a publisher that drops and returns continues the same connection, one frame after the last', async () => {
    await using sink = await RtmpSink.open();
    await using floor = await startPlane([sink], [{ id: 't1', url: sink.url() }]);
    const loop = await floor.onAir('show-hold');
    await until('pictures', () => sink.pictures().length > 10);
    await loop.stop();
    await until('the interruption', () => floor.story.includes('interrupted'));
    await until('the target waiting', () => storyOf('t1').at(-1) === 'waiting publisher_away');
    const before = sink.pictures().length;
    await floor.onAir('show-hold');
    await until('pictures again', () => sink.pictures().length > before + 10);
    expect(sink.openedAtMs).toHaveLength(1);
    expect(Math.max(...steps(sink.pictures()))).toBeLessThanOrEqual(80);
    expect(Math.min(...steps(sink.pictures()))).toBeGreaterThanOrEqual(0);
    expect(sink.pictures()[before]?.isKeyframe).toBe(true);
    expect(storyOf('t1')).toEqual(['connecting', 'active', 'waiting publisher_away', 'active']);
  });

  test('a target that does not wait for the publisher is connected again when there is something to send', async () => {
    await using sink = await RtmpSink.open();
    await using floor = await startPlane([sink], [{ id: 't1', url: sink.url() }]);
    const loop = await floor.onAir('show-gone');
    await until('pictures', () => sink.pictures().length > 5);
    await loop.stop();
    await until('the interruption', () => floor.story.includes('interrupted'));
    sink.drop();
    await until('the target waiting', () => storyOf('t1').at(-1) === 'waiting publisher_away');
    await until('the connection to be gone', () => sink.openConnections === 0);
    expect(sink.openedAtMs).toHaveLength(1);
    await floor.onAir('show-gone');
    await until('pictures again', () => sink.pictures(1).length > 5);
    expect(storyOf('t1')).toEqual(['connecting', 'active', 'waiting publisher_away', 'active']);
  });

  test.each([
    ['refuses the key', 'refuses', 'denied', /refused the stream key. \(NetStream.Publish.Denied\)/],
    ['never answers', 'silent', 'timeout', /did not answer in time/],
  ] as const)('one that %s is told of in words, once', async (_name, behaviour, reason, message) => {
    await using sink = await RtmpSink.open({ behaviour });
    await using floor = await startPlane([sink], [{ id: 't1', url: sink.url() }], {
      restreamLimits: { backoff: QUICK, connectTimeoutMs: 200 },
    });
    await floor.onAir('show-words');
    await until('three attempts', () => sink.openedAtMs.length >= 3);
    expect(storyOf('t1')).toEqual(['connecting', `waiting ${reason}`]);
    expect(changes.at(-1)?.status.message).toMatch(message);
    sink.behaviour = 'good';
    await until('active', () => storyOf('t1').at(-1) === 'active');
  });

  test('RTMPS: the name is checked, the address pinned', async () => {
    await using sink = await RtmpSink.open({ isTls: true });
    const targets = [
      { id: 'good', url: sink.url('k', 'live.example') },
      { id: 'other', url: sink.url('k', 'other.example') },
    ];
    await using floor = await startPlane([sink], targets);
    await floor.onAir('show-tls');
    await until('pictures', () => sink.pictures().length > 10);
    await until('the refusal', () => storyOf('other').includes('waiting tls'));
    expect(storyOf('good')).toEqual(['connecting', 'active']);
    expect(sink.tcUrls).toEqual([`rtmps://live.example:${sink.port}/app`]);
  });
});

describe('S8 the guard is asked at every connection', () => {
  test.each([
    ['a name that turned to this machine', 'rtmp://rebind.example:{port}/app/k', ['127.0.0.1']],
    ['an address of this machine', 'rtmp://127.0.0.1:{port}/app/k', []],
    ['the metadata service', 'rtmp://metadata.example:{port}/app/k', ['169.254.169.254']],
  ])('%s is not connected to', async (_name, url, addresses) => {
    await using sink = await RtmpSink.open();
    await using floor = await startPlane([sink], [{ id: 't1', url: url.replace('{port}', String(sink.port)) }], {
      outbound: { allowedPorts: [sink.port], resolve: () => Promise.resolve(addresses) },
    });
    await using admin = await Admin.open(floor.plane);
    await floor.onAir('show-guard');
    await until('three attempts', async () => ((await admin.restream('show-guard'))[0]?.attempts ?? 0) >= 3);
    expect(sink.openedAtMs).toEqual([]);
    expect(storyOf('t1')).toEqual(['connecting', 'waiting refused']);
    expect(changes.at(-1)?.status.message).toBe('The address does not lead to a public server.');
  });

  test('our own ingest is no target, whatever is allowed', async () => {
    await using floor = await startPlane([], []);
    await using admin = await Admin.open(floor.plane);
    await floor.onAir('show-loop');
    const url = `rtmp://127.0.0.1:${floor.plane.rtmpPort}/live/show-loop?key=${GOOD_KEY}`;
    await admin.ask('PUT', '/api/v1/streams/show-loop/restream', { revision: 2, targets: [{ id: 'loop', url }] });
    await until('the refusal', () => storyOf('loop').includes('waiting refused'));
  });
});

describe('targets are changed while on air', () => {
  test('those that stay are not disturbed; an older plan, a broken one and an unknown stream change nothing', async () => {
    await using first = await RtmpSink.open();
    await using second = await RtmpSink.open();
    await using floor = await startPlane([first, second], [{ id: 'stays', url: first.url('stays') }]);
    await using admin = await Admin.open(floor.plane);
    const put = (body: unknown, id = 'show-plan') => admin.ask('PUT', `/api/v1/streams/${id}/restream`, body);
    await floor.onAir('show-plan');
    await until('pictures', () => first.pictures().length > 5);
    const targets = [
      { id: 'stays', url: first.url('stays') },
      { id: 'comes', url: second.url('comes') },
    ];
    expect((await put({ revision: 5, targets })).status).toBe(200);
    await until('pictures at the second', () => second.pictures().length > 5);
    expect(second.pictures()[0]).toMatchObject({ isKeyframe: true, timestampMs: 0 });
    expect((await put({ revision: 4, targets: [] })).text).toContain('stale');
    expect((await put({ revision: 9, targets: [] }, 'show-none')).status).toBe(404);
    for (const broken of ['{', '[]', { revision: 9 }, { revision: 9, targets: [{ id: 'x', url: 'http://x/' }] }]) {
      expect((await put(broken)).status).toBe(400);
    }
    expect((await put({ revision: 9, targets: Array.from({ length: 11 }, () => targets[0]) })).status).toBe(400);
    expect((await put(`{"revision":9,"targets":[],"x":"${'x'.repeat(70_000)}"}`)).status).toBe(400);
    const changed = [{ id: 'comes', url: second.url('another-key') }];
    expect((await put({ revision: 6, targets: changed })).status).toBe(200);
    await until('the first to be gone', () => first.openConnections === 0);
    await until('the new key', () => second.streamNames.includes('another-key'));
    expect(first.openedAtMs).toHaveLength(1);
    expect((await put({ revision: 7, targets: [] })).status).toBe(200);
    await until('nobody', () => first.openConnections + second.openConnections === 0);
    expect(await admin.restream('show-plan')).toEqual([]);
  });

  test('a publisher that is admitted by a remembered answer does not undo a later plan', async () => {
    await using first = await RtmpSink.open();
    await using second = await RtmpSink.open();
    await using floor = await startPlane([first, second], [{ id: 'old', url: first.url() }]);
    await using admin = await Admin.open(floor.plane);
    const loop = await floor.onAir('show-memory');
    const targets = [{ id: 'new', url: second.url() }];
    await admin.ask('PUT', '/api/v1/streams/show-memory/restream', { revision: 2, targets });
    await until('pictures at the second', () => second.pictures().length > 5);
    await loop.stop();
    await until('the interruption', () => floor.story.includes('interrupted'));
    const before = second.pictures().length;
    await floor.onAir('show-memory');
    await until('pictures again', () => second.pictures().length > before + 5);
    expect((await admin.restream('show-memory')).map(({ id }) => id)).toEqual(['new']);
  });
});

test('V7 of five targets one hangs, one refuses, one resets, one is slow: the good one and the show lose nothing', async () => {
  await using good = await RtmpSink.open();
  await using hangs = await RtmpSink.open({ behaviour: 'hangs' });
  await using refuses = await RtmpSink.open({ behaviour: 'refuses' });
  await using resets = await RtmpSink.open({ behaviour: 'resets' });
  await using slow = await RtmpSink.open({ behaviour: 'slow', slowBytesPerSecond: 300_000 });
  const sinks = { good, hangs, refuses, resets, slow };
  const targets = Object.entries(sinks).map(([id, sink]) => ({ id, url: sink.url() }));
  await using floor = await startPlane(Object.values(sinks), targets, {
    restreamLimits: { backlogBytesMax: 1024 * 1024, stalledMs: 1_000, backoff: QUICK },
  });
  await using admin = await Admin.open(floor.plane);
  const clip = bigClip(1_500_000);
  floor.publish('show-five', GOOD_KEY, clip);
  await until('the show', () => floor.plane.hub.find('show-five')?.state === 'live');
  const watcher = floor.watch('show-five', { keepsTags: false });
  const lagsMs: number[] = [];
  let anchorMs: number | null = null;
  watcher.onPicture = (tag) => {
    anchorMs ??= performance.now() - tag.timestampMs;
    lagsMs.push(performance.now() - anchorMs - tag.timestampMs);
  };
  const fieldsOf = async (id: string): Promise<RestreamFields | undefined> =>
    (await admin.restream('show-five')).find((one) => one.id === id);
  // Long enough for the kernel's buffers to fill at the one that hangs and the one that is slow.
  await until('the one that hangs to be let go', () => storyOf('hangs').includes('waiting stalled'), 30_000);
  await until('the slow one to skip', async () => ((await fieldsOf('slow'))?.dropped_packets ?? 0) > 0, 30_000);
  await until('six refusals', () => refuses.openedAtMs.length >= 9, 15_000);
  await until('resets', () => resets.openedAtMs.length >= 3);

  // The good one: every picture, in step, none dropped, one connection.
  expect(new Set(steps(good.pictures()))).toEqual(new Set([40]));
  expect([good.openedAtMs.length, (await fieldsOf('good'))?.dropped_packets, storyOf('good')]).toEqual([
    1,
    0,
    ['connecting', 'active'],
  ]);
  const arrivals = good.pictures().map(({ atMs, timestampMs }) => atMs - timestampMs);
  const earliest = Math.min(...arrivals);
  expect(
    percentile(
      arrivals.map((one) => one - earliest),
      0.95,
    ),
  ).toBeLessThan(150);

  // The show: its viewer sees every picture in time, nothing is dropped.
  expect(
    percentile(
      lagsMs.map((one) => one - Math.min(...lagsMs)),
      0.95,
    ),
  ).toBeLessThan(150);
  const metrics = await floor.metricsText();
  expect(metricOf(metrics, 'media_subscriber_dropped_packets_total')).toBe(0);
  expect(metricOf(metrics, 'bugs_total')).toBe(0);
  expect(floor.story).toEqual(['started']);

  // The slow one: bounded, and each gap ends at a keyframe.
  const slowFields = await fieldsOf('slow');
  expect(slowFields?.backlog_bytes).toBeLessThan(1024 * 1024 + 200_000);
  const afterGap = slow.pictures().filter((one, index, all) => {
    const before = all[index - 1];
    return before?.connection === one.connection && one.timestampMs - before.timestampMs > 40;
  });
  expect(afterGap.every(({ isKeyframe }) => isKeyframe)).toBe(true);

  // Pauses: a second is 20 ms; from 1 to 60 of them, shortened by at most a quarter.
  const gaps = refuses.openedAtMs.slice(1).map((at, index) => at - (refuses.openedAtMs[index] ?? 0));
  for (const [index, gap] of gaps.entries()) {
    const fullMs = Math.min(QUICK.maxMs, QUICK.firstMs * 2 ** index);
    expect(gap).toBeGreaterThanOrEqual(fullMs * 0.75 - 2);
    expect(gap).toBeLessThan(fullMs + 250);
  }
  expect(storyOf('refuses')).toEqual(['connecting', 'waiting denied']);
  expect(storyOf('resets')).toContain('waiting closed');
}, 90_000);

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}
