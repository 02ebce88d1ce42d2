/**
 * HTTP-FLV fan-out, ours beside node-media-server in the same run. Isolates the delivery path of one server process: one publisher
 * at 2.65 Mbit/s, N viewers that read as fast as they can, everything over loopback, the server alone on one core.
 * `node packages/media/bench/fan-out.bench.ts --help`
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { publishFlvLoop } from '@showfloor/rtmp-client';
import { type BenchServer, LOAD_CORE, SERVER_CORE, SERVERS, type ServerName } from './bench-servers.ts';

const CPU_RATIO_MAX = 0.6;
const CPU_RATIO_AT_VIEWERS = 500;
const NO_STALL_AT_VIEWERS = 2_000;
const LOAD_CORE_BUSY_MAX = 0.9;
const FOREIGN_MAX = 0.15;
const RAMP_PER_SECOND = 400;
const TICKS_PER_SECOND = 100; // CLK_TCK of every Linux that Node runs on
const DEMO_CLIP = fileURLToPath(new URL('../../../apps/showfloor/assets/demo-clip.flv', import.meta.url));

const HELP = `Usage: npm run bench -- fan-out [options]

  --viewers 500,2000   sizes to measure
  --seconds 15         measured window of each size
  --warmup 4           seconds between the last join and the window
  --servers showfloor,node-media-server
  --clip FILE          FLV to publish; default: the demo clip, or one made by ffmpeg
  --out FILE           write all figures: Markdown when FILE ends in .md, else JSON

Exit code 1 when a bar fails: our CPU per viewer at ${CPU_RATIO_AT_VIEWERS} over ${CPU_RATIO_MAX} x node-media-server's, or a stall
of ours at ${NO_STALL_AT_VIEWERS}. Exit code 3 instead when the load core or other programs were too busy to judge. Needs Linux, taskset and two cores.`;

/** What the load client prints; see flv-load.c. */
type LoadResult = {
  viewers: number;
  refused: number;
  closed: number;
  withoutData: number;
  stalls: number;
  stalledViewers: number;
  mbpsMedian: number;
  mbpsMin: number;
  samples: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
  clientCpu: number;
  seconds: number;
};

type Row = LoadResult & {
  server: ServerName;
  serverCpu: number;
  cpuPerViewer: number;
  rssMb: number;
  loadCoreBusy: number;
  /** Share of either core that programs outside the benchmark took. */
  foreign: number;
};

const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '500,2000' },
    seconds: { type: 'string', default: '15' },
    warmup: { type: 'string', default: '4' },
    servers: { type: 'string', default: Object.keys(SERVERS).join(',') },
    clip: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (availableParallelism() < 2 || spawnSync('taskset', ['-V']).status !== 0) {
    process.stderr.write('fan-out needs Linux with taskset and two cores\n');
    return 2;
  }
  // The publisher runs in this process: with the load client on the core that is not measured.
  spawnSync('taskset', ['-a', '-cp', String(LOAD_CORE), String(process.pid)]);
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const rows: Row[] = [];
  try {
    const client = loadClient(folder);
    const clip = clipFile(folder);
    process.stdout.write(
      `servers on core ${SERVER_CORE}; publisher and ${client.kind} load client on core ${LOAD_CORE}\n`,
    );
    for (const viewers of values.viewers.split(',').map(Number)) {
      for (const name of values.servers.split(',') as ServerName[]) {
        rows.push(await measure(name, viewers, client, clip));
        process.stdout.write(`${line(rows.at(-1))}\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { exitCode, said } = verdict(rows);
  process.stdout.write(`\n${table(rows)}\n\n${said.join('\n')}\n`);
  if (values.out !== undefined)
    writeFileSync(values.out, values.out.endsWith('.md') ? markdown(rows, said) : json(rows));
  return exitCode;
}

type LoadClient = { kind: 'C' | 'Node'; command: string; args: readonly string[] };

/** The C client compiled here and now; without gcc the Node one. */
function loadClient(folder: string): LoadClient {
  const binary = join(folder, 'flv-load');
  const source = fileURLToPath(new URL('./flv-load.c', import.meta.url));
  if (spawnSync('gcc', ['-O2', '-o', binary, source]).status === 0) return { kind: 'C', command: binary, args: [] };
  return { kind: 'Node', command: process.execPath, args: [fileURLToPath(new URL('./flv-load.ts', import.meta.url))] };
}

/** The demo clip, or the same kind of clip made by ffmpeg: 1080p30, 2.5 Mbit/s, keyframe each second, AAC 128k. */
function clipFile(folder: string): string {
  if (values.clip !== undefined) return values.clip;
  if (existsSync(DEMO_CLIP)) return DEMO_CLIP;
  const path = join(folder, 'clip.flv');
  const made = spawnSync(
    'ffmpeg',
    `-v error -f lavfi -i testsrc2=size=1920x1080:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 12
     -vf noise=alls=12:allf=t -c:v libx264 -preset veryfast -g 30 -bf 0 -b:v 2500k -minrate 2500k -maxrate 2500k -bufsize 2500k
     -pix_fmt yuv420p -c:a aac -b:a 128k -ac 2 -f flv ${path}`.split(/\s+/),
    { stdio: 'inherit' },
  );
  if (made.status !== 0) throw new Error('no clip to publish: give one with --clip, or install ffmpeg');
  return path;
}

async function measure(name: ServerName, viewers: number, client: LoadClient, clip: string): Promise<Row> {
  const server = await SERVERS[name]();
  const stop = new AbortController();
  const onAir = Promise.withResolvers<void>();
  const publishing = publishFlvLoop({
    url: server.rtmpUrl,
    filePath: clip,
    signal: stop.signal,
    onState: (state) => {
      if (state.kind === 'publishing') onAir.resolve();
    },
  });
  try {
    await Promise.race([onAir.promise, publishing]);
    await sleep(1_500); // a whole GOP, so that the first joiner has one
    return await load(name, server, viewers, client);
  } finally {
    stop.abort();
    await publishing;
    await server.stop();
  }
}

async function load(name: ServerName, server: BenchServer, viewers: number, client: LoadClient): Promise<Row> {
  const args = [server.httpPort, server.path, viewers, RAMP_PER_SECOND, values.warmup, values.seconds].map(String);
  const child = spawn('taskset', ['-c', String(LOAD_CORE), client.command, ...client.args, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let cpuBefore = 0;
  let own = process.cpuUsage();
  let busy = coresBusySeconds();
  for await (const text of createInterface({ input: child.stdout })) {
    if (text === 'MEASURE') {
      cpuBefore = cpuSeconds(server.pid);
      own = process.cpuUsage();
      busy = coresBusySeconds();
      continue;
    }
    const result = JSON.parse(text) as LoadResult;
    const serverCpu = (cpuSeconds(server.pid) - cpuBefore) / result.seconds;
    const { user, system } = process.cpuUsage(own);
    const loadCoreBusy = result.clientCpu + (user + system) / 1e6 / result.seconds;
    const all = (coresBusySeconds() - busy) / result.seconds;
    return {
      ...result,
      foreign: Math.max(0, (all - serverCpu - loadCoreBusy) / 2),
      server: name,
      serverCpu,
      cpuPerViewer: serverCpu / viewers,
      rssMb: residentMb(server.pid),
      loadCoreBusy,
    };
  }
  throw new Error('the load client ended without a result');
}

/** User and system time of a process, all threads. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Time that the two cores were busy with anything. */
function coresBusySeconds(): number {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  let ticks = 0;
  for (const core of [SERVER_CORE, LOAD_CORE]) {
    const fields = lines.find((text) => text.startsWith(`cpu${core} `))?.split(' ') ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields.slice(1).map(Number);
    ticks += user + nice + system + irq + softIrq;
  }
  return ticks / TICKS_PER_SECOND;
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

const COLUMNS: readonly (readonly [title: string, value: (row: Row) => string])[] = [
  ['server', (row) => row.server],
  ['viewers', (row) => String(row.viewers)],
  ['CPU %', (row) => (row.serverCpu * 100).toFixed(1)],
  ['CPU/viewer %', (row) => (row.cpuPerViewer * 100).toFixed(4)],
  ['p50/p95/p99 ms', (row) => `${row.p50Ms}/${row.p95Ms}/${row.p99Ms}`],
  ['stalls', (row) => String(row.stalls)],
  ['no data', (row) => String(row.withoutData)],
  ['closed', (row) => String(row.closed)],
  ['Mbps med/min', (row) => `${row.mbpsMedian.toFixed(2)}/${row.mbpsMin.toFixed(2)}`],
  ['RSS MB', (row) => row.rssMb.toFixed(0)],
  ['others %', (row) => (row.foreign * 100).toFixed(0)],
  ['load core %', (row) => (row.loadCoreBusy * 100).toFixed(0)],
];

function line(row: Row | undefined): string {
  if (row === undefined) return '';
  return COLUMNS.map(([title, value]) => `${title} ${value(row)}`).join(' · ');
}

function json(rows: readonly Row[]): string {
  return `${JSON.stringify({ clip: values.clip, rows }, null, 2)}\n`;
}

function markdown(rows: readonly Row[], said: readonly string[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(COLUMNS.map(([title]) => title)),
    row(COLUMNS.map(() => '---')),
    ...rows.map((one) => row(COLUMNS.map(([, value]) => value(one)))),
  ];
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}`;
  return `# HTTP-FLV fan-out

Written by \`npm run bench -- fan-out --out docs/measured/fan-out.md\` on ${machine}; the server alone on one core, publisher and
load client on the other, over loopback. Trust the ratios; absolute figures belong to this machine.

${lines.join('\n')}

${said.map((sentence) => `- ${sentence}`).join('\n')}
`;
}

function table(rows: readonly Row[]): string {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, value]) => value(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((one) => one[column]?.length ?? 0)));
  return cells.map((one) => one.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

/** The exit code, and what is said about it, a line each. */
function verdict(rows: readonly Row[]): { readonly exitCode: number; readonly said: readonly string[] } {
  const said: string[] = [];
  const find = (server: ServerName, viewers: number): Row | undefined =>
    rows.find((row) => row.server === server && row.viewers === viewers);
  for (const viewers of new Set(rows.map((row) => row.viewers))) {
    const [ours, peer] = [find('showfloor', viewers), find('node-media-server', viewers)];
    if (ours === undefined || peer === undefined) continue;
    const isPeerFailing = peer.stalls + peer.withoutData + peer.closed > 0;
    const remark = isPeerFailing ? ' (node-media-server fails at this size, so its CPU is not what it would need)' : '';
    const ratio = ours.cpuPerViewer / peer.cpuPerViewer;
    said.push(`${viewers} viewers: CPU per viewer ${ratio.toFixed(2)} x node-media-server${remark}`);
  }
  const problems: string[] = [];
  const [ours, peer] = [find('showfloor', CPU_RATIO_AT_VIEWERS), find('node-media-server', CPU_RATIO_AT_VIEWERS)];
  if (ours !== undefined && peer !== undefined && ours.cpuPerViewer > CPU_RATIO_MAX * peer.cpuPerViewer) {
    problems.push(`CPU per viewer at ${CPU_RATIO_AT_VIEWERS} is over ${CPU_RATIO_MAX} x the peer's`);
  }
  const large = find('showfloor', NO_STALL_AT_VIEWERS);
  if (large !== undefined && large.stalls + large.withoutData + large.closed + large.refused > 0) {
    problems.push(`showfloor stalls, cuts or refuses viewers at ${NO_STALL_AT_VIEWERS}`);
  }
  const tainted = rows.filter((row) => row.loadCoreBusy > LOAD_CORE_BUSY_MAX || row.foreign > FOREIGN_MAX);
  for (const { server, viewers, loadCoreBusy, foreign } of tainted) {
    const shares = `load core ${(loadCoreBusy * 100).toFixed(0)} %, other programs ${(foreign * 100).toFixed(0)} % of each core`;
    said.push(`${server} at ${viewers}: latency and stalls may be the machine's (${shares})`);
  }
  if (tainted.length > 0) {
    said.push(`INCONCLUSIVE: run it again on a machine that does nothing else. ${problems.join('; ')}`);
    return { exitCode: 3, said };
  }
  for (const problem of problems) said.push(`FAILED: ${problem}`);
  if (problems.length === 0) said.push('All bars that were measured hold.');
  return { exitCode: problems.length === 0 ? 0 : 1, said };
}

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
