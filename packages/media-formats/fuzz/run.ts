/**
 * The long fuzz run: `node packages/media-formats/fuzz/run.ts --seconds 600 [--seed 1] [--target "amf0"]`.
 * The parsers run in a worker with a small heap; this thread watches that it goes on and how much memory it takes.
 * Prints the seed first, then executions and findings; exit code 1 when there are any.
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type FuzzReport, fuzz } from './fuzz-loop.ts';
import { FUZZ_TARGETS } from './targets.ts';

type Task = Readonly<{ seed: number; seconds: number; target: string | null; progress: SharedArrayBuffer }>;

const EXECUTION_MS_MAX = 500;
const HANG_MS = 30_000;
const HEAP_MB_MAX = 256;
/** Typed arrays live outside of the heap: the whole process is held to this. */
const RSS_MB_MAX = 800;
const PROGRESS_EVERY_MS = 30_000;

if (isMainThread) await watch();
else parentPort?.postMessage(work(workerData as Task));

function work({ seed, seconds, target, progress }: Task): FuzzReport {
  const targets = FUZZ_TARGETS.filter(({ name }) => target === null || name === target);
  const names = FUZZ_TARGETS.map(({ name }) => name);
  const endMs = performance.now() + seconds * 1_000;
  const counters = new Int32Array(progress);
  return fuzz(targets, {
    seed,
    executionMsMax: EXECUTION_MS_MAX,
    goesOn: () => performance.now() < endMs,
    onExecution: (name, iteration) => {
      Atomics.store(counters, 0, names.indexOf(name));
      Atomics.store(counters, 1, iteration);
      Atomics.add(counters, 2, 1);
    },
  });
}

async function watch(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, target: { type: 'string' } },
  });
  const seed = Number(values.seed ?? randomInt(2 ** 32));
  const seconds = Number(values.seconds ?? 60);
  const target = values.target ?? null;
  const known = FUZZ_TARGETS.map(({ name }) => name);
  if (!Number.isFinite(seed) || !(seconds > 0) || (target !== null && !known.includes(target))) {
    print(`usage: run.ts [--seconds n] [--seed n] [--target ${known.map((name) => `"${name}"`).join(' | ')}]`);
    process.exit(2);
  }
  print(`seed ${seed}, ${seconds} s, ${target ?? `${known.length} targets`}`);
  const progress = new SharedArrayBuffer(12);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { seed, seconds, target, progress } satisfies Task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  const guard = setInterval(guardOf(new Int32Array(progress), fail), 1_000);
  function fail(problem: string): void {
    clearInterval(guard);
    const [index = 0, iteration = 0] = new Int32Array(progress);
    print(`${problem}\nin ${known[index] ?? '?'}, round ${iteration}, seed ${seed}`);
    process.exit(1);
  }
  worker.on('error', (error) => fail(`the worker died: ${error.message}`));
  worker.on('message', (report: FuzzReport) => {
    clearInterval(guard);
    finish(report);
  });
}

function guardOf(counters: Int32Array, fail: (problem: string) => void): () => void {
  let seen = 0;
  let seenAtMs = performance.now();
  let printedAtMs = seenAtMs;
  let rssMbMax = 0;
  return () => {
    const nowMs = performance.now();
    const rssMb = process.memoryUsage.rss() / 2 ** 20;
    rssMbMax = Math.max(rssMbMax, rssMb);
    const executions = Atomics.load(counters, 2);
    if (executions !== seen) {
      seen = executions;
      seenAtMs = nowMs;
    }
    if (nowMs - seenAtMs > HANG_MS) fail(`no progress for ${HANG_MS} ms`);
    if (rssMb > RSS_MB_MAX) fail(`the process takes ${Math.round(rssMb)} MB`);
    if (nowMs - printedAtMs < PROGRESS_EVERY_MS) return;
    printedAtMs = nowMs;
    print(`${executions} executions, at most ${Math.round(rssMbMax)} MB`);
  };
}

function finish({ executions, outcomes, slowestMs, findings }: FuzzReport): void {
  print(
    `${executions} executions, ${outcomes} outcomes, slowest ${slowestMs.toFixed(1)} ms, ${findings.length} findings`,
  );
  if (findings.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'showfloor-fuzz-'));
  for (const [index, { target, iteration, problem, input }] of findings.entries()) {
    const file = join(folder, `${index}.bin`);
    writeFileSync(file, input);
    print(`${target}, round ${iteration}, ${file}: ${problem.split('\n').slice(0, 5).join('\n')}`);
  }
  process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
