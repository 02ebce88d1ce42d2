import { createServer } from 'node:http';
import { listen } from '@showfloor/service-kit';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { Broadcaster } from '../src/transport/broadcast.ts';
import { SlowConnections } from '../src/transport/slow-connections.ts';
import { next, until } from './plane-rig.ts';
import { RawClient } from './raw-client.ts';

const PAYLOADS = [
  { liveId: 'demo', messages: [] },
  { text: 'ü 漢字 👩‍👩‍👧 \u2028 "quoted" \\ \u0000' },
  { text: 'x'.repeat(60) },
  { text: 'x'.repeat(200) },
  { text: 'é'.repeat(40_000) }, // 64-bit length
  ['an', 'array', null, 1.5, true],
  'a string',
  42,
  null,
];

test('a prebuilt frame is byte for byte what emit sends, on every namespace, and polling clients hear the same', async () => {
  const http = createServer();
  const server = new Server(http, { perMessageDeflate: false, httpCompression: false });
  const url = `http://127.0.0.1:${await listen(http, { host: '127.0.0.1', port: 0 })}`;
  const slow = new SlowConnections({ connections: () => [], onEnded: () => undefined });
  const paths = { prebuilt: 0, emitted: 0 };
  const broadcaster = new Broadcaster(slow, (prebuilt, emitted) => {
    paths.prebuilt += prebuilt;
    paths.emitted += emitted;
  });
  for (const name of ['/', '/chat']) {
    const namespace = server.of(name);
    namespace.on('connection', (socket) => void socket.join('room'));
    const raw = await new RawClient(url).open(name);
    const poller = io(url + name, { transports: ['polling'], forceNew: true });
    const polled: unknown[] = [];
    poller.on('event', (payload) => polled.push(payload));
    await next(poller, 'connect');
    const before = raw.packets.length;
    for (const payload of PAYLOADS) {
      namespace.to('room').emit('event', payload);
      broadcaster.send(namespace, 'room', 'event', payload);
    }
    await until(() => raw.packets.length === before + PAYLOADS.length * 2, 'every frame has arrived');
    await until(() => polled.length === PAYLOADS.length * 2, 'every polled packet has arrived');
    const events = raw.packets.slice(before);
    for (const [index, payload] of PAYLOADS.entries()) {
      expect(events[index * 2 + 1]).toBe(events[index * 2]);
      expect(polled.slice(index * 2, index * 2 + 2)).toEqual([payload, payload]);
    }
    broadcaster.send(namespace, 'nobody is here', 'event', 1);
    raw.close();
    poller.disconnect();
  }
  expect(paths.emitted, 'the polling clients').toBeGreaterThanOrEqual(PAYLOADS.length * 2);
  expect(paths.prebuilt, 'the websockets').toBeGreaterThan(0);
  slow.close();
  await server.close();
});

test('frames keep their order among single packets, also during the upgrade from polling', async () => {
  const http = createServer();
  const server = new Server(http, { perMessageDeflate: false });
  const url = `http://127.0.0.1:${await listen(http, { host: '127.0.0.1', port: 0 })}`;
  const slow = new SlowConnections({ connections: () => [], onEnded: () => undefined });
  const broadcaster = new Broadcaster(slow, () => undefined);
  const namespace = server.of('/');
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  namespace.on('connection', (socket) => {
    void socket.join('room');
    timer = setInterval(() => {
      for (let index = 0; index < 20; index += 1) {
        if (index % 3 === 0) socket.emit('event', sent);
        else broadcaster.send(namespace, 'room', 'event', sent);
        sent += 1;
      }
      if (sent >= 2_000) clearInterval(timer);
    }, 2);
  });
  const client = io(url, { transports: ['polling', 'websocket'], forceNew: true });
  const heard: number[] = [];
  client.on('event', (value: number) => heard.push(value));
  await until(() => heard.length >= 2_000, 'all have arrived', 15_000);
  expect(client.io.engine.transport.name).toBe('websocket');
  expect(heard).toEqual(Array.from({ length: heard.length }, (_, index) => index));
  client.disconnect();
  slow.close();
  await server.close();
});
