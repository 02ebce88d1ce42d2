import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HLS_CRITERIA, VIDEO_CRITERIA } from '../scenarios/criteria.ts';
import { checkHls, type Group, openHttp1Origin, type RunResult, type Scenario } from '../src/index.ts';
import { mergedTrend } from '../src/run-folder/run-figures.ts';
import { hasNginxRtmp, type PeerServer, startNginxRtmp, startNodeMediaServer } from './peer-servers.ts';
import { runAgainst, total } from './run-against.ts';

if (process.env.CI === 'true' && !hasNginxRtmp) throw new Error('libnginx-mod-rtmp is missing');

const VIEWERS = 6;
const timing = { executor: 'constant-vus', vus: VIEWERS, arriveOverMs: 300 } as const;

/** The same viewers for every server: whoever cannot watch there is skipped. */
const GROUPS: Readonly<Record<string, Group>> = {
  flv: { actor: 'flv-viewer', timing, options: { profile: 'mpegts.js', sampleEvery: 1 } },
  hls: { actor: 'hls-viewer', timing, options: { profile: 'hls.js', mode: 'classic', sampleEvery: 1 } },
  llhls: { actor: 'hls-viewer', timing, options: { profile: 'hls.js', mode: 'low-latency', sampleEvery: 1 } },
  room: { actor: 'room-member', timing, options: { chatEveryMs: null } },
};
const SCENARIO: Scenario = {
  name: 'other-servers',
  purpose: 'The same viewers of any server.',
  durationMs: 7000,
  viewers: VIEWERS,
  groups: GROUPS,
  criteria: [...VIDEO_CRITERIA, ...HLS_CRITERIA],
  // The machine that runs the tests is busy with other tests; the guard has a test of its own.
  guard: { loopDelayP99MsMax: 400, timerLatenessP99MsMax: 400, workerCpuPercentMax: 101 },
};

const outcomeOf = ({ verdict }: RunResult, id: string) =>
  verdict.judgements.find(({ criterion }) => criterion.id === id)?.outcome;

let server: PeerServer;

describe.skipIf(!hasNginxRtmp)('nginx-rtmp', () => {
  beforeAll(async () => {
    server = await startNginxRtmp();
  }, 60_000);
  afterAll(() => server.stop());

  test('is found by its page of statistics and watched by HLS; FLV, LL-HLS and the room are skipped by name', async () => {
    const result = await runAgainst(server.url, SCENARIO);
    expect(result.run.manifest.target).toMatchObject({ kind: 'nginx-rtmp', subject: 'live/test', flvUrl: null });
    expect(result.run.manifest.skippedGroups).toEqual(['flv', 'llhls', 'room']);
    expect(total(result, 'play_starts_total')).toBe(VIEWERS);
    expect(total(result, 'play_failures_total')).toBe(0);
    expect(total(result, 'hls_request_errors_total') + total(result, 'hls_media_unreadable_total')).toBe(0);
    expect(mergedTrend(result.run, 'startup_ms')?.count).toBe(VIEWERS);
    expect(mergedTrend(result.run, 'startup_ms')?.maxMs).toBeLessThan(5000);
    expect(total(result, 'hls_fragments_read_total')).toBeGreaterThanOrEqual(4 * VIEWERS);
    expect(total(result, 'hls_duration_lies_total')).toBe(0);
    // The publisher's clock is in each picture: it survives the way into TS. Three segments behind, and a second under way.
    const delay = mergedTrend(result.run, 'latency_capture_ms');
    expect(delay?.count).toBeGreaterThan(50);
    expect(delay?.percentileMs(50)).toBeGreaterThan(1500);
    expect(delay?.percentileMs(50)).toBeLessThan(8000);
    expect(outcomeOf(result, 'hls-start-success')).toBe('pass');
    expect([0, 1, 4]).toContain(result.verdict.exitCode); // nginx makes no promise that these criteria ask for
  });

  test('conformance reads its TS segments: time goes on, durations are as said; what breaks is nginx’s own', async () => {
    const url = new URL('hls/test.m3u8', server.url);
    const origin = openHttp1Origin();
    try {
      const { book, segments } = await checkHls({ url: url.href, origin, seconds: 4 });
      expect(segments).toBeGreaterThanOrEqual(2);
      const broken = new Set(book.findings.map(({ rule }) => rule));
      for (const rule of ['media.timeline', 'media.segment-duration', 'object.available'] as const) {
        expect([...broken]).not.toContain(rule);
      }
    } finally {
      origin.close();
    }
  });
});

describe('node-media-server', () => {
  beforeAll(async () => {
    server = await startNodeMediaServer();
  }, 60_000);
  afterAll(() => server.stop());

  test('is found by its health page and watched by FLV; HLS, LL-HLS and the room are skipped by name', async () => {
    const result = await runAgainst(server.url, SCENARIO);
    expect(result.run.manifest.target).toMatchObject({ kind: 'node-media-server', subject: 'live/test', hls: null });
    expect(result.run.manifest.skippedGroups).toEqual(['hls', 'llhls', 'room']);
    expect(total(result, 'play_starts_total')).toBe(VIEWERS);
    expect(total(result, 'play_failures_total') + total(result, 'flv_reconnects_total')).toBe(0);
    expect(mergedTrend(result.run, 'startup_ms')?.maxMs).toBeLessThan(5000);
    const delay = mergedTrend(result.run, 'latency_capture_ms');
    expect(delay?.count).toBeGreaterThan(50);
    expect(delay?.percentileMs(50)).toBeLessThan(3000);
    expect(outcomeOf(result, 'start-success')).toBe('pass');
    expect([0, 1, 4]).toContain(result.verdict.exitCode);
  });
});
