import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { HlsUnderTest } from '../../test/hls-under-test.ts';
import { until } from '../../test/plane-under-test.ts';

const LIST = '/live/show/index.m3u8';
const ask = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

/** Also when the server resets it. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** The bodies of the answers on a connection, as they arrive. */
function bodiesOn(socket: Socket): string[] {
  const bodies: string[] = [];
  let rest = '';
  socket.on('data', (bytes: Buffer) => {
    rest += bytes.toString('latin1');
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))?.[1] ?? 0);
      if (rest.length < end + 4 + length) return;
      bodies.push(rest.slice(end + 4, end + 4 + length));
      rest = rest.slice(end + 4 + length);
    }
  });
  return bodies;
}

describe('playlists', () => {
  test('both forms of the path, types, CORS and caching', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show', 7);
    for (const prefix of ['/live', '/live/live']) {
      const multivariant = await floor.get(`${prefix}/show.m3u8`);
      expect([multivariant.status, multivariant.body]).toEqual([200, '#EXTM3U multivariant\n']);
      const list = await floor.get(`${prefix}/show/index.m3u8`);
      expect([list.status, list.body]).toEqual([200, '#EXTM3U 101.1\n']);
      for (const { headers } of [multivariant, list]) {
        expect(headers).toMatchObject({
          'content-type': 'application/vnd.apple.mpegurl',
          'access-control-allow-origin': '*',
          'content-length': expect.any(String),
          etag: expect.stringMatching(/^"[\w-]{20}"$/),
          date: expect.stringMatching(/GMT$/),
        });
      }
      expect([multivariant.headers['cache-control'], list.headers['cache-control']]).toEqual([
        'public, max-age=1',
        'no-cache',
      ]);
    }
    const ready = await floor.get(`${LIST}?_HLS_msn=101&_HLS_part=1`);
    expect(ready.headers['cache-control']).toBe('public, max-age=6');
    floor.streams.get('show')?.end();
    const ended = await floor.get(`${LIST}?_HLS_msn=999`);
    expect([ended.body, ended.headers['cache-control']]).toEqual(['#EXTM3U 101.1 ended\n', 'public, max-age=2']);
  });

  test('who has the list gets 304 until it changes', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show');
    const etag = (await floor.get(LIST)).headers.etag ?? '';
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const reply = await floor.get(LIST, { headers: { 'if-none-match': known } });
      expect([known, reply.status, reply.body, reply.headers.etag]).toEqual([known, 304, '', etag]);
      expect(reply.headers['content-length']).toBeUndefined();
    }
    stream.add();
    const changed = await floor.get(LIST, { headers: { 'if-none-match': etag } });
    expect([changed.status, changed.headers.etag === etag]).toEqual([200, false]);
  });

  test('HEAD has the head of GET, OPTIONS and other methods are answered', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show');
    const [get, head] = [await floor.get(LIST), await floor.get(LIST, { method: 'HEAD' })];
    expect([head.status, head.body, head.headers['content-length'], head.headers.etag]).toEqual([
      200,
      '',
      String(get.body.length),
      get.headers.etag,
    ]);
    const options = await floor.get(LIST, { method: 'OPTIONS' });
    expect([options.status, options.headers['access-control-allow-headers']]).toEqual([
      204,
      expect.stringContaining('X-Playback-Session-Id'),
    ]);
    expect((await floor.get(LIST, { method: 'POST' })).status).toBe(405);
    expect(floor.hls.viewers()).toHaveLength(1); // only GET watches
  });

  test('unknown streams and directives that make no sense are refused at once', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show', 7);
    const replies = [
      '/live/nobody.m3u8',
      '/live/nobody/index.m3u8?_HLS_msn=1',
      '/live/nobody/r-100.m4s',
      `${LIST}?_HLS_part=1`,
      `${LIST}?_HLS_msn=x`,
      `${LIST}?_HLS_msn=103`,
      `${LIST}?_HLS_msn=101&_HLS_part=90`,
    ].map(async (path) => {
      const { status, body, headers } = await floor.get(path);
      return [status, (JSON.parse(body) as { reason: string }).reason, headers['cache-control']];
    });
    expect(await Promise.all(replies)).toEqual([
      [404, 'not_on_air', 'no-store'],
      [404, 'not_on_air', 'no-store'],
      [404, 'not_on_air', 'no-store'],
      [400, 'invalid_delivery_directives', 'no-store'],
      [400, 'invalid_delivery_directives', 'no-store'],
      [400, 'too_far_ahead', 'no-store'],
      [400, 'too_far_ahead', 'no-store'],
    ]);
  });

  test('the first list of a stream that has just begun is waited for, but not for ever', async () => {
    await using floor = await HlsUnderTest.start({ hold: { firstMs: 300 } });
    const stream = floor.onAir('show', 3);
    const patient = ['/live/show.m3u8', LIST].map((path) => floor.get(path));
    await until('both to wait', () => floor.hls.heldCount === 2);
    stream.add(2);
    expect((await Promise.all(patient)).map(({ status }) => status)).toEqual([200, 200]);
    floor.onAir('late', 3);
    const late = await floor.get('/live/late.m3u8');
    expect([late.status, late.headers['retry-after'], late.headers['cache-control']]).toEqual([503, '1', 'no-store']);
  });

  test('who waits for a first list is told at once when there will be none', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 3);
    const waiting = floor.get('/live/show.m3u8');
    await until('it to wait', () => floor.hls.heldCount === 1);
    stream.problem = 'video_codec';
    expect([(await waiting).status, JSON.parse((await waiting).body)]).toEqual([
      404,
      expect.objectContaining({ reason: 'no_hls_video_codec' }),
    ]);
  });

  test('a stream that has no HLS says why', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show', 0).problem = 'video_codec';
    const reply = await floor.get('/live/show.m3u8');
    expect([reply.status, JSON.parse(reply.body)]).toEqual([
      404,
      expect.objectContaining({ reason: 'no_hls_video_codec' }),
    ]);
  });
});

describe('blocking reload', () => {
  test('is answered with the part it asks for, not before, and everybody at once', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 7); // newest: 101.1
    const next = Array.from({ length: 30 }, () => floor.get(`${LIST}?_HLS_msn=101&_HLS_part=2`));
    const later = floor.get(`${LIST}?_HLS_msn=101&_HLS_part=4`);
    const segment = floor.get(`${LIST}?_HLS_msn=101`);
    const pastTheLast = floor.get(`${LIST}?_HLS_msn=101&_HLS_part=5`);
    await until('all to wait', () => floor.hls.heldCount === 33);
    stream.add();
    expect(new Set((await Promise.all(next)).map(({ body }) => body))).toEqual(new Set(['#EXTM3U 101.2\n']));
    expect(floor.hls.heldCount).toBe(3);
    stream.add(2);
    expect([(await later).body, (await segment).body]).toEqual(['#EXTM3U 101.4\n', '#EXTM3U 101.4\n']);
    expect((await segment).headers['cache-control']).toBe('public, max-age=6');
    stream.add();
    expect((await pastTheLast).body).toBe('#EXTM3U 102.0\n');
    const counted = 'media_hls_requests_total{kind="playlist",outcome="ok",service="hls-test"} 33';
    await until('all to be counted', async () => (await floor.metricsText()).includes(counted));
  });

  test('a stream that stands still: the list as it is, in time for hls.js, and nobody keeps it', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show', 7);
    const beganMs = performance.now();
    const reply = await floor.get(`${LIST}?_HLS_msn=101&_HLS_part=2`);
    const heldMs = performance.now() - beganMs;
    expect([reply.status, reply.body, reply.headers['cache-control']]).toEqual([200, '#EXTM3U 101.1\n', 'no-store']);
    expect(heldMs).toBeGreaterThan(400); // a player that asks again at once is no storm
    expect(heldMs).toBeLessThan(800); // hls.js gives a part's list 0.8 target durations
  });

  test('while parts come, what does not come within three target durations is 503', async () => {
    await using floor = await HlsUnderTest.start({ hold: { targets: 0.5 } });
    const stream = floor.onAir('show', 5);
    const ticker = setInterval(() => stream.add(), 200);
    const reply = await floor.get(`${LIST}?_HLS_msn=102`);
    clearInterval(ticker);
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '1']);
  });

  test('the end of the stream is told to those who wait', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 7);
    const waiting = [
      floor.get(`${LIST}?_HLS_msn=101&_HLS_part=2`),
      floor.get('/live/show/r-101.2.m4s'), // hinted, and never made
    ];
    await until('both to wait', () => floor.hls.heldCount === 2);
    stream.end();
    expect((await waiting[0])?.body).toBe('#EXTM3U 101.1 ended\n');
    floor.streams.delete('show');
    expect((await waiting[1])?.status).toBe(404);
  });

  test('over the bound a request is refused with 503, and counted; the others stay', async () => {
    await using floor = await HlsUnderTest.start({ heldMax: 3, hold: { stalledTargets: 10 } });
    const stream = floor.onAir('show', 7);
    const held = Array.from({ length: 3 }, () => floor.get(`${LIST}?_HLS_msn=101&_HLS_part=2`));
    await until('three to wait', () => floor.hls.heldCount === 3);
    const refused = await floor.get(`${LIST}?_HLS_msn=101&_HLS_part=2`);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    expect((await floor.get(LIST)).status).toBe(200);
    stream.add();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await until('it to be counted', async () => /outcome="held_full"[^}]*\} 1/.test(await floor.metricsText()));
    expect(await floor.metricsText()).toMatch(/media_hls_held_requests\{[^}]*\} 0/);
  });

  test('those who leave while they wait leave nothing behind', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 7);
    const sockets = await Promise.all(Array.from({ length: 50 }, () => floor.raw()));
    for (const socket of sockets) socket.write(ask(`${LIST}?_HLS_msn=101&_HLS_part=2`));
    await until('all to wait', () => floor.hls.heldCount === 50);
    for (const socket of sockets) socket.destroy();
    await until('all to be gone', () => floor.connections.count === 0);
    expect(floor.connections.hlsCount).toBe(0);
    stream.add();
    await until('nobody to wait', () => floor.hls.heldCount === 0);
  });
});

describe('media objects', () => {
  test('init, segment and part: type, caching by name, ETag', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show', 7);
    const names = ['r-init-0.mp4', 'r-100.m4s', 'r-100.4.m4s', 'r-101.1.m4s'];
    const bodies = ['init', '0'.repeat(10) + '1'.repeat(10) + '2'.repeat(10) + '3'.repeat(10) + '4'.repeat(10)];
    for (const [index, name] of names.entries()) {
      const reply = await floor.get(`/live/show/${name}`);
      expect(reply).toMatchObject({
        status: 200,
        body: bodies[index] ?? String([4, 6][index - 2]).repeat(10),
        headers: {
          'content-type': 'video/mp4',
          'cache-control': 'public, max-age=3600, immutable',
          'accept-ranges': 'bytes',
          etag: `"${name}"`,
        },
      });
      expect((await floor.get(`/live/show/${name}`, { headers: { 'if-none-match': `"${name}"` } })).status).toBe(304);
    }
    for (const name of ['r-99.m4s', 'r-101.m4s', 'r-101.3.m4s', 'x-100.m4s']) {
      const reply = await floor.get(`/live/show/${name}`);
      expect([name, reply.status, reply.headers['cache-control']]).toEqual([name, 404, 'no-store']);
    }
  });

  test('a hinted part is held until it is there', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 7);
    const hinted = floor.get('/live/show/r-101.2.m4s');
    const head = floor.get('/live/show/r-101.2.m4s', { method: 'HEAD' });
    await until('both to wait', () => floor.hls.heldCount === 2);
    stream.add();
    expect([(await hinted).status, (await hinted).body]).toEqual([200, '7'.repeat(10)]);
    expect([(await head).status, (await head).body, (await head).headers['content-length']]).toEqual([200, '', '10']);
  });

  test.each([
    ['bytes=0-9', 206, '0000000000', 'bytes 0-9/50'],
    ['bytes=8-11', 206, '0011', 'bytes 8-11/50'],
    ['bytes=45-', 206, '44444', 'bytes 45-49/50'],
    ['bytes=-3', 206, '444', 'bytes 47-49/50'],
    ['bytes=40-900', 206, '4444444444', 'bytes 40-49/50'],
    ['bytes=50-', 416, null, 'bytes */50'],
    ['bytes=-0', 416, null, 'bytes */50'],
    ['bytes=0-1,4-5', 200, null, undefined],
    ['bytes=9-3', 200, null, undefined],
    ['chunks=0-1', 200, null, undefined],
  ])('range %s', async (range, status, body, contentRange) => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show');
    const reply = await floor.get('/live/show/r-100.m4s', { headers: { range } });
    expect([reply.status, reply.headers['content-range']]).toEqual([status, contentRange]);
    if (body !== null) expect(reply.body).toBe(body);
    expect((await floor.get(LIST, { headers: { range } })).status).toBe(200); // lists are whole or not at all
  });

  test('HEAD has no ranges: it is the head of the whole', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show');
    const reply = await floor.get('/live/show/r-100.m4s', { method: 'HEAD', headers: { range: 'bytes=0-9' } });
    expect([reply.status, reply.headers['content-length'], reply.headers['content-range']]).toEqual([
      200,
      '50',
      undefined,
    ]);
  });

  test('a range of another version is the whole of this one', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show');
    const reply = (etag: string) =>
      floor.get('/live/show/r-100.m4s', { headers: { range: 'bytes=0-1', 'if-range': etag } });
    expect([(await reply('"r-100.m4s"')).status, (await reply('"other"')).status]).toEqual([206, 200]);
  });
});

describe('connections', () => {
  test('many requests on one connection are answered in order, whichever way each is written', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 7);
    const socket = await floor.raw();
    const bodies = bodiesOn(socket);
    socket.write(
      [
        ask('/live/show/r-init-0.mp4'),
        ask(`${LIST}?_HLS_msn=101&_HLS_part=2`), // held: what follows must wait for it
        ask('/live/show/r-101.1.m4s'),
        ask('/live/show/r-100.m4s', 'Range: bytes=0-3\r\n'),
        ask('/live/show/r-101.0.m4s'),
      ].join(''),
    );
    await until('the one before the held one', () => bodies.length === 1);
    await until('one to wait', () => floor.hls.heldCount === 1);
    stream.add();
    await until('all answers', () => bodies.length === 5);
    socket.write(ask(LIST) + ask('/live/nobody.m3u8') + ask(LIST));
    await until('three more', () => bodies.length === 8);
    expect(bodies.map((body) => body.slice(0, 14))).toEqual([
      'init',
      '#EXTM3U 101.2\n',
      '6666666666',
      '0000',
      '5555555555',
      '#EXTM3U 101.2\n',
      '{"type":"about',
      '#EXTM3U 101.2\n',
    ]);
    expect(floor.connections.hlsCount).toBe(1);
    socket.destroy();
  });

  test('a connection stays open for the next request, unless it says that it is the last', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show');
    const socket = await floor.raw();
    const bodies = bodiesOn(socket);
    for (let count = 1; count <= 20; count += 1) {
      socket.write(ask(LIST));
      await until('an answer', () => bodies.length === count);
    }
    const closed = closeOf(socket);
    socket.write(ask(LIST, 'Connection: close\r\n'));
    await closed;
    expect(bodies).toHaveLength(21);
    const old = await floor.raw();
    const oldBodies = bodiesOn(old);
    old.write(`GET ${LIST} HTTP/1.0\r\n\r\n`);
    await closeOf(old);
    expect(oldBodies).toHaveLength(1);
  });

  test('a flood of requests on one connection that reads nothing is cut at its bound', async () => {
    await using floor = await HlsUnderTest.start({ connection: { queueBytesMax: 2 * 1024 * 1024 } });
    floor.onAir('show', 5, 1024 * 1024);
    const socket = await floor.raw();
    const closed = closeOf(socket);
    socket.pause();
    let queuedMax = 0;
    const sampler = setInterval(() => {
      for (const { backlogBytes } of floor.connections.list()) queuedMax = Math.max(queuedMax, backlogBytes);
    }, 1);
    for (let index = 0; index < 40; index += 1) socket.write(ask('/live/show/r-100.m4s'));
    await until('the cut', async () => (await floor.metricsText()).includes('reason="queue"'));
    clearInterval(sampler);
    socket.resume();
    await closed;
    expect(queuedMax).toBeLessThanOrEqual((2 + 5 + 1) * 1024 * 1024); // the bound and one answer
    expect(floor.connections.count).toBe(0);
  });

  test('a connection that reads nothing of its one answer is cut after a while', async () => {
    await using floor = await HlsUnderTest.start({ connection: { stuckMsMax: 500 } });
    floor.onAir('show', 5, 4 * 1024 * 1024);
    const [stuck, reading] = [await floor.raw(), await floor.raw()];
    stuck.pause();
    reading.resume();
    stuck.write(ask('/live/show/r-100.m4s'));
    reading.write(ask('/live/show/r-100.m4s'));
    await until('the cut', async () => (await floor.metricsText()).includes('reason="stuck"'));
    await until('one connection to be left', () => floor.connections.count === 1);
    expect(reading.destroyed).toBe(false);
    stuck.destroy();
    reading.destroy();
  });

  test('behind a request that waits a few more may wait; one over the bound cuts the connection', async () => {
    await using floor = await HlsUnderTest.start({ connection: { heldMax: 3 } });
    const stream = floor.onAir('show', 7);
    const [socket, flooding] = [await floor.raw(), await floor.raw()];
    const bodies = bodiesOn(socket);
    const held = ask(`${LIST}?_HLS_msn=101&_HLS_part=2`);
    socket.write(held + held + ask('/live/show/r-101.0.m4s'));
    const closed = closeOf(flooding);
    flooding.write(held.repeat(4));
    await closed;
    await until('one to wait', () => floor.connections.count === 1 && floor.hls.heldCount > 0);
    stream.add();
    await until('all answers', () => bodies.length === 3);
    expect(bodies.map((body) => body.slice(0, 13))).toEqual(['#EXTM3U 101.2', '#EXTM3U 101.2', '5555555555']);
    expect(await floor.metricsText()).toContain('media_hls_connections_cut_total{reason="pipelined"');
    expect(floor.hls.heldCount).toBe(0);
    socket.destroy();
  });

  test('who closes its half of a connection while it waits is gone; the next ones are served', async () => {
    await using floor = await HlsUnderTest.start();
    const stream = floor.onAir('show', 7);
    const [leaving, staying] = [await floor.raw(), await floor.raw()];
    const bodies = bodiesOn(staying);
    const closed = closeOf(leaving);
    leaving.resume();
    for (const socket of [leaving, staying]) socket.write(ask(`${LIST}?_HLS_msn=101&_HLS_part=2`));
    await until('two to wait', () => floor.hls.heldCount === 2);
    leaving.end();
    stream.add();
    await until('an answer', () => bodies.length === 1);
    await closed;
    expect(floor.hls.heldCount).toBe(0);
    staying.destroy();
  });

  test('without room new connections get 503, those that watch go on', async () => {
    let room = true;
    await using floor = await HlsUnderTest.start({ hasRoom: () => room });
    floor.onAir('show');
    const socket = await floor.raw();
    const bodies = bodiesOn(socket);
    socket.write(ask(LIST));
    await until('the first', () => bodies.length === 1);
    room = false;
    const refused = await floor.get(LIST);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    socket.write(ask(LIST));
    await until('the second', () => bodies.length === 2);
    expect(bodies[1]).toContain('#EXTM3U');
    socket.destroy();
  });
});

describe('viewers', () => {
  const session = (id: string, more: Record<string, string> = {}) => ({
    headers: { 'x-playback-session-id': id, ...more },
  });

  test('are told apart by session id, CMCD, or address and program', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show', 7);
    const cmcd = encodeURIComponent('bl=2100,sid="6e2fb550-c457-11e9",sf=l');
    await floor.get('/live/show.m3u8', session('one'));
    await floor.get(LIST, session('one'));
    await floor.get('/live/show/r-100.m4s', session('one'));
    await floor.get(LIST, session('two'));
    await floor.get(`${LIST}?CMCD=${cmcd}`);
    await floor.get(LIST, { headers: { 'cmcd-session': 'cid="x",sid="6e2fb550-c457-11e9"' } });
    await floor.get(LIST, { headers: { 'user-agent': 'a' } });
    await floor.get(LIST, { headers: { 'user-agent': 'b' } });
    await floor.get(LIST, { headers: { 'user-agent': 'b' } });
    const viewers = floor.hls.viewers();
    expect(viewers).toHaveLength(5);
    expect(viewers[0]).toMatchObject({ playbackId: 'show', ip: '127.0.0.1', protocol: 'hls', sentBytes: 21 + 14 + 50 });
    await floor.get(`${LIST}?_HLS_msn=101&_HLS_part=1`, session('two'));
    const text = await floor.metricsText();
    expect(text).toContain('media_subscribers{protocol="hls",service="hls-test"} 4');
    expect(text).toContain('media_subscribers{protocol="llhls",service="hls-test"} 1');
  });

  test('are gone a while after their last request, not while they wait', async () => {
    await using floor = await HlsUnderTest.start({
      viewers: { idleMs: 1_200 },
      hold: { stalledTargets: 100, targets: 100, msMax: 60_000 },
    });
    const stream = floor.onAir('show', 7);
    await floor.get(LIST, session('gone'));
    const waiting = floor.get(`${LIST}?_HLS_msn=101&_HLS_part=2`, session('waits'));
    await until('both', () => floor.hls.heldCount === 1 && floor.hls.viewers().length === 2);
    await until('the first to be gone', () => floor.hls.viewers().length === 1, 8_000);
    expect(floor.hls.viewers()[0]?.key).toContain('waits');
    stream.add();
    await waiting;
    await until('both to be gone', () => floor.hls.viewers().length === 0, 8_000);
    expect(await floor.metricsText()).toMatch(/media_subscriber_ends_total\{reason="viewer_closed"[^}]*\} 2/);
  });

  test('beyond the table are served, and counted as such', async () => {
    await using floor = await HlsUnderTest.start({ viewers: { viewersMax: 2 } });
    floor.onAir('show');
    for (const id of ['a', 'b', 'c', 'a']) expect((await floor.get(LIST, session(id))).status).toBe(200);
    expect(floor.hls.viewers()).toHaveLength(2);
    expect(await floor.metricsText()).toMatch(/media_hls_viewers_uncounted_total\{[^}]*\} 1/);
  });

  test('that are cut lose their connections and are refused for a while', async () => {
    await using floor = await HlsUnderTest.start({ viewers: { refusedMs: 400 } });
    floor.onAir('show', 7);
    const [mine, other] = [await floor.raw(), await floor.raw()];
    const closed = closeOf(mine);
    mine.resume();
    const bodies = bodiesOn(other);
    mine.write(ask(`${LIST}?_HLS_msn=101&_HLS_part=2`, 'X-Playback-Session-Id: mine\r\n'));
    other.write(ask(LIST, 'X-Playback-Session-Id: other\r\n'));
    await until('both', () => floor.hls.viewers().length === 2 && bodies.length === 1);
    const viewer = floor.hls.viewers().find(({ key }) => key.endsWith('mine'));
    expect(floor.hls.cut(viewer?.id ?? '')).toBe(true);
    await closed;
    expect((await floor.get(LIST, session('mine'))).status).toBe(403);
    expect(floor.hls.cut(viewer?.id ?? '')).toBe(false);
    other.write(ask(LIST, 'X-Playback-Session-Id: other\r\n'));
    await until('the other one', () => bodies.length === 2);
    expect(bodies[1]).toContain('#EXTM3U');
    await until('mercy', async () => (await floor.get(LIST, session('mine'))).status === 200);
    other.destroy();
  });

  test('have the address that a proxy of ours gives them, and no other', async () => {
    const address = async (trustedProxies: string): Promise<unknown> => {
      await using floor = await HlsUnderTest.start({ trustedProxies });
      floor.onAir('show');
      await floor.get(LIST, { headers: { 'x-forwarded-for': '1.2.3.4, 198.51.100.7' } });
      return floor.hls.viewers()[0]?.ip;
    };
    expect([
      await address('127.0.0.1'),
      await address('127.0.0.0/8'),
      await address(''),
      await address('10.0.0.1'),
    ]).toEqual(['198.51.100.7', '198.51.100.7', '127.0.0.1', '127.0.0.1']);
  });

  test('of a stream that is over are gone with it', async () => {
    await using floor = await HlsUnderTest.start();
    floor.onAir('show');
    await floor.get(LIST);
    floor.streams.delete('show');
    await until('nobody', () => floor.hls.viewers().length === 0);
    expect((await floor.get(LIST)).status).toBe(404);
    floor.onAir('show');
    expect((await floor.get(LIST)).status).toBe(200); // a new run under the same name
  });
});
