/**
 * Many shows at once on one server process: 50 publishers with 20 viewers each and 200 with 2, every stream at 2.65 Mbit/s.
 * Prints how many such streams a core carries. `node packages/media/bench/many-streams.bench.ts --help`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { publishFlvLoop } from '@showfloor/rtmp-client';
import { benchClip } from './bench-clip.ts';
import { type Column, lineOf, report } from './bench-report.ts';
import { type BenchServer, SERVERS } from './bench-servers.ts';
import { type Cost, compileLoadClient, type LoadClient, runLoad, whyTainted } from './load-client.ts';
import { moveToLoadCore, whyNot } from './machine.ts';

type LoadResult = Readonly<{
  refused: number;
  closed: number;
  withoutData: number;
  stalls: number;
  mbps: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  clientCpu: number;
  seconds: number;
}>;
type Row = LoadResult & Cost & Readonly<{ streams: number; viewersEach: number }>;

/** Shows of strangers do not have their keyframes at the same instant: publishers begin evenly over this, the clip's GOP. */
const GOP_MS = 1_000;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '50x20,200x2' },
    seconds: { type: 'string', default: '12' },
    warmup: { type: 'string', default: '4' },
    clip: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `Usage: npm run bench -- many-streams [options]

  --sizes 50x20,200x2   publishers x viewers of each
  --seconds 12          measured window of each size
  --warmup 4            seconds between the last join and the window
  --clip FILE           FLV to publish; default: the demo clip, or one made by ffmpeg
  --out FILE            write all figures: Markdown when FILE ends in .md, else JSON

HLS is packaged for every stream, as in production. Publishers begin evenly over one GOP. Needs Linux, taskset, gcc and two cores.`;

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'many-streams-'));
  const client = compileLoadClient('flv-load', folder);
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
    for (const size of values.sizes.split(',')) {
      const [streams = 1, viewersEach = 1] = size.split('x').map(Number);
      const row = await measure(streams, viewersEach, client, clip);
      rows.push(row);
      process.stdout.write(`${lineOf(COLUMNS, row)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const outcome = {
    title: 'Many streams',
    command: 'npm run bench -- many-streams',
    rows,
    columns: COLUMNS,
    notes: rows.map(perCore),
    bars: rows.map((row) => {
      const failures = row.stalls + row.withoutData + row.closed + row.refused;
      const text = `${row.streams} x ${row.viewersEach}: ${failures} viewers stalled, cut, refused or without data`;
      return { text, isHeld: failures === 0 };
    }),
    tainted: rows.flatMap((row) => {
      const why = whyTainted(row);
      return why === null ? [] : [`${row.streams} x ${row.viewersEach}: may be the machine's (${why})`];
    }),
  };
  return report(outcome, values.out);
}

async function measure(streams: number, viewersEach: number, client: LoadClient, clip: string): Promise<Row> {
  const server = await SERVERS.showfloor({ MEDIA_STREAMS_MAX: streams });
  const stop = new AbortController();
  const publishing: ReturnType<typeof publish>[] = [];
  try {
    for (let index = 0; index < streams; index += 1) {
      publishing.push(publish(server, index, clip, stop.signal));
      await sleep(GOP_MS / streams);
    }
    await Promise.all(publishing.map(({ onAir }) => onAir));
    await sleep(1_500); // a whole GOP of each
    const args = [
      server.httpPort,
      '/live/bench-%d.flv',
      streams * viewersEach,
      400,
      values.warmup,
      values.seconds,
      0,
      streams,
    ];
    return { ...(await runLoad<LoadResult>(client, args, server.pid)), streams, viewersEach };
  } finally {
    stop.abort();
    await Promise.all(publishing.map(({ ended }) => ended));
    await server.stop();
  }
}

function publish(
  server: BenchServer,
  index: number,
  filePath: string,
  signal: AbortSignal,
): { onAir: Promise<void>; ended: Promise<unknown> } {
  const onAir = Promise.withResolvers<void>();
  const ended = publishFlvLoop({
    url: server.rtmpUrl.replace('/bench?', `/bench-${index}?`),
    filePath,
    signal,
    onState: (state) => {
      if (state.kind === 'publishing') onAir.resolve();
    },
  });
  return { onAir: onAir.promise, ended };
}

const COLUMNS: readonly Column<Row>[] = [
  ['streams', (row) => String(row.streams)],
  ['viewers each', (row) => String(row.viewersEach)],
  ['CPU %', (row) => (row.serverCpu * 100).toFixed(1)],
  ['CPU/stream %', (row) => ((row.serverCpu * 100) / row.streams).toFixed(3)],
  ['p50/p95/p99 ms', (row) => `${row.p50Ms}/${row.p95Ms}/${row.p99Ms}`],
  ['stalls', (row) => String(row.stalls)],
  ['no data', (row) => String(row.withoutData)],
  ['Mbit/s out', (row) => row.mbps.toFixed(0)],
  ['RSS MB', (row) => row.rssMb.toFixed(0)],
  ['others %', (row) => (row.foreign * 100).toFixed(0)],
  ['load core %', (row) => (row.loadCoreBusy * 100).toFixed(0)],
];

function perCore({ streams, viewersEach, serverCpu }: Row): string {
  return `${viewersEach} viewers each: ${Math.floor(streams / serverCpu)} streams per core if it grows as it stands`;
}

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
