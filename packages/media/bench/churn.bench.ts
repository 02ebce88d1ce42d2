/**
 * Viewers that come and go, for minutes or hours: memory returns to where it began. FLV viewers and LL-HLS viewers in waves, each
 * wave gone before the next. `node packages/media/bench/churn.bench.ts --help`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { benchClip, putOnAir } from './bench-clip.ts';
import { type Bar, type Column, lineOf, report } from './bench-report.ts';
import { type BenchServer, SERVERS } from './bench-servers.ts';
import { compileLoadClient, type LoadClient, runLoad } from './load-client.ts';
import { moveToLoadCore, residentMb, whyNot } from './machine.ts';

type Wave = Readonly<{ clientCpu: number; seconds: number; closed: number }>;
/** `heldMb`: objects and buffers that are in use. `rssMb`: that and what V8 and the allocator keep for later. */
type Row = Readonly<{ atSeconds: number; waves: number; heldMb: number; rssMb: number }>;

const GROWTH_MAX = 0.1;
/** V8 takes its room for garbage step by step and keeps it: what a server holds is known once it has. */
const WARM_UP_SHARE = 1 / 3;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1800' },
    viewers: { type: 'string', default: '300' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `Usage: npm run bench -- churn [options]

  --seconds 1800   how long viewers come and go; the first third warms up
  --viewers 300    viewers of each wave; half of them again by LL-HLS
  --out FILE       write all figures: Markdown when FILE ends in .md, else JSON

The start is taken after the first third, when code is compiled and V8 has taken its room for garbage. Exit code 1 when memory ends more than 10 % above it.`;

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'churn-'));
  const flv = compileLoadClient('flv-load', folder);
  const hls = compileLoadClient('hls-load', folder);
  const reason = whyNot() ?? (flv === null || hls === null ? 'this benchmark needs gcc for its load clients' : null);
  if (reason !== null || flv === null || hls === null) {
    process.stderr.write(`${reason}\n`);
    rmSync(folder, { recursive: true, force: true });
    return 2;
  }
  moveToLoadCore();
  const server = await SERVERS.showfloor();
  const onAir = await putOnAir(server.rtmpUrl, benchClip(folder, undefined));
  const rows: Row[] = [];
  try {
    await sleep(3_000); // the HLS window fills
    const beganMs = performance.now();
    const isBefore = (share: number): boolean => performance.now() - beganMs < Number(values.seconds) * 1_000 * share;
    let waves = 0;
    for (; waves < 2 || isBefore(WARM_UP_SHARE); waves += 1) await wave(server, flv, hls);
    const note = async (): Promise<void> => {
      const row = { atSeconds: (performance.now() - beganMs) / 1_000, waves, ...(await settled(server)) };
      rows.push(row);
      process.stdout.write(`${lineOf(COLUMNS, row)}\n`);
    };
    await note();
    while (isBefore(1)) {
      await wave(server, flv, hls);
      waves += 1;
      await note();
    }
  } finally {
    await onAir.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const bars = [
    grown('what is held', rows, ({ heldMb }) => heldMb),
    grown('resident memory', rows, ({ rssMb }) => rssMb),
  ];
  const outcome = {
    title: 'Churn',
    command: 'npm run bench -- churn',
    rows,
    columns: COLUMNS,
    notes: [],
    bars,
    tainted: [],
  };
  return report(outcome, values.out);
}

/** FLV and LL-HLS viewers join, watch for two seconds and leave. */
async function wave(server: BenchServer, flv: LoadClient, hls: LoadClient): Promise<void> {
  const viewers = Number(values.viewers);
  await Promise.all([
    runLoad<Wave>(flv, [server.httpPort, server.path, viewers, 400, 1, 1], server.pid),
    runLoad<Wave>(
      hls,
      ['viewers', server.httpPort, '/live/bench/index.m3u8', Math.ceil(viewers / 2), 400, 1, 1],
      server.pid,
    ),
  ]);
}

/** The least of the second half against the least of the first: garbage that waits for its collection is neither. */
function grown(what: string, rows: readonly Row[], mbOf: (row: Row) => number): Bar {
  const middle = Math.ceil(rows.length / 2);
  const [first = 0, last = 0] = [rows.slice(0, middle), rows.slice(middle)].map((half) => Math.min(...half.map(mbOf)));
  const growth = last / first - 1;
  const text = `${what} comes back to ${last.toFixed(0)} MB, ${(growth * 100).toFixed(1)} % from ${first.toFixed(0)} MB before, at most ${GROWTH_MAX * 100} % above`;
  return { text, isHeld: growth <= GROWTH_MAX };
}

/** Memory once viewers are forgotten: the least of a few seconds, between collections. */
async function settled({ pid, adminPort }: BenchServer): Promise<{ heldMb: number; rssMb: number }> {
  let [heldMb, rssMb] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let look = 0; look < 8; look += 1) {
    await sleep(250);
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    const bytesOf = (name: string): number => Number(new RegExp(`^${name}\\{[^}]*\\} (.*)$`, 'm').exec(text)?.[1]);
    heldMb = Math.min(
      heldMb,
      (bytesOf('nodejs_heap_size_used_bytes') + bytesOf('nodejs_external_memory_bytes')) / 2 ** 20,
    );
    rssMb = Math.min(rssMb, residentMb(pid));
  }
  return { heldMb, rssMb };
}

const COLUMNS: readonly Column<Row>[] = [
  ['after s', (row) => row.atSeconds.toFixed(0)],
  ['waves', (row) => String(row.waves)],
  ['held MB', (row) => row.heldMb.toFixed(1)],
  ['RSS MB', (row) => row.rssMb.toFixed(1)],
];

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
