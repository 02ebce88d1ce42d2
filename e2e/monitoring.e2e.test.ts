/** What watches Showfloor, at a Showfloor that runs: collectors of the lab, alert rules and dashboards of deploy/monitoring. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { metricNamesIn, parseExposition, SAMPLE_METRICS, type SampleLine } from '@showfloor/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Floor, startFloor } from './floor.ts';
import { FlvViewer } from './viewer.ts';
import { waitFor } from './wait-for.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MONITORING = join(ROOT, 'deploy/monitoring');
/** Sources that cannot be guessed on free ports; Redis is not there on purpose, its password is a secret. */
const SECRET = 'a-secret-nobody-may-keep';
/** The run is 14 s long; on a busy machine its start and its report take longer than it. */
const LAB_MS_MAX = 100_000;
let floor: Floor;

beforeAll(async () => {
  floor = await startFloor();
  await waitFor(
    'the demo show to be on air',
    () => FlvViewer.open(floor.videoUrl).then((viewer) => viewer.close() ?? true),
    20_000,
  );
});
afterAll(() => floor?.stop());

test('every metric in our alert rules and our dashboard is exported by a process that runs', async () => {
  const pages = await Promise.all(
    Object.values(floor.admin).map(async (url) => (await fetch(`${url}/metrics`)).text()),
  );
  const exported = new Set(pages.flatMap(namesOf));
  exported.add('up'); // Prometheus's own
  const rules = readFileSync(join(MONITORING, 'rules/showfloor.yml'), 'utf8');
  const expressions = [...rules.matchAll(/^ +expr: (?:>-\n((?: {10}.*\n)+)|(.*)$)/gm)].map(
    ([, folded, plain]) => folded ?? plain,
  );
  const { panels } = JSON.parse(readFileSync(join(MONITORING, 'grafana/dashboards/showfloor.json'), 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect([expressions.length > 25, shown.length > 40]).toEqual([true, true]);
  const named = [...new Set([...expressions, ...shown].flatMap((expression) => metricNamesIn(expression ?? '')))];
  expect(named.filter((name) => !exported.has(name))).toEqual([]);
});

describe('a run of the lab', () => {
  let lines: (SampleLine & { timestamp: string })[];
  let folder: string;
  let exposition = '';

  beforeAll(async () => {
    folder = join(floor.dataDir, 'collected');
    const collect = [
      `prometheus:media-server=${floor.admin.media}`,
      `prometheus:realtime-server=${floor.admin.realtime}`,
      `prometheus:commerce-server=${floor.admin.commerce}`,
      `srs:media-server=${floor.admin.media}`,
      `postgres:shop=${floor.databaseUrl()}`,
      `redis:cache=redis://:${SECRET}@127.0.0.1:1`,
      `health:nowhere=${floor.webUrl}/api/nowhere`,
    ].flatMap((source) => ['--collect', source]);
    const flags = [
      '--duration',
      '14s',
      '--viewers',
      '10',
      '--collect-every',
      '1s',
      '--prometheus-port',
      '0',
      ...collect,
    ];
    await lab(['run', 'smoke', '--target', floor.webUrl, '--out', folder, ...flags], async (url) => {
      const text = await (await fetch(url)).text();
      if (text.includes('lab_srs_clients') && text.includes('lab_run_')) exposition = text;
    });
    lines = readFileSync(join(folder, 'samples.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SampleLine & { timestamp: string });
  });

  const metricsOf = (collector: string, source: string): Readonly<Record<string, number>>[] =>
    lines.flatMap((line) =>
      line.collector === collector && line.source === source && 'metrics' in line ? [line.metrics] : [],
    );
  const most = (collector: string, source: string, metric: string): number =>
    Math.max(...metricsOf(collector, source).flatMap((metrics) => metrics[metric] ?? []));

  test('has samples of every process of the floor, without being told their pids', () => {
    for (const name of ['media-server', 'realtime-server', 'commerce-server', 'worker', 'postgres']) {
      expect([name, metricsOf('process', name).length > 5]).toEqual([name, true]);
      expect([name, most('process', name, 'mem_mb') > 10]).toEqual([name, true]);
    }
    expect(most('process', 'media-server', 'cpu_pct')).toBeGreaterThan(0);
    expect(most('process', 'postgres', 'processes')).toBeGreaterThan(3);
  });

  test('has the figures of the planes: viewers, sockets, chat, requests, sessions', () => {
    expect(most('srs', 'media-server', 'viewers')).toBeGreaterThan(0);
    expect(most('srs', 'media-server', 'recv_kbps')).toBeGreaterThan(100);
    expect(most('media', 'media-server', 'viewers')).toBeGreaterThan(0);
    expect(most('media', 'media-server', 'send_kbps')).toBeGreaterThan(100);
    expect(most('media', 'media-server', 'gop_cache_frames')).toBeGreaterThan(0);
    expect(most('websocket', 'realtime-server', 'chat_connections')).toBeGreaterThan(0);
    expect(most('websocket', 'realtime-server', 'chat_msg_per_sec')).toBeGreaterThan(0);
    expect(most('api', 'commerce-server', 'req_per_sec')).toBeGreaterThan(0);
    expect(most('node', 'commerce-server', 'heap_used_mb')).toBeGreaterThan(5);
    expect(most('postgres', 'shop', 'connections')).toBeGreaterThan(0);
    expect(most('postgres', 'shop', 'xact_per_sec')).toBeGreaterThan(0);
    expect(most('health', 'showfloor', 'status')).toBe(200);
  });

  test('compares three counts of the audience, which agree once everybody is there', () => {
    const counts = metricsOf('viewer-count', 'lab');
    expect(counts.length).toBeGreaterThan(5);
    const agree = counts.filter(
      ({ viewers_lab, viewers_delta_pct, room_delta_pct }) =>
        Number(viewers_lab) > 0 && viewers_delta_pct === 0 && room_delta_pct === 0,
    );
    expect(agree.length, JSON.stringify(counts)).toBeGreaterThan(0);
  });

  test('calls every figure by its name, a source that is not there a gap, a threshold that is passed an alert', () => {
    const known: Readonly<Record<string, { metrics: object }>> = SAMPLE_METRICS;
    const unknown = lines.flatMap((line) =>
      'metrics' in line
        ? Object.keys(line.metrics).filter((name) => !(name in (known[line.collector]?.metrics ?? {})))
        : [],
    );
    expect(unknown).toEqual([]);
    expect(lines.every(({ timestamp, atWallMs }) => Date.parse(timestamp) === atWallMs)).toBe(true);
    expect(metricsOf('redis', 'cache')).toEqual([]);
    expect(lines.filter(({ collector }) => collector === 'redis').length).toBeGreaterThan(5);
    const events = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n').filter(Boolean);
    const fired = events.map((line) => JSON.parse(line)).filter(({ name }) => name === 'alert_fired');
    expect(fired).toContainEqual(
      expect.objectContaining({
        vu: -1,
        detail: expect.objectContaining({ rule: 'not-ready', section: '3.5', source: 'health nowhere', value: 404 }),
      }),
    );
  });

  test('costs little, and says how much', () => {
    expect(most('collectors', 'lab', 'scrapes')).toBeGreaterThan(10);
    expect(metricsOf('collectors', 'lab').every(({ took_ms_max = -1 }) => took_ms_max >= 0)).toBe(true);
  });

  test('would fit into 500 MB after six hours at full pace', () => {
    const bytesOf = (name: string): number => statSync(join(folder, name)).size;
    const rounds = metricsOf('collectors', 'lab').length; // one per second here, one per five seconds by default
    const samplesBytes = (bytesOf('samples.jsonl') / rounds) * ((6 * 3600) / 5);
    const seriesBytes = ((bytesOf('series.jsonl') + bytesOf('histograms.jsonl')) / 14) * (6 * 3600);
    expect((samplesBytes + seriesBytes) / 1e6).toBeLessThan(500);
  });

  test('can be scraped while it goes on', () => {
    const { samples } = parseExposition(exposition);
    const value = (name: string): number => samples.find((sample) => sample.name === name)?.value ?? Number.NaN;
    expect(value('lab_srs_clients')).toBeGreaterThan(0);
    expect(value('lab_run_startup_ms')).toBeGreaterThan(0);
    const quantiles = samples.filter(({ name }) => name === 'lab_run_hls_ttfb_ms').map(({ labels }) => labels.quantile);
    expect(new Set(quantiles)).toEqual(new Set(['0.5', '0.95', '0.99']));
    expect(samples.some(({ name, value: up }) => name === 'lab_collector_up' && up === 0)).toBe(true); // Redis
  });

  test('keeps no secret in its folder', () => {
    for (const name of readdirSync(folder)) {
      expect([name, readFileSync(join(folder, name), 'utf8').includes(SECRET)]).toEqual([name, false]);
    }
  });
});

/** Samples, and families that have none yet: a counter with labels begins to exist when it counts. */
function namesOf(page: string): string[] {
  const { types, samples } = parseExposition(page);
  const families = [...types].flatMap(([name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return [...families, ...samples.map(({ name }) => name)];
}

async function lab(args: string[], onMetrics: (url: string) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, 'lab/src/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const timer = setInterval(() => {
    const url = /metrics: (\S+)/.exec(output)?.[1];
    if (url !== undefined) onMetrics(url).catch(() => undefined); // it ends with the run
  }, 1000);
  const deadline = setTimeout(() => child.kill('SIGKILL'), LAB_MS_MAX);
  await ended;
  clearInterval(timer);
  clearTimeout(deadline);
  expect(readdirSync(join(args[args.indexOf('--out') + 1] ?? '')), output).toContain('verdict.json');
}
