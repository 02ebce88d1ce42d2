/** Other people's media servers, really run: each on free ports of this machine, with everything it writes in one folder. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publishFlvLoop } from '@showfloor/rtmp-client';

/** A running server with a stream on air; its owner awaits `stop()`. */
export type PeerServer = { readonly url: string; readonly stop: () => Promise<void> };

const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
/** True when Debian's nginx and its RTMP module are installed; a missing one is a failure in CI. */
export const hasNginxRtmp = existsSync(MODULE) && spawnSync('nginx', ['-v']).status === 0;

const CLIP = resolve(import.meta.dirname, '../../packages/media-formats/fixtures/avc-aac-320x180.flv');

/** nginx with HLS of one-second TS segments and its page of statistics. */
export async function startNginxRtmp(): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-nginx-rtmp-'));
  const [rtmpPort = 0, httpPort = 0] = await freePorts(2);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${MODULE};
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 256; }
rtmp { server { listen 127.0.0.1:${rtmpPort};
  application live { live on; hls on; hls_path ${folder}/hls; hls_fragment 1s; hls_playlist_length 6s; } } }
http { access_log off; ${temp.join(' ')}
  server { listen 127.0.0.1:${httpPort};
    location /stat { rtmp_stat all; }
    location /hls { root ${folder}; } } }`,
  );
  const command = ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')];
  const child = spawn('nginx', command, { stdio: ['ignore', 'inherit', 'inherit'] });
  const isReady = (): boolean => countSegments(join(folder, 'hls/test.m3u8')) >= 4;
  return onAir(child, folder, { rtmpPort, httpPort }, isReady);
}

/** node-media-server as its own command starts it, with the API on. */
export async function startNodeMediaServer(): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-node-media-'));
  const [rtmpPort = 0, httpPort = 0] = await freePorts(2);
  const config = {
    bind: '127.0.0.1',
    rtmp: { port: rtmpPort },
    http: { port: httpPort },
    store: { path: folder },
    auth: { play: false, publish: false, jwt: { secret: 'of this test', users: [] } },
    webadmin: { enable: false },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const root = dirname(createRequire(import.meta.url).resolve('node-media-server/package.json'));
  const command = [join(root, 'bin/app.js'), '--config', join(folder, 'config.json')];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  return onAir(child, folder, { rtmpPort, httpPort }, () => true);
}

/** Segments in a playlist file; 0 while there is none. */
export function countSegments(path: string): number {
  return existsSync(path) ? (readFileSync(path, 'utf8').match(/#EXTINF/g) ?? []).length : 0;
}

async function onAir(
  child: ChildProcess,
  folder: string,
  { rtmpPort, httpPort }: { readonly rtmpPort: number; readonly httpPort: number },
  isReady: () => boolean,
): Promise<PeerServer> {
  const off = new AbortController();
  const ended = new Promise((done) => child.once('exit', done));
  let published: Promise<void> = Promise.resolve();
  const stop = async (): Promise<void> => {
    off.abort();
    await published;
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(async () => (await listens(rtmpPort)) && (await listens(httpPort)), child);
    let isPublishing = false;
    published = publishFlvLoop({
      url: `rtmp://127.0.0.1:${rtmpPort}/live/test`,
      filePath: CLIP,
      signal: off.signal,
      onState: ({ kind }) => {
        isPublishing ||= kind === 'publishing';
      },
    });
    await until(() => isPublishing && isReady(), child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${httpPort}/`, stop };
}

async function until(holds: () => boolean | Promise<boolean>, child: ChildProcess): Promise<void> {
  for (const deadlineMs = performance.now() + 30_000; !(await holds()); await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if (performance.now() > deadlineMs) throw new Error('the server did not come up in 30 s');
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer();
      await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
      return probe;
    }),
  );
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((done) => probe.close(done))));
  return ports;
}
