import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkHls, openHttp1Origin } from '../src/index.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
if (process.env.CI === 'true' && !hasFfmpeg) throw new Error('ffmpeg is missing');

/** How the file server lies about what ffmpeg wrote. */
type Lie = Readonly<{ edit?: (path: string, text: string) => string; missing?: RegExp; type?: string }>;

const TYPES = new Map([
  ['.m3u8', 'application/vnd.apple.mpegurl'],
  ['.mp4', 'video/mp4'],
  ['.m4s', 'video/mp4'],
]);

let folder = '';
let encoder: ChildProcess;
let server: Server;
let base = '';
let lie: Lie = {};

/** ffmpeg's own HLS of 1 s segments, served as files. */
beforeAll(async () => {
  if (!hasFfmpeg) return;
  folder = mkdtempSync(join(tmpdir(), 'lab-hls-'));
  const source = '-re -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=frequency=440';
  const codecs =
    '-c:v libx264 -preset ultrafast -g 30 -keyint_min 30 -sc_threshold 0 -b:v 1500k -pix_fmt yuv420p -c:a aac -t 60';
  const muxer =
    '-f hls -hls_time 1 -hls_list_size 5 -hls_segment_type fmp4 -hls_flags delete_segments -hls_delete_threshold 5';
  encoder = spawn(
    'ffmpeg',
    [
      '-hide_banner',
      '-loglevel',
      'error',
      ...`${source} ${codecs} ${muxer} -master_pl_name master.m3u8`.split(' '),
      'media.m3u8',
    ],
    { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]?.slice(1) ?? '';
    const file = join(folder, path);
    if (!existsSync(file) || lie.missing?.test(path)) {
      response.writeHead(404).end();
      return;
    }
    const extension = path.slice(path.lastIndexOf('.'));
    const isList = extension === '.m3u8';
    const bytes = readFileSync(file);
    const body = isList && lie.edit !== undefined ? lie.edit(path, bytes.toString('utf8')) : bytes;
    response.writeHead(200, {
      'content-type': (isList ? lie.type : undefined) ?? TYPES.get(extension),
      'access-control-allow-origin': '*',
      'cache-control': isList ? 'no-cache' : 'max-age=60',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const list = join(folder, 'media.m3u8');
  while (!existsSync(list) || (readFileSync(list, 'utf8').match(/EXTINF/g) ?? []).length < 4) await sleep(100);
}, 30_000);

afterAll(() => {
  if (!hasFfmpeg) return;
  encoder.kill('SIGKILL');
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function breaches(planted: Lie, seconds = 2.5): Promise<{ must: string[]; should: string[]; segments: number }> {
  lie = planted;
  const origin = openHttp1Origin();
  try {
    const { book, segments } = await checkHls({ url: `${base}/master.m3u8`, origin, seconds });
    const names = (level: 'must' | 'should') => [
      ...new Set(book.breaches(level).map(({ rule, detail }) => `${rule}: ${detail}`)),
    ];
    return { must: names('must'), should: names('should'), segments };
  } finally {
    origin.close();
    lie = {};
  }
}

describe.skipIf(!hasFfmpeg)('HLS made by ffmpeg', () => {
  test('breaks no rule', async () => {
    const { must, segments } = await breaches({}, 4);
    expect(must).toEqual([]);
    expect(segments).toBeGreaterThanOrEqual(3);
  });

  let versions = 0;
  test.each<[string, Lie, string]>([
    ['a segment that is listed and not there', { missing: /media[0-9]+\.m4s/ }, 'object.available'],
    ['another content type', { type: 'text/plain' }, 'playlist.content-type'],
    [
      'durations that lie',
      { edit: (path, text) => (path === 'media.m3u8' ? text.replaceAll(/EXTINF:[0-9.]+/g, 'EXTINF:0.8') : text) },
      'media.segment-duration',
    ],
    [
      'a sequence that jumps back and forth',
      {
        edit: (path, text) => {
          if (path !== 'media.m3u8') return text;
          versions += 1;
          return text.replace(
            /SEQUENCE:(\d+)/,
            (_all, number) => `SEQUENCE:${Number(number) + (versions % 2 === 0 ? 0 : 3)}`,
          );
        },
      },
      'sequence.no-regression',
    ],
    [
      'codecs of something else',
      { edit: (_path, text) => text.replace(/CODECS="[^"]*"/, 'CODECS="avc1.4d001f"') },
      'master.codecs',
    ],
    [
      'a bandwidth that is too small',
      { edit: (_path, text) => text.replace(/BANDWIDTH=\d+/, 'BANDWIDTH=1000') },
      'master.bandwidth',
    ],
  ])('%s is found', async (_name, planted, rule) => {
    const { must, should } = await breaches(planted);
    expect([...must, ...should].some((name) => name.startsWith(`${rule}:`))).toBe(true);
  });
});

test('a server that is not there is an error with a reason', async () => {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const origin = openHttp1Origin();
  await expect(checkHls({ url: `http://127.0.0.1:${port}/x.m3u8`, origin, seconds: 1 })).rejects.toThrow(
    'ECONNREFUSED',
  );
  origin.close();
});
