/** The servers that the fan-out benchmark compares, each as its own process on one core. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The core that servers run on; load and publisher take the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** A server under load. `stop` ends it and removes its files. */
export type BenchServer = Readonly<{
  pid: number;
  rtmpUrl: string;
  httpPort: number;
  path: string;
  stop: () => Promise<void>;
}>;

/** Servers by the name they have in the table. */
export const SERVERS = { showfloor: startShowfloor, 'node-media-server': startNodeMediaServer } as const;
export type ServerName = keyof typeof SERVERS;

const STREAM = 'bench';

/** Our media-server, its publish hook answered here. */
async function startShowfloor(): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const hook = createServer((request, response) => {
    request.resume();
    const data = { showId: '00000000-0000-4000-8000-000000000000', playbackId: STREAM, graceMs: 1_000 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ code: 0, data }));
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const [rtmpPort = 0, httpPort = 0, adminPort = 0] = await freePorts(3);
  const environment = {
    DATA_DIR: folder,
    LOG_LEVEL: 'warn',
    MEDIA_RTMP_PORT: rtmpPort,
    MEDIA_HTTP_PORT: httpPort,
    MEDIA_ADMIN_PORT: adminPort,
    MEDIA_NOTIFY: false,
    MEDIA_PUBLISH_HOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/on_publish`,
  };
  const main = fileURLToPath(new URL('../../../apps/media-server/src/main.ts', import.meta.url));
  const child = spawnOnServerCore(environment, [main]);
  await untilListening(child, [rtmpPort, httpPort]);
  return server(child, { rtmpPort, httpPort, path: `/live/${STREAM}.flv`, folder }, () => hook.close());
}

/** node-media-server as its own command starts it, without TLS and web console. */
async function startNodeMediaServer(): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const [rtmpPort = 0, httpPort = 0] = await freePorts(2);
  const config = {
    bind: '127.0.0.1',
    rtmp: { port: rtmpPort },
    http: { port: httpPort },
    store: { path: folder },
    auth: { play: false, publish: false },
    webadmin: { enable: false },
  };
  const configPath = join(folder, 'config.json');
  writeFileSync(configPath, JSON.stringify(config));
  const root = dirname(createRequire(import.meta.url).resolve('node-media-server/package.json'));
  const child = spawnOnServerCore({}, [join(root, 'bin/app.js'), '--config', configPath]);
  await untilListening(child, [rtmpPort, httpPort]);
  return server(child, { rtmpPort, httpPort, path: `/live/${STREAM}.flv`, folder }, () => undefined);
}

function spawnOnServerCore(environment: Record<string, unknown>, args: readonly string[]): ChildProcess {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${String(value)}`);
  const command = ['-c', String(SERVER_CORE), 'env', ...settings, process.execPath, ...args];
  return spawn('taskset', command, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function server(
  child: ChildProcess,
  at: { rtmpPort: number; httpPort: number; path: string; folder: string },
  release: () => void,
): BenchServer {
  return {
    pid: child.pid ?? 0, // taskset and env replace themselves by the server: the pid stays
    rtmpUrl: `rtmp://127.0.0.1:${at.rtmpPort}/live/${STREAM}?key=bench`,
    httpPort: at.httpPort,
    path: at.path,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 3_000);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(killer);
      release();
      rmSync(at.folder, { recursive: true, force: true });
    },
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createTcpServer();
      await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
      return probe;
    }),
  );
  const ports = servers.map((probe) => (probe.address() as AddressInfo).port);
  for (const probe of servers) probe.close();
  return ports;
}

async function untilListening(child: ChildProcess, ports: readonly number[]): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  for (const port of ports) {
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      if (performance.now() > deadlineMs) throw new Error('the server does not listen');
      await sleep(50);
    }
  }
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
