import { describe, expect, test } from 'vitest';
import { HLS_CRITERIA, LLHLS_CRITERIA } from '../scenarios/criteria.ts';
import type { HlsViewerOptions, RunResult, Scenario } from '../src/index.ts';
import { replayViewer } from '../src/player/replay-viewer.ts';
import { mergedTrend } from '../src/run-folder/run-figures.ts';
import { type HlsMisbehaviour, type PlantedHlsServer, startPlantedHlsServer } from './planted-hls-server.ts';
import { runAgainst, total } from './run-against.ts';

type Watch = Partial<HlsViewerOptions> & { readonly durationMs: number; readonly viewers?: number };

/** Viewers who are all there within half a second; strict ones unless said otherwise. */
function hlsViewers({ durationMs, viewers = 4, ...options }: Watch): Scenario {
  const mode = options.mode ?? 'low-latency';
  return {
    name: 'hls-viewers',
    purpose: 'Viewers of one HLS stream.',
    durationMs,
    viewers,
    groups: {
      viewers: {
        actor: 'hls-viewer',
        timing: { executor: 'constant-vus', vus: viewers, arriveOverMs: 500 },
        options: { profile: 'strict', sampleEvery: 2, ...options, mode },
      },
    },
    criteria: mode === 'classic' ? HLS_CRITERIA : LLHLS_CRITERIA,
    // The machine that runs the tests is busy with other tests; the guard has a test of its own.
    guard: { loopDelayP99MsMax: 400, timerLatenessP99MsMax: 400, workerCpuPercentMax: 101 },
  };
}

type Watched = { readonly result: RunResult; readonly server: PlantedHlsServer };

async function watch(bad: HlsMisbehaviour, options: Watch): Promise<Watched> {
  const server = await startPlantedHlsServer(bad);
  try {
    return { result: await runAgainst(server.url, hlsViewers(options)), server };
  } finally {
    await server.close();
  }
}

const named = ({ run }: RunResult, name: string) => run.events.filter((event) => event.name === name);
const outcomeOf = ({ verdict }: RunResult, id: string) =>
  verdict.judgements.find(({ criterion }) => criterion.id === id)?.outcome;
const trend = ({ run }: RunResult, metric: string) => mergedTrend(run, metric);

/** Counters that stay at 0 against a server that does everything right. */
const DEFECTS = [
  'play_failures_total', 'hls_request_errors_total', 'hls_accepted_silent_total', 'hls_blocking_unmet_total', 'hls_hints_broken_total', 
  'hls_reloads_too_early_total', 'hls_list_stale_total', 'hls_fragments_missing_total', 'hls_media_unreadable_total', 'hls_sequence_gaps_total', 
  'hls_sequence_regressions_total', 'hls_sequence_renumbered_total', 'hls_pts_breaks_total', 'hls_duration_lies_total', 'hls_hold_back_breaches_total', 
]; // biome-ignore format: a table

describe.concurrent('a healthy server', () => {
  test.each([
    ['hls.js', 'classic'],
    ['hls.js', 'low-latency'],
    ['native', 'low-latency'],
  ] as const)('%s, %s: every viewer starts, nothing is held against it', async (profile, mode) => {
    const { result, server } = await watch({}, { durationMs: 9000, viewers: 6, profile, mode });
    expect(result.verdict.invalidBecause).toBeNull();
    expect(total(result, 'play_starts_total')).toBe(6);
    expect(DEFECTS.filter((metric) => total(result, metric) > 0)).toEqual([]);
    expect(total(result, 'hls_fragments_read_total')).toBeGreaterThan(10);
    const id = mode === 'classic' ? 'hls' : 'llhls';
    expect(outcomeOf(result, `${id}-start-success`)).toBe('pass');
    expect(outcomeOf(result, `${id}-startup-p95`)).toBe('pass');
    expect(outcomeOf(result, `${id}-latency-p95`)).toBe('pass');
    // Lists and media each on one kept connection, told apart by address and by session; the run's own look needs two more.
    expect(server.viewers.forwarded.size).toBe(6);
    expect(server.viewers.sessions.size).toBe(6);
    expect(server.connections()).toBeLessThanOrEqual(6 * 2 + 2);
  });

  test('each tier of delay is measured, and none is mixed with another', async () => {
    const { result } = await watch({ captureDelayMs: 1500 }, { durationMs: 7000, profile: 'hls.js' });
    const median = (metric: string): number => trend(result, metric)?.percentileMs(50) ?? Number.NaN;
    expect(median('latency_capture_ms') - median('latency_pdt_ms')).toBeGreaterThan(1350);
    expect(median('latency_capture_ms') - median('latency_pdt_ms')).toBeLessThan(1650);
    expect(median('latency_pdt_ms')).toBeGreaterThan(500);
    expect(median('latency_edge_ms')).toBeLessThan(median('latency_pdt_ms'));
    expect(trend(result, 'latency_ingest_ms')?.count ?? 0).toBe(0);
  });

  test('the stages of a startup add up to it', async () => {
    const { result } = await watch({}, { durationMs: 4000, viewers: 1, mode: 'classic', profile: 'hls.js' });
    const sumMs = (trend(result, 'startup_stage_ms')?.meanMs ?? 0) * (trend(result, 'startup_stage_ms')?.count ?? 0);
    expect(trend(result, 'startup_stage_ms')?.count).toBe(6);
    expect(trend(result, 'hls_first_segment_ms')?.count).toBe(1);
    expect(trend(result, 'hls_first_segment_ms')?.maxMs).toBeLessThan(trend(result, 'startup_ms')?.maxMs ?? 0);
    expect(Math.abs(sumMs - (trend(result, 'startup_ms')?.meanMs ?? 0))).toBeLessThan(1);
  });

  test('waiting answers stand apart: what comes at once is fast', async () => {
    const { result } = await watch({}, { durationMs: 6000, profile: 'native' });
    expect(trend(result, 'hls_wait_ttlb_ms')?.percentileMs(50)).toBeGreaterThan(80);
    expect(trend(result, 'hls_ttlb_ms')?.percentileMs(50)).toBeLessThan(80);
  });
});

// At once: each has its own server and its own run. The plain ones stand in `planted-defects`.
describe.concurrent('planted defects, looked at more closely', () => {
  test('numbers that are repeated', async () => {
    const { result } = await watch({ renumber: { atMs: 3000, by: -1 } }, { durationMs: 7000, mode: 'classic' });
    const told = total(result, 'hls_sequence_renumbered_total') + total(result, 'hls_sequence_regressions_total');
    expect(told).toBeGreaterThanOrEqual(4);
  });

  test('numbers that start again from the beginning, and the viewers go on', async () => {
    const bad = { renumber: { atMs: 3000, by: -900 } };
    const { result } = await watch(bad, { durationMs: 9000, mode: 'classic', profile: 'hls.js' });
    expect(named(result, 'hls_sequence_regression').length).toBeGreaterThanOrEqual(4);
    expect(outcomeOf(result, 'hls-regressions')).toBe('fail');
    expect(named(result, 'hls_sequence_gap').filter(({ detail }) => detail.cause === 'regression')).toHaveLength(4);
  });

  test('blocking reloads that are answered without what was asked for', async () => {
    const { result } = await watch({ staleList: { atMs: 2000, forMs: 3000 } }, { durationMs: 6000 });
    expect(total(result, 'hls_blocking_unmet_total')).toBeGreaterThanOrEqual(4);
    expect(total(result, 'hls_reloads_total')).toBeLessThan(4 * 60); // and nobody storms the server for it
  });

  test('durations that lie', async () => {
    const { result } = await watch({ realLength: 0.8 }, { durationMs: 6000, mode: 'classic', sampleEvery: 1 });
    expect(named(result, 'hls_duration_lie').length).toBeGreaterThanOrEqual(4);
    expect(named(result, 'hls_duration_lie')[0]?.detail).toMatchObject({ listed_ms: 1000, real_ms: 800 });
    expect(total(result, 'hls_pts_breaks_total')).toBe(0);
  });

  test.each(['list', 'media'] as const)('%s requests that are accepted and never answered', async (kind) => {
    const bad = { silent: { kind, atMs: 2000 } };
    const { result } = await watch(bad, { durationMs: 7000, mode: 'classic', viewers: 2 });
    expect(named(result, 'hls_accepted_but_silent')).toHaveLength(2);
    expect(total(result, 'hls_accepted_silent_total')).toBe(2);
    expect(result.verdict.outcome).not.toBe('passed');
  });

  test('timestamps that jump without a discontinuity', async () => {
    const bad = { timestampJump: { atMs: 2500, byMs: 700 } };
    const { result } = await watch(bad, { durationMs: 6000, sampleEvery: 1 });
    expect(named(result, 'hls_pts_break')).toHaveLength(4);
    expect(named(result, 'hls_pts_break')[0]?.detail).toMatchObject({ by_ms: 700 });
  });

  test('pages of text instead of media', async () => {
    const { result } = await watch({ isText: true }, { durationMs: 4000, viewers: 2 });
    expect(named(result, 'hls_media_unreadable').length).toBeGreaterThanOrEqual(2);
  });

  test('a hold-back that is too small', async () => {
    const { result } = await watch({ partHoldBackS: 0.5 }, { durationMs: 2500, viewers: 2 });
    expect(named(result, 'hls_hold_back_low').map(({ detail }) => detail.level)).toEqual(['should', 'should']);
  });

  test('a silence of four seconds: each viewer stalls for what its buffer does not cover, and the recording tells the same', async () => {
    const bad = { stall: { atMs: 3000, forMs: 4000 } };
    const { result } = await watch(bad, { durationMs: 10_000, recordEvery: 1 });
    const stalls = named(result, 'stall').filter(({ detail }) => Number(detail.duration_ms) > 1000);
    expect(stalls).toHaveLength(4);
    for (const { detail } of stalls) {
      // A segment at most is buffered, more after each stall before it; a part may be on its way.
      expect(Number(detail.duration_ms)).toBeGreaterThan(2500);
      expect(Number(detail.duration_ms)).toBeLessThan(4400);
    }
    expect(trend(result, 'hls_blocking_overrun_ms')?.maxMs).toBeGreaterThan(3500);
    expect(outcomeOf(result, 'llhls-rebuffer-ratio')).toBe('fail');
    const sessions = replayViewer(result.run.events.map((event) => JSON.stringify(event)));
    const replayed = sessions.flatMap(({ vu, stalls: found }) =>
      found.map(({ durationMs }) => `${vu} ${Math.round(durationMs)}`),
    );
    expect(replayed.toSorted()).toEqual(
      named(result, 'stall')
        .map(({ vu, detail }) => `${vu} ${detail.duration_ms}`)
        .toSorted(),
    );
  });
});
