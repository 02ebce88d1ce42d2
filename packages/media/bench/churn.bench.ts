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
import { churn } from './churn-viewers.ts';
import { moveToLoadCore, residentMb, whyNot } from './machine.ts';

type Row = Readonly<{
  atSeconds: number;
  waves: number;
  /** What the process takes; V8 collects when it likes. */
  rssMb: number;
  /** Objects and buffers that are in use, after a collection; null in between, because collecting would keep `rssMb` small. */
  heldMb: number | null;
}>;

const GROWTH_MAX = 0.1;
/** Of a viewer that is gone: a forgotten socket would be twice this; what the media itself takes moves by half of it in a minute. */
const LEFT_BEHIND_BYTES_MAX = 1_000;
/** Code is compiled, and V8 and the allocator have taken their room, after a third, and not before so many waves. */
const WARM_UP = { share: 1 / 3, wavesMin: 4 };
const WATCH_MS = 2_000;
/** Viewers are gone, and their sockets closed, after this long. */
const SETTLE_MS = 700;
const COLLECT = new URL('./collect-on-signal.ts', import.meta.url).href;

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

The start is taken after the first third. Held memory is measured after a collection, at the start and at the end only. Exit code 1
when either memory ends more than 10 % above its start, or viewers that left are still held.`;

async function main(): Promise<number> {
  const reason = whyNot();
  if (reason !== null) {
    process.stderr.write(`${reason}\n`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'churn-'));
  moveToLoadCore();
  const server = await SERVERS.showfloor({ NODE_OPTIONS: `--import=${COLLECT}` });
  const onAir = await putOnAir(server.rtmpUrl, benchClip(folder, undefined));
  const rows: Row[] = [];
  try {
    await sleep(3_000); // the HLS window fills
    const beganMs = performance.now();
    const elapsedSeconds = (): number => (performance.now() - beganMs) / 1_000;
    let waves = 0;
    const nextWave = async (): Promise<void> => {
      await wave(server);
      waves += 1;
    };
    const note = (heldMb: number | null): void => {
      const row = { atSeconds: elapsedSeconds(), waves, rssMb: residentMb(server.pid), heldMb };
      rows.push(row);
      process.stdout.write(`${lineOf(COLUMNS, row)}\n`);
    };
    while (waves < WARM_UP.wavesMin || elapsedSeconds() < Number(values.seconds) * WARM_UP.share) await nextWave();
    note(await collectedMb(server));
    await nextWave(); // V8 takes again what it gave back
    while (rows.length < 5 || elapsedSeconds() < Number(values.seconds)) {
      await nextWave();
      note(null);
    }
    note(await collectedMb(server));
  } finally {
    await onAir.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const outcome = {
    title: 'Churn',
    command: 'npm run bench -- churn',
    rows,
    columns: COLUMNS,
    notes: [],
    bars: [...heldBars(rows), residentBar(rows)],
    tainted: [],
  };
  return report(outcome, values.out);
}

/** FLV and LL-HLS viewers join, watch for two seconds and leave. Throws when they saw nothing: then nothing was measured. */
async function wave({ httpPort: port, path: flvPath }: BenchServer): Promise<void> {
  const viewers = Number(values.viewers);
  const bytes = await churn({ port, flvPath, listPath: '/live/bench/index.m3u8', viewers, watchMs: WATCH_MS });
  if (bytes < viewers * 10_000) throw new Error(`${viewers} viewers read ${bytes} bytes: the server does not serve`);
  await sleep(SETTLE_MS);
}

function heldBars(rows: readonly Row[]): Bar[] {
  const [first, last] = rows.filter(({ heldMb }) => heldMb !== null);
  const [firstMb, lastMb] = [first?.heldMb ?? 0, last?.heldMb ?? Number.POSITIVE_INFINITY];
  const left = ((last?.waves ?? 0) - (first?.waves ?? 0)) * Number(values.viewers) * 1.5;
  const bytes = ((lastMb - firstMb) * 2 ** 20) / left;
  const text = `each of ${left} viewers that came and left has left ${bytes.toFixed(0)} bytes behind, at most ${LEFT_BEHIND_BYTES_MAX}`;
  return [barOf('what is held', firstMb, lastMb), { text, isHeld: bytes <= LEFT_BEHIND_BYTES_MAX }];
}

/** The least of the second half against the least of the first: garbage that waits for its collection is not growth. */
function residentBar(rows: readonly Row[]): Bar {
  const between = rows.filter(({ heldMb }) => heldMb === null).map(({ rssMb }) => rssMb);
  const middle = Math.ceil(between.length / 2);
  return barOf('resident memory', Math.min(...between.slice(0, middle)), Math.min(...between.slice(middle)));
}

function barOf(what: string, first: number, last: number): Bar {
  const growth = last / first - 1;
  const text = `${what} ends at ${last.toFixed(1)} MB, ${(growth * 100).toFixed(1)} % from ${first.toFixed(1)} MB at the start, at most ${GROWTH_MAX * 100} % above`;
  return { text, isHeld: growth <= GROWTH_MAX };
}

/** What is in use when everything else is collected: the least of three seconds, since media keeps coming in. */
async function collectedMb({ pid, adminPort }: BenchServer): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 6; look += 1) {
    process.kill(pid, 'SIGUSR2');
    await sleep(500);
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    const bytesOf = (name: string): number => Number(new RegExp(`^${name}\\{[^}]*\\} (.*)$`, 'm').exec(text)?.[1]);
    least = Math.min(
      least,
      (bytesOf('nodejs_heap_size_used_bytes') + bytesOf('nodejs_external_memory_bytes')) / 2 ** 20,
    );
  }
  return least;
}

const COLUMNS: readonly Column<Row>[] = [
  ['after s', (row) => row.atSeconds.toFixed(0)],
  ['waves', (row) => String(row.waves)],
  ['RSS MB', (row) => row.rssMb.toFixed(1)],
  ['held MB', (row) => row.heldMb?.toFixed(1) ?? ''],
];

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
