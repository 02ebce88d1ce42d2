import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen } from '@showfloor/service-kit';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  server.close();
  await once(server, 'close');
  return port;
}

function start(env: Record<string, string>, args: string[] = []): { child: ChildProcess; output: () => string } {
  const dataDir = mkdtempSync(join(tmpdir(), 'realtime-server-'));
  const child = fork(MAIN, args, { silent: true, env: { PATH: process.env.PATH, DATA_DIR: dataDir, ...env } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      text += data.toString();
    });
  }
  return { child, output: () => text };
}

async function started(): Promise<{ child: ChildProcess; output: () => string; port: number; adminPort: number }> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const service = start({ REALTIME_PORT: String(port), REALTIME_ADMIN_PORT: String(adminPort) });
  expect((await once(service.child, 'message'))[0]).toEqual({ type: 'ready' });
  return { ...service, port, adminPort };
}

test('it starts alone, says ready, serves, shows its metrics on the admin port only, and stops when asked', async () => {
  const { child, output, port, adminPort } = await started();
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  const opened = await (await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)).text();
  expect(opened).toMatch(/"pingInterval":25000,"pingTimeout":60000,"maxPayload":4096/);
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  for (const name of ['realtime_namespace_connections', 'realtime_chat_delivery_seconds', 'realtime_viewers']) {
    expect(metrics).toContain(name);
  }
  expect(metrics).toMatch(/bugs_total\{.*\} 0\n/);
  expect(await (await fetch(`http://127.0.0.1:${adminPort}/health/ready`)).json()).toMatchObject({ ready: true });
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(output()).toContain('realtime.closed');
});

test('it ends when its supervisor is gone', async () => {
  const { child } = await started();
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test.each([
  [{ REALTIME_PROT: '1' }, 'did you mean REALTIME_PORT?'],
  [{ REALTIME_ALLOWED_ORIGINS: 'shop.example' }, '"shop.example" is not an origin like https://shop.example'],
  [{ REALTIME_TRUSTED_PROXIES: '10.0.0.0/99' }, '"10.0.0.0/99" is neither an IP address nor a range'],
  [{ REDIS_URL: 'http://127.0.0.1:6379' }, 'REDIS_URL: it does not start with redis:// or rediss://'],
  [{ REALTIME_NODE: '../up' }, '"../up" is not at most 32 of a-z, 0-9 and -'],
] as [Record<string, string>, string][])('%j stops the start with exit 2', async (env, said) => {
  const { child, output } = start(env);
  expect((await once(child, 'close'))[0]).toBe(2);
  expect(output()).toContain(said);
});

test('a node whose Redis cannot be reached serves, says so once a while, and never repeats the address', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const service = start({
    REDIS_URL: `redis://:hunter2@127.0.0.1:${await freePort()}`,
    REALTIME_NODE: 'second',
    REALTIME_PORT: String(port),
    REALTIME_ADMIN_PORT: String(adminPort),
  });
  expect((await once(service.child, 'message'))[0]).toEqual({ type: 'ready' });
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${adminPort}/health/ready`)).status).toBe(200);
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  expect(metrics).toMatch(/realtime_redis_joined(\{.*\})? 0\n/);
  const exited = once(service.child, 'exit');
  service.child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(service.output()).toContain('redis.join_failed');
  expect(service.output()).not.toContain('hunter2');
});

test('a busy port and --help: one clear text each', async () => {
  const other = createServer();
  const port = await listen(other, { host: '127.0.0.1', port: 0 });
  const busy = start({ REALTIME_PORT: String(port), REALTIME_ADMIN_PORT: '0' });
  expect((await once(busy.child, 'close'))[0]).toBe(2);
  expect(busy.output()).toContain(`port ${port} on 127.0.0.1 is in use`);
  other.close();
  const help = start({}, ['--help']);
  expect((await once(help.child, 'close'))[0]).toBe(0);
  expect(help.output()).toContain('REALTIME_ALLOWED_ORIGINS');
});
