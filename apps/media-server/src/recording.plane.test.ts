import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  concatBytes,
  encodeFlvHeader,
  encodeFlvTag,
  FlvDemuxer,
  FlvTagType,
  prefixNal,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { publishFlvLoop } from '@showfloor/rtmp-client';
import { loadSecrets } from '@showfloor/service-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SHOW_ID = '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0002';
const CLIP = readFileSync(
  fileURLToPath(new URL('../../../packages/media-formats/fixtures/avc-aac-320x180.flv', import.meta.url)),
);
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const hasFfprobe = spawnSync('ffprobe', ['-version']).status === 0 || process.env.CI === 'true';
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

let folder = '';
let commerce: Server;
/** Hooks that commerce was told, by their paths. */
let hooks: { path: string; body: Record<string, unknown> }[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'media-recording-'));
  mkdirSync(join(folder, 'recordings'));
  loadSecrets(folder);
  hooks = [];
  commerce = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      hooks.push({ path: request.url ?? '', body: JSON.parse(body) as Record<string, unknown> });
      const data = { showId: SHOW_ID, playbackId: 'show-rec', graceMs: 60_000, recording: { isEnabled: true } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ code: 0, data }));
    });
  });
  await new Promise<void>((resolve) => commerce.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  commerce.closeAllConnections();
  commerce.close();
  rmSync(folder, { recursive: true, force: true });
});

async function until<T>(what: string, condition: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(20);
  }
}

async function freePort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A media-server on the folder of the test. */
class RecordingServer implements AsyncDisposable {
  output = '';
  readonly #child: ChildProcess;
  readonly #ports: readonly [rtmp: number, http: number, admin: number];
  readonly #exited: Promise<unknown>;
  readonly #stop = new AbortController();

  private constructor(
    ports: readonly [number, number, number],
    more: Record<string, string>,
    diskBytes: number | null,
  ) {
    this.#ports = ports;
    const disk = `mount -t tmpfs -o size=${diskBytes} tmpfs "$DATA_DIR/recordings" && exec "$@"`;
    const [command, args] =
      diskBytes === null
        ? [process.execPath, [MAIN]]
        : ['unshare', ['-m', 'sh', '-c', disk, 'sh', process.execPath, MAIN]];
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        DATA_DIR: folder,
        MEDIA_RTMP_PORT: String(ports[0]),
        MEDIA_HTTP_PORT: String(ports[1]),
        MEDIA_ADMIN_PORT: String(ports[2]),
        MEDIA_COMMERCE_URL: `http://127.0.0.1:${(commerce.address() as AddressInfo).port}`,
        MEDIA_NOTIFY: 'false',
        MEDIA_RECORDING_FREE_PERCENT_MIN: '0',
        ...more,
      },
    });
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString();
      });
    }
  }

  static async start(more: Record<string, string> = {}, diskBytes: number | null = null): Promise<RecordingServer> {
    const server = new RecordingServer([await freePort(), await freePort(), await freePort()], more, diskBytes);
    await until('the server', () => server.output.includes('service.started'));
    return server;
  }

  /** Publishes until the server is gone. */
  publish(flvBytes: Uint8Array): void {
    const url = `rtmp://127.0.0.1:${this.#ports[0]}/live/show-rec?key=any`;
    void publishFlvLoop({ url, flvBytes, signal: this.#stop.signal, retryFirstMs: 50, retryMaxMs: 100 });
  }

  /** Ends the show, as commerce does. */
  async endShow(): Promise<void> {
    await fetch(`http://127.0.0.1:${this.#ports[2]}/api/v1/streams/show-rec`, { method: 'DELETE' });
  }

  /** The file as the server sees it, in its own mounts. */
  file(part = 1): string {
    return join(`/proc/${this.#child.pid}/root`, folder, 'recordings', SHOW_ID, `part-${part}.mp4`);
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#ports[2]}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** A viewer; `lastMs` is the time of the newest picture it has. */
  async watch(): Promise<{ lastMs: () => number; pictures: () => number }> {
    let lastMs = 0;
    let pictures = 0;
    const demuxer = new FlvDemuxer({
      onTag: ({ typeId, timestampMs, payload }) => {
        if (typeId !== FlvTagType.video || readFlvVideoHeader(payload).kind !== 'frames') return;
        lastMs = timestampMs;
        pictures += 1;
      },
    });
    const url = `http://127.0.0.1:${this.#ports[1]}/live/show-rec.flv`;
    await until('the stream', async () => (await fetch(url, { method: 'HEAD' })).status === 200);
    const response = await fetch(url);
    const read = async (): Promise<void> => {
      for await (const bytes of response.body ?? []) demuxer.push(bytes as Uint8Array);
    };
    void read().catch(() => undefined); // cut with the server
    return { lastMs: () => lastMs, pictures: () => pictures };
  }

  /** Ends it by a signal, and its publisher with it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

type Probed = Readonly<{ pictures: number; durationMs: number; isMonotonic: boolean; complaints: string }>;

function probe(path: string): Probed {
  const args = ['-v', 'error', '-show_entries', 'packet=codec_type,dts_time:format=duration', '-of', 'json', path];
  const { stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 64e6 });
  const found = JSON.parse(stdout) as {
    packets?: { codec_type: string; dts_time: string }[];
    format?: { duration?: string };
  };
  const times = (found.packets ?? []).filter((one) => one.codec_type === 'video').map((one) => Number(one.dts_time));
  return {
    pictures: times.length,
    durationMs: Number(found.format?.duration ?? 0) * 1_000,
    isMonotonic: times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)),
    complaints: stderr,
  };
}

describe.skipIf(!hasFfprobe)('V5 a killed server', () => {
  test('loses at most a second of its recording, which plays, and its successor continues the file', async () => {
    let played = 0;
    for (let kills = 1; kills <= 2; kills += 1) {
      await using server = await RecordingServer.start();
      server.publish(CLIP);
      const viewer = await server.watch();
      await until('video', () => viewer.lastMs() > 4_300);
      await server.end('SIGKILL');
      const { durationMs, isMonotonic, complaints } = probe(join(folder, 'recordings', SHOW_ID, 'part-1.mp4'));
      expect([isMonotonic, complaints]).toEqual([true, '']);
      const lostMs = viewer.lastMs() - (durationMs - played);
      expect(lostMs).toBeLessThanOrEqual(1_100); // a fragment, and the packets on their way
      played = durationMs;
    }
    expect(readdirSync(join(folder, 'recordings', SHOW_ID))).toEqual(['part-1.mp4']);
    expect(played).toBeGreaterThan(6_000);
  });
});

test('commerce is told where the recording of an ended show lies', async () => {
  await using server = await RecordingServer.start({ MEDIA_NOTIFY: 'true' });
  server.publish(CLIP);
  await until('fragments', async () => (await server.metric('media_recording_fragments_total')) > 1);
  await server.endShow();
  const isTold = (one: { path: string }): boolean => one.path === '/api/streaming/hooks/on_dvr';
  await until('the hook', () => hooks.some(isTold));
  const [told] = hooks.filter(isTold);
  expect(told?.body).toMatchObject({ action: 'on_dvr', stream: 'show-rec', cwd: join(folder, 'recordings') });
  const file = join(String(told?.body.cwd), String(told?.body.file));
  expect(readFileSync(file).subarray(4, 8).toString()).toBe('ftyp');
});

describe.skipIf(!hasFfprobe || !canMount)('a disk without room', () => {
  test('that is full ends the recording, which plays; the show goes on', async () => {
    await using server = await RecordingServer.start({}, 2_000_000);
    server.publish(padded(CLIP, 500_000));
    const viewer = await server.watch();
    await until('the stop', async () => (await server.metric('media_recording_stops_total{reason="disk_full"')) === 1);
    await until('the file to be closed', async () => (await server.metric('media_recording_active')) === 0);
    expect(server.output).toMatch(/"reason":"disk_full".*"recording.stopped"/);
    const { pictures, durationMs, isMonotonic, complaints } = probe(server.file());
    expect([isMonotonic, complaints]).toEqual([true, '']);
    expect(pictures).toBeGreaterThan(25);
    expect(durationMs).toBeGreaterThan(1_000);
    const before = viewer.pictures();
    await until('the show', () => viewer.pictures() > before + 50);
    expect(await server.metric('bugs_total')).toBe(0);
  });

  test('that is nearly full is left alone', async () => {
    await using server = await RecordingServer.start({ MEDIA_RECORDING_FREE_PERCENT_MIN: '75' }, 16_000_000);
    server.publish(padded(CLIP, 500_000));
    await server.watch();
    await until('the stop', async () => (await server.metric('media_recording_stops_total{reason="disk_low"')) === 1);
    await until('the file to be closed', async () => (await server.metric('media_recording_active')) === 0);
    expect(await server.metric('media_recording_bytes_total')).toBeLessThan(12_000_000);
    expect(probe(server.file()).complaints).toBe('');
  });
});

/** The clip with filler in every picture, so that it runs at about `bytesPerSecond`. */
function padded(clip: Uint8Array, bytesPerSecond: number): Uint8Array {
  const parts = [encodeFlvHeader({ hasAudio: true, hasVideo: true })];
  const filler = prefixNal(new Uint8Array(Math.round(bytesPerSecond / 25)).fill(0xff).fill(12, 0, 1), 4);
  const demuxer = new FlvDemuxer({
    onTag: (tag) => {
      const isPicture = tag.typeId === FlvTagType.video && readFlvVideoHeader(tag.payload).kind === 'frames';
      parts.push(encodeFlvTag({ ...tag, payload: isPicture ? concatBytes([tag.payload, filler]) : tag.payload }));
    },
  });
  demuxer.push(clip);
  return concatBytes(parts);
}
