/**
 * Viewers of the lab on one core against the null server, which has the other: HTTP-FLV, HLS with 1 s segments, LL-HLS with 200 ms parts,
 * 2.6 Mbit/s each, one in ten reading everything. autocannon fetches the same segments in the same run, as fast as it can.
 * `node lab/bench/lab.bench.ts --help`
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CALIBRATED_GROUPS, Calibrator, type MeasuredStep } from '../src/calibration/calibrator.ts';
import { startNullServerProcess } from '../src/calibration/null-server-process.ts';
import type { VideoAbility } from '../src/verdict/criterion.ts';

/** `isMemoryOnly`: more than is asked for; only what a viewer holds is judged. */
type Case = {
  readonly protocol: VideoAbility;
  readonly viewers: number;
  readonly isMust: boolean;
  readonly isMemoryOnly?: boolean;
};
/** `othersPercent`: what the machine did beside it, of one core. */
type Row = Case & {
  readonly othersPercent: number;
  readonly step: MeasuredStep;
  readonly kbPerViewer: number;
};
type Peer = {
  readonly perSecond: number;
  readonly mbitPerSecond: number;
  readonly errors: number;
  readonly cpuPercent: number;
};

const MUST: readonly Case[] = [
  { protocol: 'hls', viewers: 1500, isMust: true },
  { protocol: 'llhls', viewers: 300, isMust: true },
  { protocol: 'llhls', viewers: 1000, isMust: true, isMemoryOnly: true },
  { protocol: 'flv', viewers: 2000, isMust: true },
];
const STRETCH: readonly Case[] = [
  { protocol: 'hls', viewers: 3000, isMust: false },
  { protocol: 'llhls', viewers: 2000, isMust: false },
  { protocol: 'flv', viewers: 3000, isMust: false },
];
const NAMES: Readonly<Record<VideoAbility, string>> = {
  flv: 'HTTP-FLV',
  hls: 'HLS, 1 s segments',
  llhls: 'LL-HLS, 200 ms parts',
};
const LATENESS_MS_MAX = 20;
const KB_PER_VIEWER_MAX = 100;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const STEP = { rampS: 3, settleS: 2, holdS: 6 };
const NOBODY = { rampS: 0, settleS: 1, holdS: 1 };
/** Fewer viewers than this share what is the same for any number. */
const MEMORY_FROM_VIEWERS = 1000;
/** More than this of a core for anything else, and nothing can be said. */
const OTHERS_PERCENT_MAX = 10;
const TICKS_PER_SECOND = 100; // CLK_TCK of every Linux that Node runs on
const PEER_CONNECTIONS = 50;
const PEER_SECONDS = 6;

const { values } = parseArgs({
  options: { out: { type: 'string' }, stretch: { type: 'boolean' }, help: { type: 'boolean' } },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function bench(cases: readonly Case[]): Promise<number> {
  pin(process.pid, LOAD_CORE);
  const rows: Row[] = [];
  for (const one of cases) {
    const row = await measure(one);
    rows.push(row);
    say(cells(row).join(' · '));
  }
  const peer = await measurePeer();
  const { lines, misses, isTainted } = judge(rows, peer);
  say(lines.join('\n'));
  if (values.out !== undefined) writeFileSync(values.out, document(rows, lines, values.out));
  if (isTainted) return 3;
  return misses === 0 ? 0 : 1;
}

/** Memory of a viewer is its share of all that the process grew by, from nobody on: heap, young generation and compiled code. */
async function measure(one: Case): Promise<Row> {
  const calibrator = await Calibrator.open({ [one.protocol]: CALIBRATED_GROUPS[one.protocol] }, undefined, (pid) =>
    pin(pid, SERVER_CORE),
  );
  try {
    const nobody = await calibrator.step({ [one.protocol]: 0 }, NOBODY);
    const before = { busy: busySeconds(), own: process.cpuUsage(), atMs: performance.now() };
    const step = await calibrator.step({ [one.protocol]: one.viewers }, STEP);
    const seconds = (performance.now() - before.atMs) / 1000;
    const { user, system } = process.cpuUsage(before.own);
    const own = (user + system) / 1e6 + (step.serverCpuPercent / 100) * seconds;
    const othersPercent = Math.max(0, (100 * (busySeconds() - before.busy - own)) / seconds);
    const kbPerViewer = (step.rssBytes - nobody.rssBytes) / 1024 / one.viewers;
    return { ...one, step, othersPercent, kbPerViewer: Math.max(0, kbPerViewer) };
  } finally {
    await calibrator.close();
  }
}

async function measurePeer(): Promise<Peer> {
  const server = await startNullServerProcess();
  pin(server.pid, SERVER_CORE);
  const url = server.hlsUrl.replace('null.m3u8', 'newest.m4s');
  const script = fileURLToPath(new URL('./autocannon-load.ts', import.meta.url));
  const args = [script, url, String(PEER_CONNECTIONS), String(PEER_SECONDS)];
  const child = spawn('taskset', ['-c', String(LOAD_CORE), process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise((done) => child.once('close', done));
  await server.stop();
  return JSON.parse(text) as Peer;
}

function judge(rows: readonly Row[], peer: Peer): { lines: string[]; misses: number; isTainted: boolean } {
  const must = rows.filter(({ isMust }) => isMust);
  const bars = must.flatMap(({ protocol, viewers, step, kbPerViewer, isMemoryOnly }) => [
    ...(isMemoryOnly === true
      ? []
      : [
          {
            text: `${NAMES[protocol]}: ${viewers} viewers on one core, ${step.breaches.join(', ') || 'no limit broken'}, CPU ${step.cpuPercent.toFixed(0)} %`,
            isHeld: step.breaches.length === 0,
          },
          {
            text: `${NAMES[protocol]}, ${viewers}: timers late by ${step.timerLatenessP99Ms.toFixed(1)} ms p99, at most ${LATENESS_MS_MAX}`,
            isHeld: step.timerLatenessP99Ms <= LATENESS_MS_MAX,
          },
        ]),
    ...(viewers < MEMORY_FROM_VIEWERS
      ? []
      : [
          {
            text: `${NAMES[protocol]}: ${kbPerViewer.toFixed(0)} KB per viewer, at most ${KB_PER_VIEWER_MAX}`,
            isHeld: kbPerViewer <= KB_PER_VIEWER_MAX,
          },
        ]),
  ]);
  const misses = bars.filter(({ isHeld }) => !isHeld).length;
  const behind = must.filter(({ step, othersPercent }) => !step.isServerAhead || othersPercent > OTHERS_PERCENT_MAX);
  return {
    misses,
    isTainted: behind.length > 0,
    lines: [
      ratioLine(rows, peer),
      ...bars.map(({ text, isHeld }) => `${isHeld ? 'holds' : 'MISSED'}: ${text}`),
      ...behind.map(
        ({ protocol }) =>
          `INCONCLUSIVE: ${NAMES[protocol]}: the null server was not ahead of the viewers, or the machine did something else`,
      ),
      misses === 0 ? 'All bars hold.' : `${misses} of ${bars.length} bars missed.`,
    ],
  };
}

/** Segments per second of CPU: ours with lists, player and figures; theirs with nothing else. */
function ratioLine(rows: readonly Row[], peer: Peer): string {
  const hls = rows.find(({ protocol }) => protocol === 'hls');
  const theirs = peer.perSecond / (peer.cpuPercent / 100);
  const ours = hls === undefined ? Number.NaN : hls.viewers / (hls.step.cpuPercent / 100);
  return (
    `autocannon: ${peer.perSecond.toFixed(0)} segments/s (${peer.mbitPerSecond.toFixed(0)} Mbit/s) by ${PEER_CONNECTIONS} connections at ` +
    `${peer.cpuPercent.toFixed(0)} % CPU, ${peer.errors} errors: ${theirs.toFixed(0)} segments per second of CPU; viewers of HLS with lists, ` +
    `player and figures: ${ours.toFixed(0)}, ${(ours / theirs).toFixed(2)} x autocannon`
  );
}

const TITLES = [
  'what',
  'viewers',
  'CPU %',
  'timers late p99 ms',
  'Mbit/s',
  'KB/viewer',
  'null server CPU %',
  'null server ahead',
  'limits broken',
  'others CPU %',
];

function cells({ protocol, viewers, step, kbPerViewer, othersPercent }: Row): string[] {
  return [
    NAMES[protocol],
    String(viewers),
    step.cpuPercent.toFixed(0),
    step.timerLatenessP99Ms.toFixed(1),
    step.mbitPerSecond.toFixed(0),
    kbPerViewer.toFixed(0),
    step.serverCpuPercent.toFixed(0),
    step.isServerAhead ? 'yes' : 'no',
    step.breaches.join(', ') || 'none',
    othersPercent.toFixed(0),
  ];
}

function document(rows: readonly Row[], lines: readonly string[], out: string): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  const options = values.stretch === true ? ' --stretch' : '';
  return `# The lab itself

Written by \`npm run bench -- lab${options} --out ${out}\` on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}. All viewers in one
worker thread on one core, 2.6 Mbit/s each over loopback, one in ten reading everything; the null server has the other core. Late
timers: median over the seconds of each second's 99th percentile.

${[line(TITLES), line(TITLES.map(() => '---')), ...rows.map((row) => line(cells(row)))].join('\n')}

${lines.map((sentence) => `- ${sentence}`).join('\n')}
`;
}

/** Time that the two cores were busy with anything; what the host took away counts, too. */
function busySeconds(): number {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  return [SERVER_CORE, LOAD_CORE].reduce((sum, core) => {
    const fields = lines.find((text) => text.startsWith(`cpu${core} `))?.split(' ') ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = fields.slice(1).map(Number);
    return sum + (user + nice + system + irq + softIrq + steal) / TICKS_PER_SECOND;
  }, 0);
}

function pin(pid: number, core: number): void {
  spawnSync('taskset', ['-a', '-cp', String(core), String(pid)]);
}

if (values.help === true) {
  say('npm run bench -- lab [--stretch] [--out docs/measured/lab.md]   about a minute; --stretch: larger sizes, too');
} else if (availableParallelism() < 2 || spawnSync('taskset', ['-V']).status !== 0) {
  say('this benchmark needs Linux with taskset and two cores');
  process.exitCode = 3;
} else {
  process.exitCode = await bench([...MUST, ...(values.stretch === true ? STRETCH : [])]);
}
