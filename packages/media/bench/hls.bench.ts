/**
 * HLS and LL-HLS delivery of one server process: how late parts are, how long a release of blocked lists takes, and segments
 * beside nginx with sendfile in the same run. One stream at 2.65 Mbit/s, everything over loopback, the server alone on one core.
 * `node packages/media/bench/hls.bench.ts --help`
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { benchClip, putOnAir } from './bench-clip.ts';
import { type Bar, type Column, lineOf, report } from './bench-report.ts';
import { type BenchServer, SERVERS, startNginx } from './bench-servers.ts';
import { type Cost, compileLoadClient, type LoadClient, runLoad, whyTainted } from './load-client.ts';
import { moveToLoadCore, whyNot } from './machine.ts';

/** What the load client prints; see hls-load.c. */
type LoadResult = Readonly<{
  count: number;
  failed: number;
  closed: number;
  errors: number;
  answersPerSecond: number;
  mbps: number;
  listP50Ms: number;
  listP99Ms: number;
  allAnsweredP50Ms: number;
  allAnsweredMaxMs: number;
  releases: number;
  partP50Ms: number;
  partP99Ms: number;
  clientCpu: number;
  seconds: number;
}>;

type Row = LoadResult & Cost & Readonly<{ name: string; server: 'showfloor' | 'nginx' }>;

const SEGMENT_CONNECTIONS = 100;
const CASES = ['500 viewers', '2000 blocked', '10000 blocked', 'segments'] as const;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '10' },
    warmup: { type: 'string', default: '4' },
    clip: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `Usage: npm run bench -- hls [options]

  --only TEXT     measure only the cases whose name contains TEXT; several with commas
  --seconds 10    measured window of each case
  --warmup 4      seconds between the last join and the window
  --clip FILE     FLV to publish; default: the demo clip, or one made by ffmpeg
  --out FILE      write all figures: Markdown when FILE ends in .md, else JSON

Cases: ${CASES.join(' · ')}

A part or a list is late by the time since the first of all viewers had it or was told of it; parts are asked for by their hint. Exit code 1 when a bar is missed, 3 instead when
the load core or other programs were too busy to judge. Needs Linux, taskset, gcc and two cores; nginx for the segments.`;

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'hls-bench-'));
  const client = compileLoadClient('hls-load', folder);
  const reason = whyNot() ?? (client === null ? 'this benchmark needs gcc for its load client' : null);
  if (reason !== null || client === null) {
    process.stderr.write(`${reason}\n`);
    rmSync(folder, { recursive: true, force: true });
    return 2;
  }
  moveToLoadCore();
  const rows: Row[] = [];
  try {
    const clip = benchClip(folder, values.clip);
    const wanted = values.only.split(',');
    for (const name of CASES.filter((one) => wanted.some((text) => one.includes(text)))) {
      for (const row of name === 'segments' ? await segments(client, clip) : [await waiting(name, client, clip)]) {
        rows.push(row);
        process.stdout.write(`${lineOf(COLUMNS, row)}\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const tainted = rows.flatMap((row) => {
    // Segments: the load core is as busy with both servers, and the ratio stands; other programs slow the one they run beside.
    const why = whyTainted(row.name === 'segments' ? { ...row, loadCoreBusy: Math.min(row.loadCoreBusy, 0.9) } : row);
    return why === null ? [] : [`${row.name}: may be the machine's (${why})`];
  });
  const outcome = {
    title: 'HLS and LL-HLS',
    command: 'npm run bench -- hls',
    rows,
    columns: COLUMNS,
    notes: [],
    bars: bars(rows),
    tainted,
  };
  return report(outcome, values.out);
}

/** Viewers of a low-latency list: `viewers` fetch every part, `blocked` wait for lists in rounds, all for the same part. */
async function waiting(name: string, client: LoadClient, clip: string): Promise<Row> {
  const [count = '0', mode = ''] = name.split(' ');
  const server = await SERVERS.showfloor();
  const onAir = await putOnAir(server.rtmpUrl, clip);
  try {
    await untilListed(server);
    const args = [mode, server.httpPort, LIST, count, 1_000, values.warmup, values.seconds];
    return { ...(await runLoad<LoadResult>(client, args, server.pid)), name, server: 'showfloor' };
  } finally {
    await onAir.stop();
    await server.stop();
  }
}

const LIST = '/live/bench/index.m3u8';

/** Resolves with the list once it holds a few segments. */
async function untilListed(server: BenchServer): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${server.httpPort}${LIST}`).catch(() => null);
    const text = answer?.ok === true ? await answer.text() : '';
    if ((text.match(/#EXTINF/g) ?? []).length >= 4) return text;
    await sleep(100);
  }
  throw new Error('the stream has no HLS list');
}

/** The newest segment of a stream that stands still, from our memory and as a file in tmpfs from nginx. */
async function segments(client: LoadClient, clip: string): Promise<Row[]> {
  const server = await SERVERS.showfloor();
  const onAir = await putOnAir(server.rtmpUrl, clip);
  const shelf = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hls-bench-'));
  try {
    await untilListed(server);
    await onAir.stop(); // in grace the list stands still: what is asked for stays
    await sleep(500);
    const listed = (await untilListed(server))
      .split('\n')
      .filter((line) => line.endsWith('.m4s') && !line.startsWith('#'));
    const name = listed.at(-2); // the last one was cut short
    const path = `/live/bench/${name}`;
    const body = await (await fetch(`http://127.0.0.1:${server.httpPort}${path}`)).arrayBuffer();
    writeFileSync(join(shelf, 'segment.m4s'), Buffer.from(body));
    const load = (port: number, target: string, pid: number): Promise<LoadResult & Cost> =>
      runLoad<LoadResult>(client, ['get', port, target, SEGMENT_CONNECTIONS, 1_000, 1, values.seconds], pid);
    const ours: Row = { ...(await load(server.httpPort, path, server.pid)), name: 'segments', server: 'showfloor' };
    await server.stop();
    if (spawnSync('nginx', ['-v']).status !== 0) {
      process.stderr.write('nginx is not installed: no peer for segments\n');
      return [ours];
    }
    const nginx = await startNginx(shelf);
    const theirs = await load(nginx.port, '/segment.m4s', nginx.pid);
    await nginx.stop();
    return [ours, { ...theirs, name: 'segments', server: 'nginx' }];
  } finally {
    await onAir.stop();
    await server.stop();
    rmSync(shelf, { recursive: true, force: true });
  }
}

const percent = (share: number): string => (share * 100).toFixed(1);
/** −1: the client had nothing to measure. */
const ms = (value: number): string => (value < 0 ? '–' : value.toFixed(1));

const COLUMNS: readonly Column<Row>[] = [
  ['case', (row) => row.name],
  ['server', (row) => row.server],
  ['CPU %', (row) => percent(row.serverCpu)],
  ['answers/s', (row) => row.answersPerSecond.toFixed(0)],
  ['list late p50/p99 ms', (row) => `${ms(row.listP50Ms)}/${ms(row.listP99Ms)}`],
  ['all answered p50/max ms', (row) => `${ms(row.allAnsweredP50Ms)}/${ms(row.allAnsweredMaxMs)}`],
  ['part late p50/p99 ms', (row) => `${ms(row.partP50Ms)}/${ms(row.partP99Ms)}`],
  ['errors', (row) => String(row.errors + row.failed + row.closed)],
  ['Mbit/s', (row) => row.mbps.toFixed(0)],
  ['RSS MB', (row) => row.rssMb.toFixed(0)],
  ['KB/connection', (row) => (((row.rssMb - row.rssBeforeMb) * 1024) / row.count).toFixed(1)],
  ['others %', (row) => percent(row.foreign)],
  ['load core %', (row) => percent(row.loadCoreBusy)],
];

function bars(rows: readonly Row[]): Bar[] {
  const found: Bar[] = [];
  const hold = (text: string, isHeld: boolean): void => {
    found.push({ text, isHeld });
  };
  for (const row of rows) {
    const failures = row.errors + row.failed + row.closed;
    hold(`${row.name}, ${row.server}: ${failures} errors`, failures === 0);
    if (row.name === '500 viewers') {
      hold(
        `500 LL-HLS viewers: part late ${ms(row.partP99Ms)} ms p99, at most 20`,
        row.partP99Ms >= 0 && row.partP99Ms <= 20,
      );
      hold(`500 LL-HLS viewers: CPU ${percent(row.serverCpu)} %, at most 30`, row.serverCpu <= 0.3);
    }
    const limitMs = row.name === '2000 blocked' ? 40 : row.name === '10000 blocked' ? 220 : null;
    if (limitMs !== null) {
      const text = `${row.name} lists: all answered within ${ms(row.allAnsweredMaxMs)} ms of the first in ${row.releases} releases, at most ${limitMs}`;
      hold(text, row.releases > 0 && row.allAnsweredMaxMs <= limitMs);
    }
  }
  const [ours, nginx] = (['showfloor', 'nginx'] as const).map((server) =>
    rows.find((row) => row.name === 'segments' && row.server === server),
  );
  if (ours !== undefined && nginx !== undefined) {
    const ratio = ours.answersPerSecond / nginx.answersPerSecond;
    const text = `segments: ${ours.answersPerSecond.toFixed(0)} a second, ${ratio.toFixed(2)} x nginx with sendfile, at least 0.9`;
    hold(text, ratio >= 0.9);
  }
  return found;
}

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
