import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openFrontDoor } from './front-door.ts';

const PLAIN = 'GET /live/show.flv HTTP/1.1\r\nHost: a\r\n\r\n';
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** node:http answers with the address that it was asked for; at the door those who ask for `show` are let in. */
async function start(firstBytesMs = 10_000): Promise<{ open: () => Socket; letIn: Socket[]; server: Server }> {
  const letIn: Socket[] = [];
  const server = createServer((request, response) => response.end(`inside ${request.url};`));
  servers.push(server);
  openFrontDoor(server, {
    firstBytesMs,
    onConnection: () => undefined,
    letIn: (socket, { playbackId }) => {
      if (playbackId !== 'show') return false;
      letIn.push(socket);
      socket.write('at the door;');
      return true;
    },
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { open: () => connect({ host: '127.0.0.1', port }).on('error', () => undefined), letIn, server };
}

/** What comes on a socket, up to as many words that end in `;`. */
async function heard(socket: Socket, words = 1): Promise<string[]> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.split(';').length > words) break;
  }
  return text.match(/(?:inside [^;]*|at the door);/g) ?? [];
}

test('usual requests of FLV are let in, all others are answered inside, also several on a connection', async () => {
  const { open } = await start();
  const [plain, other, playlist] = [open(), open(), open()];
  plain.write(PLAIN);
  other.write(PLAIN.replace('show', 'other'));
  playlist.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await heard(plain)).toEqual(['at the door;']);
  expect(await heard(other)).toEqual(['inside /live/other.flv;']);
  expect(await heard(playlist, 2)).toEqual(['inside /a;', 'inside /b;']);
  playlist.write('GET /c HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await heard(playlist)).toEqual(['inside /c;']);
  for (const socket of [plain, other, playlist]) socket.destroy();
});

test('a head that comes in pieces, and a body behind its head, are read inside', async () => {
  const { open } = await start();
  const [pieces, body] = [open(), open()];
  pieces.write(PLAIN.slice(0, 30));
  body.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab');
  await sleep(50);
  pieces.write(PLAIN.slice(30));
  body.write('cdGET /q HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await heard(pieces)).toEqual(['inside /live/show.flv;']);
  expect(await heard(body, 2)).toEqual(['inside /p;', 'inside /q;']);
  pieces.destroy();
  body.destroy();
});

test('who is let in is cut for asking again, and for closing its half', async () => {
  const { open, letIn } = await start();
  for (const leave of [(socket: Socket) => socket.write(PLAIN), (socket: Socket) => socket.end()]) {
    const socket = open();
    socket.write(PLAIN);
    await heard(socket);
    const cut = once(letIn.at(-1) as Socket, 'close');
    socket.resume();
    leave(socket);
    await cut;
    socket.destroy();
  }
});

test('who says nothing, closes or resets at the door is gone', { timeout: 30_000 }, async () => {
  const { open, server } = await start(200);
  const connections: Socket[] = [];
  server.on('connection', (socket: Socket) => connections.push(socket));
  const [silent, closing, resetting] = [open(), open(), open()];
  await Promise.all([silent, closing, resetting].map((socket) => once(socket, 'connect')));
  silent.resume();
  closing.end();
  resetting.resetAndDestroy();
  await once(silent, 'close');
  while (connections.length < 3 || connections.some((socket) => !socket.destroyed)) await sleep(10);
});
