import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { bugsTotal } from '@showfloor/service-kit';
import fc from 'fast-check';
import type { Socket } from 'socket.io-client';
import { afterEach, describe, expect, test } from 'vitest';
import { UNNAMED_CHAT_ROOMS_MAX } from '../src/chat/chat-rooms.ts';
import { PACKETS_PER_WINDOW_MAX } from '../src/transport/connection-gate.ts';
import { QUEUED_PACKETS_MAX } from '../src/transport/slow-connections.ts';
import { ROOMS_PER_CONNECTION_MAX } from '../src/viewers/viewer-rooms.ts';
import { ask, envelope, message, next, type Rig, startRig, temporaryFolder, until } from './plane-rig.ts';
import { RawClient } from './raw-client.ts';

let rig: Rig;
afterEach(() => rig.close());

/** The status line and body of a WebSocket handshake made by hand. */
async function handshake(url: string, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const fields = { Host: `${hostname}:${port}`, Upgrade: 'websocket', Connection: 'Upgrade', ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  lines.push('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
  socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString('latin1');
}

const stillServes = async (): Promise<void> => {
  const socket = rig.client('/streaming');
  expect(await ask(socket, 'stream:viewer:join', { playbackId: 'demo' })).toMatchObject({ ok: true });
};

describe('S7: who may connect', () => {
  test('pages of other origins are refused on both transports, without a CORS header; our own and tools come in', async () => {
    rig = await startRig({ allowedOrigins: ['https://shop.example'] });
    const poll = (origin: string) => fetch(`${rig.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    const [evil, good] = [await poll('https://evil.example'), await poll('https://shop.example')];
    expect([evil.status, evil.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    expect([good.status, good.headers.get('access-control-allow-origin')]).toEqual([200, 'https://shop.example']);
    expect(good.headers.get('access-control-allow-credentials')).toBe('true');
    expect(await handshake(rig.url, { Origin: 'https://evil.example' })).toMatch(/^HTTP\/1\.1 403 Forbidden/);
    expect(await handshake(rig.url, { Origin: 'https://shop.example' })).toMatch(/^HTTP\/1\.1 101/);
    expect(await handshake(rig.url, {})).toMatch(/^HTTP\/1\.1 101/);
    expect(await rig.metric('realtime_connections_refused_total', { reason: 'origin' })).toBe(2);
  });

  test('past the cap newcomers get a 503 with Retry-After; those inside stay, and a place that is freed is given away', async () => {
    rig = await startRig({ connectionsMax: 2 });
    const inside = [rig.client('/'), rig.client('/')];
    await Promise.all(inside.map((socket) => next(socket, 'connect')));
    expect(await handshake(rig.url, {})).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 5[\s\S]*connections_max/);
    const polled = await fetch(`${rig.url}/socket.io/?EIO=4&transport=polling`);
    expect([polled.status, polled.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await ask(inside[0] as Socket, 'stream:join', { playbackId: 'demo' })).toMatchObject({ ok: true });
    inside[1]?.disconnect();
    await until(async () => (await rig.metric('realtime_connections')) === 1, 'one has gone');
    await stillServes();
    expect(await rig.metric('realtime_connections_refused_total', { reason: 'connections_max' })).toBe(2);
  });

  test('S17: an address has its share; it is read from a trusted proxy and from nobody else', async () => {
    rig = await startRig({ connectionsPerAddressMax: 1, trustedProxies: ['127.0.0.1'] });
    const first = await new RawClient(rig.url, { 'X-Forwarded-For': '198.51.100.1' }).open();
    expect(await handshake(rig.url, { 'X-Forwarded-For': '198.51.100.1' })).toMatch(
      /^HTTP\/1\.1 429[\s\S]*Retry-After/,
    );
    expect(await handshake(rig.url, { 'X-Forwarded-For': '203.0.113.5, 198.51.100.1' }), 'spoofed').toMatch(/ 429 /);
    expect(await handshake(rig.url, { 'X-Forwarded-For': '198.51.100.2' })).toMatch(/ 101 /);
    first.close();
  });
});

describe('what clients send', () => {
  test('malformed payloads are refused with a reason, with or without an acknowledgement', async () => {
    rig = await startRig();
    const auth = { token: await rig.roomToken() };
    const chat = rig.client('/chat', { auth });
    const streaming = rig.client('/streaming');
    await ask(chat, 'chat:join', { liveId: 'demo' });
    const wrong = [
      null,
      undefined,
      7,
      'demo',
      [],
      {},
      { liveId: '../../etc' },
      { liveId: 'demo', since: { epoch: 1 } },
    ];
    for (const payload of wrong) {
      expect(await ask(chat, 'chat:join', payload)).toMatchObject({ ok: false, reason: 'bad_request' });
      chat.emit('chat:join', payload);
    }
    const sends = [
      { ...message('demo', ''), message: '' },
      { ...message('demo', 'x'), clientId: 'short' },
      { ...message('demo', ' \n\u0000 ') },
      { liveId: 'demo', message: { toString: 'x' }, clientId: 'client-id-1' },
    ];
    for (const payload of sends) expect((await ask(chat, 'chat:send', payload)).reason).toBe('bad_request');
    expect((await ask(chat, 'chat:send', message('demo', 'x'.repeat(501)))).reason).toBe('message_too_long');
    expect((await ask(chat, 'chat:send', message('demo', 'x'.repeat(500)))).ok).toBe(true);
    expect((await ask(streaming, 'stream:viewer:join', { playbackId: 'Demo!' })).reason).toBe('bad_request');
    streaming.emit('stream:viewer:join', { playbackId: 'demo' }); // no acknowledgement: counted all the same
    await until(async () => (await rig.metric('realtime_viewers')) === 1, 'the viewer is counted');
    expect(await rig.metric('realtime_refusals_total', { event: 'chat:join', reason: 'bad_request' })).toBe(16);
  });

  test('whatever arrives, the plane goes on', async () => {
    rig = await startRig();
    const bugs = bugsTotal();
    const odd = [
      '42["chat:join"]',
      '42["chat:join",{"__proto__":{"liveId":"demo"}}]',
      '42["error",1]',
      '42["disconnect"]',
      '42["constructor",{}]',
      '42["__proto__",{}]',
      '421["stream:join",{"playbackId":"demo"},{}]',
      '42[]',
      '42{}',
      '42',
      '4',
      '451-["x",{"_placeholder":true,"num":0}]',
      '43999999["late"]',
      '40/nowhere,',
      '41',
      '9',
      '',
      'b4',
    ];
    for (const packet of odd) {
      const raw = await new RawClient(rig.url).open();
      raw.socket.send(packet);
      raw.socket.send('42["stream:join",{"playbackId":"demo"}]');
      raw.close();
    }
    const raw = await new RawClient(rig.url).open();
    raw.socket.send(Buffer.from([0x34, 0x32, 0x00]));
    await until(() => raw.closeCode !== null, 'a binary packet ends the connection');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), fc.jsonValue(), async (text, value) => {
        const client = await new RawClient(rig.url).open('/chat');
        client.socket.send(text);
        client.socket.send(`42/chat,${JSON.stringify(['chat:send', value])}`);
        client.socket.send(`42/chat,7${JSON.stringify(['chat:join', value])}`);
        client.close();
      }),
      { numRuns: 40 },
    );
    await stillServes();
    expect(bugsTotal()).toBe(bugs);
  });

  test('a packet over 4 KB ends its connection, on either transport', async () => {
    rig = await startRig();
    const raw = await new RawClient(rig.url).open('/chat');
    raw.socket.send(`42/chat,["chat:send","${'x'.repeat(5_000)}"]`);
    await until(() => raw.closeCode !== null, 'the connection is closed');
    expect(raw.closeCode).toBe(1009);
    const opened = await (await fetch(`${rig.url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const body = `40${'x'.repeat(5_000)}`;
    const posted = await fetch(`${rig.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: 'POST', body });
    expect(posted.status).toBe(413);
    await stillServes();
  });

  test('a connection that floods is ended and counted', async () => {
    rig = await startRig();
    const raw = await new RawClient(rig.url).open();
    for (let index = 0; index <= PACKETS_PER_WINDOW_MAX; index += 1) raw.socket.send('42["stream:join",{}]');
    await until(() => raw.closeCode !== null, 'it is ended');
    expect(await rig.metric('realtime_connections_ended_total', { cause: 'flood' })).toBe(1);
    await stillServes();
  });

  test('HTTP: health answers, the rest is not found, a half-sent event is no one else’s problem', async () => {
    rig = await startRig();
    expect(await (await fetch(`${rig.url}/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${rig.url}/metrics`)).status, 'S16: not on the public port').toBe(404);
    const half = request(`${rig.url}/internal/events`, { method: 'POST', headers: { 'content-length': '1000' } });
    half.on('error', () => undefined);
    half.write('{');
    await new Promise((resolve) => setImmediate(resolve));
    half.destroy();
    await stillServes();
  });
});

test('a reader that stops is cut off at its bound while its neighbours hear everything', async () => {
  rig = await startRig();
  const auth = { token: await rig.roomToken() };
  const stuck = await new RawClient(rig.url).open('/chat');
  stuck.socket.send('42/chat,1["chat:join",{"liveId":"demo"}]');
  await stuck.arrives('43/chat,1');
  const neighbour = rig.client('/chat');
  const heard: number[] = [];
  neighbour.on('chat:messages', (batch: { messages: { seq: number }[] }) =>
    heard.push(...batch.messages.map((m) => m.seq)),
  );
  await ask(neighbour, 'chat:join', { liveId: 'demo' });
  stuck.stopReading();

  // It keeps asking for the history and never reads the answers.
  const writer = rig.client('/chat', { auth });
  await ask(writer, 'chat:join', { liveId: 'demo' });
  for (let index = 0; index < 20; index += 1) await ask(writer, 'chat:send', message('demo', '漢'.repeat(500)));
  const ended = () => rig.metric('realtime_connections_ended_total', { cause: 'slow' });
  const peakBefore = process.memoryUsage().rss;
  for (let index = 0; index < PACKETS_PER_WINDOW_MAX - 10; index += 1) {
    stuck.socket.send('42/chat,2["chat:join",{"liveId":"demo"}]');
  }
  await until(async () => (await ended()) === 1, 'the stuck reader is ended', 10_000);
  expect(process.memoryUsage().rss - peakBefore).toBeLessThan(100 * 1024 * 1024);
  await until(() => heard.length === 20, 'the neighbour has everything');
  stuck.close();
});

test('a polling client that stops fetching is ended once its queue is full', async () => {
  rig = await startRig();
  const polling = `${rig.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1)) as { sid: string };
  const post = (body: string) => fetch(`${polling}&sid=${sid}`, { method: 'POST', body });
  await post('40');
  await fetch(`${polling}&sid=${sid}`); // the answer to its connect; nothing is fetched from here on
  await post('42["stream:join",{"playbackId":"demo"}]');
  const productId = randomUUID();
  for (let stockVersion = 1; stockVersion <= QUEUED_PACKETS_MAX + 2; stockVersion += 1) {
    const data = { productId, variantId: productId, availableUnits: 1, stockVersion };
    await rig.deliver({ ...envelope('stock.changed'), data });
  }
  await until(
    async () => (await rig.metric('realtime_connections_ended_total', { cause: 'slow' })) === 1,
    'it is ended',
  );
});

test('strangers who fill every made-up chat keep no show from its own, also after a restart', async () => {
  const dataDir = temporaryFolder();
  rig = await startRig({ dataDir });
  await rig.deliver({ ...envelope('product.unpinned', 'demo'), data: { productId: randomUUID() } });
  for (const life of ['first', 'second']) {
    const joins = Array.from({ length: UNNAMED_CHAT_ROOMS_MAX / ROOMS_PER_CONNECTION_MAX }, async (_, who) => {
      const socket = rig.client('/chat');
      for (let index = 0; index < ROOMS_PER_CONNECTION_MAX; index += 1) {
        expect(await ask(socket, 'chat:join', { liveId: `made-up-${who}-${index}` })).toMatchObject({ ok: true });
      }
    });
    await Promise.all(joins);
    const viewer = rig.client('/chat');
    const [more, show] = [
      await ask(viewer, 'chat:join', { liveId: 'one-more' }),
      await ask(viewer, 'chat:join', { liveId: 'demo' }),
    ];
    expect([more.reason, show.ok], life).toEqual(['overloaded', true]);
    if (life === 'second') break;
    await rig.close();
    rig = await startRig({ dataDir });
  }
});

test('on close clients are told in a way that makes them come back by themselves', async () => {
  rig = await startRig();
  const clients = [rig.client('/'), rig.client('/chat', { transports: ['polling'] })];
  await Promise.all(clients.map((socket) => next(socket, 'connect')));
  const reasons = clients.map((socket) => next<string>(socket, 'disconnect'));
  await rig.close();
  for (const reason of await Promise.all(reasons)) expect(reason).not.toBe('io server disconnect');
});
