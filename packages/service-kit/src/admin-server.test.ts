import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startAdminServer } from './admin-server.ts';
import { listen, StartError } from './listen.ts';
import { createMetrics } from './metrics.ts';

test('an admin listener tells metrics, liveness, and which check is not ready', async () => {
  const state = { database: true };
  const server = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    registry: createMetrics('test'),
    checks: { database: () => state.database, broken: () => Promise.resolve(true) },
    handle: (request, response) => {
      if (request.url !== '/api/v1/streams') return false;
      response.end('{}');
      return true;
    },
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await fetch(`${base}/metrics`)).text()).toContain('bugs_total{service="test"}');
  expect((await fetch(`${base}/health/live`)).status).toBe(200);
  expect((await fetch(`${base}/health/ready`)).status).toBe(200);
  state.database = false;
  const unready = await fetch(`${base}/health/ready`);
  expect(unready.status).toBe(503);
  expect(await unready.json()).toEqual({ ready: false, checks: { database: false, broken: true } });
  expect((await fetch(`${base}/api/v1/streams`)).status).toBe(200);
  expect((await fetch(`${base}/nothing`)).status).toBe(404);
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

test('a busy port is explained', async () => {
  const first = createServer();
  const port = await listen(first, { host: '127.0.0.1', port: 0 });
  const second = createServer();
  await expect(listen(second, { host: '127.0.0.1', port })).rejects.toThrow(StartError);
  await expect(listen(second, { host: '127.0.0.1', port })).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`);
  first.close();
});
