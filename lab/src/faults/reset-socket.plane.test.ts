import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { resetSocket } from './reset-socket.ts';

/** What the peer of `spoil`'s socket saw, once that is closed and the server with it. */
async function peerSees(spoil: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const seen = new Promise<string>((done) => {
    client.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    client.once('end', () => done('end'));
  });
  client.resume();
  const [socket] = (await once(server, 'connection')) as [Socket];
  const closed = once(socket, 'close'); // a handle that Node has lost never says so
  spoil(socket);
  await closed;
  await new Promise((done) => server.close(done));
  const how = await seen;
  client.destroy();
  return how;
}

test('a reset is one, even with unsent bytes', async () => {
  expect(await peerSees(resetSocket)).toBe('ECONNRESET');
  const flooded = (socket: Socket): void => {
    socket.write(Buffer.alloc(16 * 1024 * 1024));
    resetSocket(socket);
  };
  expect(await peerSees(flooded)).toBe('ECONNRESET');
});

test('while an end is under way the connection closes all the same, and its handle is not lost', async () => {
  const ended = await peerSees((socket) => {
    socket.end();
    process.nextTick(() => resetSocket(socket));
  });
  expect(ended).toBe('end');
});
