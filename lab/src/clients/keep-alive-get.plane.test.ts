import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { KeepAliveGet } from './keep-alive-get.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<{ url: URL; connections: () => number }> {
  let connections = 0;
  const server = createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    connections: () => connections,
  };
}

/** Speaks bytes: each connection is handed to `onSocket`. */
async function speak(onSocket: (socket: Socket, number: number) => void): Promise<URL> {
  let number = 0;
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    number += 1;
    onSocket(socket, number);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

/** A lane that says what happened, one answer at a time. */
function open(): { lane: KeepAliveGet; ask: (url: URL) => Promise<string> } {
  let body = '';
  let status = 0;
  let settle: (what: string) => void = () => {};
  const lane = new KeepAliveGet('X-Test: yes\r\n', {
    onConnected: () => {},
    onHead: (head) => {
      status = head.status;
    },
    onBody: (bytes) => {
      body += Buffer.from(bytes).toString('latin1');
    },
    onEnd: () => settle(`${status} ${body}`),
    onFailed: (reason) => settle(`failed: ${reason}`),
  });
  closers.push(() => lane.close());
  const ask = (url: URL): Promise<string> => {
    body = '';
    return new Promise((done) => {
      settle = done;
      lane.get(url);
    });
  };
  return { lane, ask };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('one connection', () => {
  test('carries one request after the other, with the headers it was given', async () => {
    const { url, connections } = await serve((request, response) =>
      response.end(`${request.url} ${String(request.headers['x-test'])}`),
    );
    const { ask } = open();
    expect(await ask(new URL('/a?b=1', url))).toBe('200 /a?b=1 yes');
    expect(await ask(new URL('/c', url))).toBe('200 /c yes');
    expect(connections()).toBe(1);
  });

  test('is opened again without a word when the server closed it while idle', async () => {
    const url = await speak((socket, number) => {
      socket.on('data', () => {
        if (number === 1)
          socket.end(OK); // says nothing of closing
        else socket.write(OK);
      });
    });
    const { ask } = open();
    expect(await ask(url)).toBe('200 ok');
    expect(await ask(url)).toBe('200 ok');
  });

  test('that is closed in the middle of an answer has failed', async () => {
    const url = await speak((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok')),
    );
    expect(await open().ask(url)).toBe('failed: connection_closed');
  });

  test('a body without a length ends with the connection', async () => {
    const url = await speak((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall')));
    expect(await open().ask(url)).toBe('200 all');
  });

  test('a server that is not HTTP, or not there', async () => {
    const url = await speak((socket) => socket.on('data', () => socket.write('220 smtp ready\r\n\r\n')));
    expect(await open().ask(url)).toBe('failed: http.status_line');
    expect(await open().ask(new URL('http://127.0.0.1:1/'))).toBe('failed: ECONNREFUSED');
  });

  test('silence is measured, and the request can be given up', async () => {
    const url = await speak(() => {});
    const { lane, ask } = open();
    const answer = ask(url);
    while (!lane.isUnanswered) await new Promise((done) => setTimeout(done, 5));
    expect(lane.isBusy).toBe(true);
    lane.cancel('timeout');
    expect(await answer).toBe('failed: timeout');
    expect(lane.isBusy).toBe(false);
  });
});
