/**
 * HTTP-FLV fan-out, ours beside node-media-server in the same run. Isolates the delivery path of one server process: one publisher
 * at 2.65 Mbit/s, N viewers that read as fast as they can, everything over loopback, the server alone on one core.
 * `node packages/media/bench/fan-out.bench.ts --help`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchClip, putOnAir } from './bench-clip.ts';
import { type Bar, type Column, lineOf, report } from './bench-report.ts';
import { type BenchServer, SERVERS, type ServerName, startBareLoop } from './bench-servers.ts';
import { type Cost, compileLoadClient, type LoadClient, runLoad, whyTainted } from './load-client.ts';
import { LOAD_CORE, moveToLoadCore, SERVER_CORE, whyNot } from './machine.ts';

/** What the load client prints; see flv-load.c. */
type LoadResult = Readonly<{
  viewers: number;
  refused: number;
  closed: number;
  withoutData: number;
  stalls: number;
  mbpsMedian: number;
  mbpsMin: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  clientCpu: number;
  seconds: number;
}>;

/** One measurement. `merge` is ours only: how packets share a write. */
type Case = Readonly<{
  name: string;
  server: ServerName | 'bare loop';
  viewers: number;
  merge: string;
  rampPerSecond: number;
  /** Further connections that never read. */
  stuck: number;
}>;

type Row = LoadResult & Cost & Readonly<{ measured: Case }>;

const RAMP_PER_SECOND = 400;
const ours = (viewers: number, merge: string, more: Partial<Case> = {}): Case => ({
  name: `${viewers} ${merge}`,
  server: 'showfloor',
  viewers,
  merge,
  rampPerSecond: RAMP_PER_SECOND,
  stuck: 0,
  ...more,
});
const peer = (viewers: number): Case => ({
  ...ours(viewers, 'per tag'),
  server: 'node-media-server',
  name: `${viewers} peer`,
});

/** The floor under ours: what one write per viewer and tick costs on this machine. */
const bare = (viewers: number, tickMs: number): Case => ({
  ...ours(viewers, `tick-${tickMs}`),
  server: 'bare loop',
  name: `${viewers} bare`,
  rampPerSecond: viewers >= 8_000 ? 1_000 : RAMP_PER_SECOND,
});

/** Every size that a bar names, ours and the peer's in turn so that both meet the same machine. */
const CASES: readonly Case[] = [
  ours(500, 'auto'),
  peer(500),
  ours(1_000, 'packet'),
  peer(1_000),
  ours(1_000, 'tick-30'),
  ours(800, 'tick-30', { name: '800 + 200 stuck', stuck: 200 }),
  ours(2_000, 'tick-30'),
  bare(1_000, 30),
  bare(2_000, 30),
  peer(2_000),
  ours(2_000, 'auto'),
  ours(4_000, 'tick-30'),
  bare(4_000, 30),
  ours(4_000, 'tick-100'),
  ours(8_000, 'tick-100', { rampPerSecond: 1_000 }),
  bare(8_000, 100),
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '12' },
    warmup: { type: 'string', default: '4' },
    clip: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `Usage: npm run bench -- fan-out [options]

  --only TEXT     measure only the cases whose name contains TEXT; several with commas
  --seconds 12    measured window of each case
  --warmup 4      seconds between the last join and the window
  --clip FILE     FLV to publish; default: the demo clip, or one made by ffmpeg
  --out FILE      write all figures: Markdown when FILE ends in .md, else JSON

Cases: ${CASES.map(({ name }) => name).join(' · ')}

Exit code 1 when a bar is missed, 3 instead when the load core or other programs were too busy to judge. Needs Linux, taskset and
two cores.`;

async function main(): Promise<number> {
  const reason = whyNot();
  if (reason !== null) {
    process.stderr.write(`${reason}\n`);
    return 2;
  }
  moveToLoadCore();
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const rows: Row[] = [];
  try {
    const client = compileLoadClient('flv-load', folder) ?? nodeClient();
    const clip = benchClip(folder, values.clip);
    process.stdout.write(
      `servers on core ${SERVER_CORE}; publisher and ${client.kind} load client on core ${LOAD_CORE}\n`,
    );
    const wanted = values.only.split(',');
    for (const one of CASES.filter(({ name }) => wanted.some((text) => name.includes(text)))) {
      const row = await measure(one, client, clip);
      rows.push(row);
      process.stdout.write(`${lineOf(COLUMNS, row)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const outcome = {
    title: 'HTTP-FLV fan-out',
    command: 'npm run bench -- fan-out',
    rows,
    columns: COLUMNS,
    notes: ratios(rows),
    bars: bars(rows),
    tainted: rows.flatMap((row) => {
      const why = whyTainted(row);
      return why === null ? [] : [`${row.measured.name}: latency and stalls may be the machine's (${why})`];
    }),
  };
  return report(outcome, values.out);
}

/** For machines without a C compiler; saturates earlier, which the load core's share tells. */
function nodeClient(): LoadClient {
  return { kind: 'Node', command: process.execPath, args: [fileURLToPath(new URL('./flv-load.ts', import.meta.url))] };
}

async function measure(measured: Case, client: LoadClient, clip: string): Promise<Row> {
  const { viewers, rampPerSecond, stuck } = measured;
  const server = await start(measured, clip);
  const onAir = measured.server === 'bare loop' ? null : await putOnAir(server.rtmpUrl, clip);
  try {
    const args = [server.httpPort, server.path, viewers, rampPerSecond, values.warmup, values.seconds];
    const result = await runLoad<LoadResult>(client, stuck > 0 ? [...args, stuck] : args, server.pid);
    return { ...result, measured };
  } finally {
    await onAir?.stop();
    await server.stop();
  }
}

function start({ server, merge }: Case, clip: string): Promise<BenchServer> {
  if (server === 'bare loop') return startBareLoop(clip, Number(merge.replace('tick-', '')));
  return SERVERS[server]({ MEDIA_MERGE: merge });
}

const percent = (share: number, digits = 1): string => (share * 100).toFixed(digits);
const cpuPerViewer = (row: Row): number => row.serverCpu / row.viewers;
const failures = (row: Row): number => row.stalls + row.withoutData + row.closed + row.refused;

const COLUMNS: readonly Column<Row>[] = [
  ['server', (row) => row.measured.server],
  ['viewers', (row) => (row.measured.stuck === 0 ? String(row.viewers) : row.measured.name)],
  ['merge', (row) => row.measured.merge],
  ['CPU %', (row) => percent(row.serverCpu)],
  ['CPU/viewer %', (row) => percent(cpuPerViewer(row), 4)],
  ['p50/p95/p99 ms', (row) => `${row.p50Ms}/${row.p95Ms}/${row.p99Ms}`],
  ['stalls', (row) => String(row.stalls)],
  ['no data', (row) => String(row.withoutData)],
  ['closed', (row) => String(row.closed)],
  ['Mbps med/min', (row) => `${row.mbpsMedian.toFixed(2)}/${row.mbpsMin.toFixed(2)}`],
  ['RSS MB', (row) => row.rssMb.toFixed(0)],
  ['others %', (row) => percent(row.foreign, 0)],
  ['load core %', (row) => percent(row.loadCoreBusy, 0)],
];

function find(rows: readonly Row[], name: string): Row | undefined {
  return rows.find(({ measured }) => measured.name === name);
}

/** Sentences about ours and the peer at the same size. */
function ratios(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    if (row.measured.server !== 'showfloor' || row.measured.stuck > 0) return [];
    const floor = find(rows, `${row.viewers} bare`);
    const isSame = floor !== undefined && floor.measured.merge === row.measured.merge;
    const above = isSame ? [aboveFloor(row, floor)] : [];
    const beside = find(rows, `${row.viewers} peer`);
    if (beside === undefined) return above;
    const ratio = (cpuPerViewer(row) / cpuPerViewer(beside)).toFixed(2);
    const remark = failures(beside) > 0 ? ', which fails at this size' : '';
    return [
      ...above,
      `${row.measured.name}: CPU per viewer ${ratio} x node-media-server${remark}; p99 ${row.p99Ms} against ${beside.p99Ms} ms`,
    ];
  });
}

function aboveFloor(row: Row, floor: Row): string {
  const ratio = (row.serverCpu / floor.serverCpu).toFixed(2);
  return (
    `${row.measured.name}: CPU ${ratio} x the bare loop's, p99 ${row.p99Ms} against its ${floor.p99Ms} ms: ` +
    `what is below that on this machine is the kernel's`
  );
}

/** The bars of the cases that were measured. */
function bars(rows: readonly Row[]): Bar[] {
  const found: Bar[] = [];
  const hold = (text: string, isHeld: boolean): void => {
    found.push({ text, isHeld });
  };
  const limits = (name: string, limit: { p99Ms?: number; cpu?: number; rssMb?: number }): void => {
    const row = find(rows, name);
    if (row === undefined) return;
    const { p99Ms, cpu, rssMb } = limit;
    if (p99Ms !== undefined) hold(`${name}: p99 ${row.p99Ms} ms, at most ${p99Ms}`, row.p99Ms <= p99Ms);
    if (cpu !== undefined)
      hold(`${name}: CPU ${percent(row.serverCpu)} %, at most ${percent(cpu, 0)}`, row.serverCpu <= cpu);
    if (rssMb !== undefined) hold(`${name}: RSS ${row.rssMb.toFixed(0)} MB, at most ${rssMb}`, row.rssMb <= rssMb);
    hold(`${name}: ${failures(row)} viewers stalled, cut, refused or without data`, failures(row) === 0);
  };
  limits('500 auto', {});
  limits('1000 packet', { p99Ms: 10, cpu: 0.6 });
  limits('2000 tick-30', { p99Ms: 40, cpu: 0.55 });
  limits('4000 tick-30', { p99Ms: 100 });
  limits('8000 tick-100', { p99Ms: 200, cpu: 0.85, rssMb: 250 });
  const [small, peerSmall] = [find(rows, '500 auto'), find(rows, '500 peer')];
  if (small !== undefined && peerSmall !== undefined) {
    const ratio = cpuPerViewer(small) / cpuPerViewer(peerSmall);
    hold(`500: CPU per viewer ${ratio.toFixed(2)} x node-media-server's, at most 0.6`, ratio <= 0.6);
  }
  const large = find(rows, '4000 tick-30');
  const medium = find(rows, '1000 tick-30');
  if (medium !== undefined && large !== undefined) {
    const growth = cpuPerViewer(large) / cpuPerViewer(medium);
    hold(
      `CPU per viewer at 4,000 is ${growth.toFixed(2)} x that at 1,000 with the same merge, at most 1.1`,
      growth <= 1.1,
    );
  }
  const stuck = find(rows, '800 + 200 stuck');
  if (medium !== undefined && stuck !== undefined) {
    const movedMs = stuck.p99Ms - medium.p99Ms;
    hold(`of 1,000 viewers, 200 stuck move the others' p99 by ${movedMs} ms, less than 5`, movedMs < 5);
    const grownMb = stuck.rssMb - medium.rssMb;
    hold(`of 1,000 viewers, 200 stuck take ${grownMb.toFixed(0)} MB, less than 20`, grownMb < 20);
  }
  const most = find(rows, '8000 tick-100');
  if (most !== undefined && medium !== undefined) {
    // Between two sizes: what the process itself takes once it is warm is not the viewers'.
    const kb = kbPerViewer(most, medium);
    const [bareMost, bareMedium] = [find(rows, '8000 bare'), find(rows, '1000 bare')];
    const bareKb = bareMost === undefined || bareMedium === undefined ? null : kbPerViewer(bareMost, bareMedium);
    const beside = bareKb === null ? '' : `; a socket of the bare loop takes ${bareKb.toFixed(1)}`;
    hold(`from 1,000 to 8,000 viewers each takes ${kb.toFixed(1)} KB, at most 10${beside}`, kb <= 10);
  }
  const perCore = viewersPerCore(rows);
  if (perCore !== null) hold(perCore.text, perCore.ratio >= 3);
  return found;
}

function kbPerViewer(most: Row, fewer: Row): number {
  return ((most.rssMb - fewer.rssMb) * 1024) / (most.viewers - fewer.viewers);
}

/** Viewers per core of ours and the peer's, each where it does not fail, ours with a p99 that is no worse. */
function viewersPerCore(rows: readonly Row[]): { ratio: number; text: string } | null {
  const perCore = (row: Row): number => row.viewers / row.serverCpu;
  const sound = rows.filter((row) => failures(row) === 0 && row.measured.stuck === 0);
  const peers = sound.filter(({ measured }) => measured.server === 'node-media-server');
  const best = peers.toSorted((a, b) => perCore(b) - perCore(a))[0];
  if (best === undefined) return null;
  const rivals = sound.filter((row) => row.measured.server === 'showfloor' && row.p99Ms <= best.p99Ms);
  const champion = rivals.toSorted((a, b) => perCore(b) - perCore(a))[0];
  if (champion === undefined) return null;
  const ratio = perCore(champion) / perCore(best);
  const text =
    `viewers per core at equal p99: ${perCore(champion).toFixed(0)} (${champion.measured.name}, p99 ${champion.p99Ms} ms) against ` +
    `node-media-server's ${perCore(best).toFixed(0)} (${best.viewers}, p99 ${best.p99Ms} ms): ${ratio.toFixed(2)} x, at least 3`;
  return { ratio, text };
}

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
