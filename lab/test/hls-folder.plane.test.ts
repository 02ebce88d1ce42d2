import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HLS_CRITERIA } from '../scenarios/criteria.ts';
import { mergedTrend } from '../src/run-folder/run-figures.ts';
import { runAgainst, total } from './run-against.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
if (process.env.CI === 'true' && !hasFfmpeg) throw new Error('ffmpeg is missing');

let folder = '';
let encoder: ChildProcess;
let server: Server;
let url = '';

/** ffmpeg's own HLS of TS segments, served as files: a playlist without a multivariant one. */
beforeAll(async () => {
  if (!hasFfmpeg) return;
  folder = mkdtempSync(join(tmpdir(), 'lab-ts-'));
  const args =
    '-hide_banner -loglevel error -re -f lavfi -i testsrc2=size=320x180:rate=25 -c:v libx264 -preset ultrafast -g 25 -t 60 ' +
    '-f hls -hls_time 1 -hls_list_size 6 -hls_flags delete_segments -hls_delete_threshold 5 list.m3u8';
  encoder = spawn('ffmpeg', args.split(' '), { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  server = createServer((request, response) => {
    const file = join(folder, (request.url ?? '/').slice(1));
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.m3u8`;
  const list = join(folder, 'list.m3u8');
  while (!existsSync(list) || (readFileSync(list, 'utf8').match(/EXTINF/g) ?? []).length < 4) await sleep(100);
}, 30_000);

afterAll(() => {
  if (!hasFfmpeg) return;
  encoder.kill('SIGKILL');
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!hasFfmpeg)('a plain folder of TS segments', () => {
  test('is watched as classic HLS; who wants parts is skipped by name; without clocks the delay is known by the edge alone', async () => {
    const timing = { executor: 'constant-vus', vus: 3, arriveOverMs: 300 } as const;
    const watches = { actor: 'hls-viewer', timing } as const;
    const result = await runAgainst(url, {
      name: 'folder',
      purpose: 'Viewers of a folder.',
      durationMs: 7000,
      viewers: 3,
      groups: {
        classic: { ...watches, options: { profile: 'hls.js', mode: 'classic', sampleEvery: 1 } },
        low: { ...watches, options: { profile: 'hls.js', mode: 'low-latency', sampleEvery: 1 } },
        flv: { actor: 'flv-viewer', timing, options: { profile: 'strict', sampleEvery: 1 } },
      },
      criteria: HLS_CRITERIA,
      guard: { loopDelayP99MsMax: 400, timerLatenessP99MsMax: 400, workerCpuPercentMax: 101 },
    });
    expect(result.run.manifest.skippedGroups).toEqual(['low', 'flv']);
    expect(total(result, 'play_starts_total')).toBe(3);
    expect(total(result, 'hls_fragments_total')).toBeGreaterThanOrEqual(12);
    expect(total(result, 'hls_request_errors_total') + total(result, 'hls_media_unreadable_total')).toBe(0);
    expect(total(result, 'hls_fragments_read_total')).toBeGreaterThanOrEqual(12);
    expect(total(result, 'hls_duration_lies_total') + total(result, 'hls_pts_breaks_total')).toBe(0);
    expect(mergedTrend(result.run, 'latency_edge_ms')?.count).toBeGreaterThan(5);
    expect(mergedTrend(result.run, 'latency_capture_ms')?.count ?? 0).toBe(0);
    const latency = result.verdict.judgements.find(({ criterion }) => criterion.id === 'hls-latency-p95');
    expect(latency?.outcome).toBe('inconclusive'); // no data is never green
  });
});
