/**
 * `npm run bench -- footprint`: how soon the floor is ready, what it weighs when idle (demo show on air, nobody watching), how
 * fast it stops, and how much script the watch page loads before the player. Prints a table; `--out FILE` writes it as Markdown.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFloor } from '../floor.ts';
import { IDLE_MEMORY_MB_MAX, memoryByProcess, WATCH_SCRIPT_KB_MAX, watchScriptKilobytes } from '../footprint.ts';

const IDLE_SECONDS = 20;
const READY_MAX_S = 10;
const STOP_MAX_S = 10;

type Row = { readonly what: string; readonly value: number; readonly unit: string; readonly bar: number | null };

const rows = [
  ...(await startAndIdle()),
  {
    what: 'script of the watch page before the player, gzip',
    value: watchScriptKilobytes(),
    unit: 'kB',
    bar: WATCH_SCRIPT_KB_MAX,
  },
];
const table = [
  '| what | measured | bar |',
  '|---|---|---|',
  ...rows.map(
    ({ what, value, unit, bar }) =>
      `| ${what} | ${value.toFixed(1)} ${unit} | ${bar === null ? '' : `≤ ${bar} ${unit}`} |`,
  ),
].join('\n');
const head = `# Footprint\n\nWritten by \`npm run bench -- footprint --out docs/measured/footprint.md\` on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}.\nMemory is the sum of proportional set sizes of every process, PostgreSQL included.\n`;
console.log(table);
const out = process.argv[process.argv.indexOf('--out') + 1];
if (process.argv.includes('--out') && out !== undefined) writeFileSync(out, `${head}\n${table}\n`);
process.exitCode = rows.every(({ value, bar }) => bar === null || value <= bar) ? 0 : 1;

async function startAndIdle(): Promise<Row[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sf-footprint-'));
  try {
    const first = await timed(() => startFloor({ dataDir }));
    await first.value.stop();
    const second = await timed(() => startFloor({ dataDir }));
    await sleep(IDLE_SECONDS * 1000);
    const parts = memoryByProcess(second.value.supervisorPid);
    const stopped = await timed(() => second.value.stop());
    return [
      { what: 'ready, first start (new database)', value: first.seconds, unit: 's', bar: READY_MAX_S },
      { what: 'ready, later start', value: second.seconds, unit: 's', bar: READY_MAX_S },
      {
        what: 'idle memory, whole system',
        value: sum(parts.map(({ megabytes }) => megabytes)),
        unit: 'MB',
        bar: IDLE_MEMORY_MB_MAX,
      },
      ...parts.map(({ name, megabytes }) => ({ what: `– ${name}`, value: megabytes, unit: 'MB', bar: null })),
      { what: 'stop', value: stopped.seconds, unit: 's', bar: STOP_MAX_S },
    ];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const startedMs = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - startedMs) / 1000 };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
