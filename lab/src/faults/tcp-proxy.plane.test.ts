import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { monotonicMs } from '../clock.ts';
import type { NetworkFault } from './network-fault.ts';
import { TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts';

/** A real server that answers with what it is sent, and says when its side of a connection closed. */
let server: Server;
const accepted: Socket[] = [];
let proxy: TcpProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  for (const socket of [...clients.splice(0), ...accepted.splice(0)]) socket.destroy();
  await proxy.close();
  await new Promise((done) => server.close(done));
});

async function open(faults: readonly NetworkFault[], options: Partial<TcpProxyOptions> = {}): Promise<Socket> {
  const { port } = server.address() as AddressInfo;
  proxy = await TcpProxy.open({ host: '127.0.0.1', port, seed: 1, ...options });
  proxy.apply(faults);
  return dial();
}

async function dial(): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
  clients.push(socket);
  const closed = closing(socket);
  await Promise.race([closed, new Promise((done) => socket.once('connect', done))]);
  return socket;
}

const endings = new WeakMap<Socket, Promise<string>>();

/** How the connection comes to its end: `ECONNRESET`, or `ended`. */
function closing(socket: Socket): Promise<string> {
  let how = 'ended';
  socket.once('error', (error: NodeJS.ErrnoException) => {
    how = error.code ?? error.message;
  });
  const ending = endings.get(socket) ?? new Promise<string>((done) => socket.once('close', () => done(how)));
  endings.set(socket, ending);
  return ending;
}

/** Time until `bytes` have come back. */
async function echo(socket: Socket, bytes = 1): Promise<number> {
  const sentAtMs = monotonicMs();
  let received = 0;
  const done = new Promise<number>((resolve) => {
    socket.on('data', function count(chunk: Buffer) {
      received += chunk.length;
      if (received < bytes) return;
      socket.off('data', count);
      resolve(monotonicMs() - sentAtMs);
    });
  });
  socket.write(Buffer.alloc(bytes, 7));
  return done;
}

/** Whether anything comes back within the time. */
async function answers(socket: Socket, withinMs: number): Promise<boolean> {
  return await Promise.race([echo(socket).then(() => true), sleep(withinMs, false)]);
}

test('without a fault it is a wire: bytes, ends and the refusal of a dead server pass', async () => {
  const socket = await open([]);
  expect(await echo(socket, 3_000_000)).toBeGreaterThan(0);
  socket.end();
  expect(await closing(socket)).toBe('ended');
  await expect.poll(() => proxy.stats.openConnections).toBe(0);
  expect(proxy.stats).toMatchObject({ acceptedConnections: 1, failedConnections: 0, bytes: 6_000_000 });
  await new Promise((done) => server.close(done));
  const refused = await dial();
  expect(await closing(refused)).toBe('ECONNRESET');
  expect(proxy.stats.failedConnections).toBe(1);
});

test('latency counts each way, and only the way it is asked for', async () => {
  const socket = await open([{ kind: 'latency', latencyMs: 200 }]);
  const both = await echo(socket);
  expect(both).toBeGreaterThanOrEqual(400);
  expect(both).toBeLessThan(500);
  proxy.apply([{ kind: 'latency', latencyMs: 200, direction: 'to-client' }]);
  const one = await echo(socket);
  expect(one).toBeGreaterThanOrEqual(200);
  expect(one).toBeLessThan(300);
  proxy.apply([]);
  expect(await echo(socket)).toBeLessThan(100);
});

test('jitter keeps the order of bytes and is the same for the same seed', async () => {
  const socket = await open([{ kind: 'latency', latencyMs: 50, jitterMs: 50, direction: 'to-client' }]);
  const received: number[] = [];
  const gaps: number[] = [];
  let lastMs = monotonicMs();
  socket.on('data', (chunk: Buffer) => {
    received.push(...chunk);
    gaps.push(monotonicMs() - lastMs);
    lastMs = monotonicMs();
  });
  for (let value = 0; value < 40; value += 1) {
    socket.write(Uint8Array.of(value));
    await sleep(10);
  }
  await expect.poll(() => received.length).toBe(40);
  expect(received).toEqual(Array.from({ length: 40 }, (_, value) => value));
  expect(Math.max(...gaps)).toBeGreaterThan(20);
});

test('bandwidth: half a megabyte at one megabyte per second takes half a second', async () => {
  const socket = await open([{ kind: 'bandwidth', bytesPerSecond: 1_000_000, direction: 'to-client' }]);
  const tookMs = await echo(socket, 500_000);
  expect(tookMs).toBeGreaterThan(450);
  expect(tookMs).toBeLessThan(700);
});

test('the queue is bounded: a full one stops reading, and the sender waits', async () => {
  const socket = await open([{ kind: 'latency', latencyMs: 300, direction: 'to-target' }], { queueBytesMax: 100_000 });
  expect(await echo(socket, 1_000_000)).toBeGreaterThan(1000);
  expect(proxy.stats.backPressurePauses).toBeGreaterThan(3);
  expect(proxy.stats.queueBytesPeak).toBeLessThan(100_000 + 65_536 + 1);
});

test('slicer: small pieces with pauses between them', async () => {
  const socket = await open([{ kind: 'slicer', pieceBytes: 10, gapMs: 10, direction: 'to-client' }]);
  const tookMs = await echo(socket, 200);
  expect(tookMs).toBeGreaterThanOrEqual(19 * 9);
  expect(tookMs).toBeLessThan(500);
});

test('partition: nothing passes, nothing is lost, and it goes on where it was', async () => {
  const socket = await open([]);
  await echo(socket);
  proxy.apply([{ kind: 'partition' }]);
  const sentAtMs = monotonicMs();
  const back = echo(socket);
  const late = await dial();
  expect(await answers(late, 300)).toBe(false);
  expect(accepted).toHaveLength(1); // the new one has not reached the target
  proxy.apply([]);
  await back;
  expect(monotonicMs() - sentAtMs).toBeGreaterThan(299);
  await expect.poll(() => accepted.length).toBe(2);
});

test('partition of one way: requests arrive, answers do not', async () => {
  const socket = await open([]);
  await echo(socket);
  proxy.apply([{ kind: 'partition', direction: 'to-client' }]);
  const arrived = accepted[0] === undefined ? Promise.reject(new Error('no connection')) : once(accepted[0], 'data');
  expect(await answers(socket, 200)).toBe(false);
  await arrived;
});

test('whoever leaves during a partition never reaches the target', async () => {
  await open([{ kind: 'partition' }]);
  clients[0]?.destroy();
  await expect.poll(() => proxy.stats.openConnections).toBe(0);
  proxy.apply([]);
  await echo(await dial());
  expect(accepted).toHaveLength(1);
});

test('timeout: accepted, nothing forwarded; reset when it is lifted', async () => {
  const socket = await open([]);
  await echo(socket);
  proxy.apply([{ kind: 'timeout' }]);
  const late = await dial();
  expect([await answers(socket, 150), await answers(late, 150)]).toEqual([false, false]);
  proxy.apply([]);
  expect(await Promise.all([closing(socket), closing(late)])).toEqual(['ECONNRESET', 'ECONNRESET']);
});

test('reset: open connections and new ones', async () => {
  const socket = await open([]);
  await echo(socket);
  proxy.apply([{ kind: 'reset' }]);
  expect(await closing(socket)).toBe('ECONNRESET');
  expect(await closing(await dial())).toBe('ECONNRESET');
  proxy.apply([]);
  expect(await answers(await dial(), 1000)).toBe(true);
});

test('slow close: the end arrives later', async () => {
  const socket = await open([{ kind: 'slow-close', delayMs: 300 }]);
  await echo(socket);
  const endedAtMs = monotonicMs();
  socket.end();
  const target = accepted[0];
  if (target !== undefined) await once(target, 'end');
  expect(monotonicMs() - endedAtMs).toBeGreaterThanOrEqual(299);
});

test('more connections than the bound are reset and counted', async () => {
  await echo(await open([], { connectionsMax: 2 }));
  await echo(await dial());
  expect(await closing(await dial())).toBe('ECONNRESET');
  expect(proxy.stats).toMatchObject({ openConnections: 2, refusedConnections: 1 });
});
