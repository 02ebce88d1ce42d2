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
import { MEDIA_NODE_OPTIONS } from '@showfloor/service-kit';
import { SERVER_CORE } from './machine.ts';

/** A server under load. `stop` ends it and removes its files. */
export type BenchServer = Readonly<{
  pid: number;
  /** Of a stream; ours takes any name in front of `?`. */
  rtmpUrl: string;
  httpPort: number;
  /** Of our server's metrics; 0 for others. */
  adminPort: number;
  /** Of the stream as HTTP-FLV. */
  path: string;
  stop: () => Promise<void>;
}>;

/** Servers by the name they have in the table. */
export const SERVERS = {
  showfloor: startShowfloor,
  'node-media-server': startNodeMediaServer,
} as const;
export type ServerName = keyof typeof SERVERS;

const STREAM = 'bench';

/** Our media-server, its publish hook answered here: it admits any name. `settings` are environment variables. */
async function startShowfloor(settings: Readonly<Record<string, string | number>> = {}): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const hook = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { stream } = JSON.parse(Buffer.concat(chunks).toString()) as { stream: string };
      const data = { showId: '00000000-0000-4000-8000-000000000000', playbackId: stream, graceMs: 120_000 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ code: 0, data }));
    });
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
    MEDIA_CONNECTIONS_MAX: 20_000,
    ...settings,
  };
  const main = fileURLToPath(new URL('../../../apps/media-server/src/main.ts', import.meta.url));
  const child = spawnOnServerCore(environment, [...MEDIA_NODE_OPTIONS, main]);
  await untilListening(child, [rtmpPort, httpPort]);
  return server(child, { rtmpPort, httpPort, adminPort, path: `/live/${STREAM}.flv`, folder }, () => hook.close());
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

/** The bare loop of `bare-loop.ts`: publishes the clip to itself. */
export async function startBareLoop(clip: string, tickMs: number): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const [httpPort = 0] = await freePorts(1);
  const main = fileURLToPath(new URL('./bare-loop.ts', import.meta.url));
  const child = spawnOnServerCore({}, [main, String(httpPort), clip, String(tickMs)]);
  await untilListening(child, [httpPort]);
  return server(child, { rtmpPort: 0, httpPort, path: '/', folder }, () => undefined);
}

/** nginx with sendfile over a folder, for objects that lie in memory (tmpfs). One worker, as our server is one process. */
export async function startNginx(root: string): Promise<{ pid: number; port: number; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const [port = 0] = await freePorts(1);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const text = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temp.join(' ')}
  server { listen 127.0.0.1:${port}; root ${root}; } }`;
  writeFileSync(join(folder, 'nginx.conf'), text);
  const command = [
    '-c',
    String(SERVER_CORE),
    'nginx',
    '-c',
    join(folder, 'nginx.conf'),
    '-e',
    join(folder, 'error.log'),
  ];
  const child = spawn('taskset', command, { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilListening(child, [port]);
  const { pid = 0 } = child;
  return { pid, port, stop: () => end(child, folder, () => undefined) };
}

function spawnOnServerCore(environment: Record<string, unknown>, args: readonly string[]): ChildProcess {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${String(value)}`);
  const command = ['-c', String(SERVER_CORE), 'env', ...settings, process.execPath, ...args];
  return spawn('taskset', command, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function server(
  child: ChildProcess,
  at: { rtmpPort: number; httpPort: number; adminPort?: number; path: string; folder: string },
  release: () => void,
): BenchServer {
  return {
    pid: child.pid ?? 0, // taskset and env replace themselves by the server: the pid stays
    rtmpUrl: `rtmp://127.0.0.1:${at.rtmpPort}/live/${STREAM}?key=bench`,
    httpPort: at.httpPort,
    adminPort: at.adminPort ?? 0,
    path: at.path,
    stop: () => end(child, at.folder, release),
  };
}

async function end(child: ChildProcess, folder: string, release: () => void): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  if (child.exitCode === null && child.signalCode === null) await ended;
  clearTimeout(killer);
  release();
  rmSync(folder, { recursive: true, force: true });
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
