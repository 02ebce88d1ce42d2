import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync, type WriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withStreamKey } from '@showfloor/rtmp-client';
import { Command, InvalidArgumentError, Option } from 'commander';
import { monotonicMs } from '../clock.ts';
import { formatClock, parseDurationMs } from '../engine/duration.ts';
import { SliceMerger } from '../metrics/slice.ts';
import { describePublishing, type PublishSummary, summarisePublishing } from '../publisher/publish-summary.ts';
import { BUNDLED_CLIP, PublishError, PublisherFleet, STREAMS_MAX } from '../publisher/publisher-fleet.ts';
import { ENCODERS, type Encoder, type PublisherReport } from '../publisher/publisher-messages.ts';
import { numberedUrl } from '../publisher/stream-names.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { onInterrupt } from './interrupt.ts';

const RUNS = fileURLToPath(new URL('../../runs/', import.meta.url));
const PRINT_EVERY_MS = 5000;
/** Changes of single streams beyond this many per second are counted, not printed. */
const CHANGES_PER_SECOND_MAX = 5;
const TEST_SOURCE = 'test';

type Flags = {
  readonly url: string;
  readonly key?: string;
  readonly streams: number;
  readonly duration?: number;
  readonly encoder: Encoder;
  readonly file?: string;
  readonly out?: string;
};

/** `publish --url rtmp://…`: the lab's own publishers, without viewers. */
export function publishCommand(): Command {
  return new Command('publish')
    .description('publish a clip over RTMP in real time, once or many times, and measure how that goes')
    .requiredOption('-u, --url <url>', 'rtmp://host[:port]/app/stream; {n} in it stands for the number of the stream')
    .option(
      '--key <secret>',
      'stream key, or - to read it from standard input; LAB_STREAM_KEY in the environment is the same',
    )
    .option('--streams <n>', 'how many streams; without {n} they are named …-1, …-2', parseStreams, 1)
    .option('--duration <time>', 'stop after e.g. 90s or 6h; without it at Ctrl-C', parseDuration)
    .addOption(
      new Option('--encoder <name>', 'own: with the capture time in each picture; ffmpeg: independent, without it')
        .choices([...ENCODERS])
        .default('own'),
    )
    .option('--file <flv>', 'clip to play over and over (default: the bundled one); with ffmpeg also: test')
    .option('-o, --out <dir>', 'folder for the figures (default: lab/runs/publish-<time>)')
    .action(async (flags: Flags) => {
      process.exitCode = await publish(flags);
    });
}

async function publish(flags: Flags): Promise<number> {
  const key = flags.key === '-' ? readFileSync(0, 'utf8').trim() : (flags.key ?? process.env.LAB_STREAM_KEY ?? '');
  const clip = resolve(flags.file ?? fileURLToPath(BUNDLED_CLIP));
  const isTestSource = flags.file === TEST_SOURCE && flags.encoder === 'ffmpeg';
  if (!isTestSource && !existsSync(clip)) return refuse(`${clip} is not there`);
  const folder = resolve(
    flags.out ??
      `${RUNS}publish-${new Date()
        .toISOString()
        .replace(/[-:]|\.\d+Z/g, '')
        .replace('T', '-')}`,
  );
  try {
    const streams = Array.from({ length: flags.streams }, (_, index) => ({
      name: `stream-${index + 1}`,
      url: withStreamKey(numberedUrl(flags.url, index + 1, flags.streams), key),
    }));
    await using log = await PublishLog.open(folder);
    const fleet = await PublisherFleet.open({
      streams,
      file: isTestSource ? null : clip,
      encoder: flags.encoder,
      onReport: (report) => log.take(report),
    });
    log.announce(`${flags.streams} × ${isTestSource ? 'test picture' : clip}, by ${flags.encoder}; Ctrl-C stops`);
    await untilOver(flags.duration);
    await fleet.close();
    const summary = await log.finish(fleet.size);
    console.log(`${describePublishing(summary)}\nfigures: ${folder}`);
    return summary.accepted > 0 ? EXIT_CODES.passed : EXIT_CODES.unreachable;
  } catch (error) {
    if (error instanceof PublishError || error instanceof TypeError) return refuse(error.message);
    if ((error as NodeJS.ErrnoException).code !== undefined) return refuse((error as Error).message);
    throw error;
  }
}

async function untilOver(durationMs: number | undefined): Promise<void> {
  const interrupt = onInterrupt();
  try {
    if (durationMs === undefined) await new Promise((done) => interrupt.signal.addEventListener('abort', done));
    else await sleep(durationMs, undefined, { signal: interrupt.signal }).catch(() => {}); // Ctrl-C ends it early
  } finally {
    interrupt.forget();
  }
}

/** What happens, for people and in `publish.jsonl`; the sum in `publish.json`. */
class PublishLog {
  readonly #folder: string;
  readonly #file: WriteStream;
  readonly #startedAtMs = monotonicMs();
  readonly #total = new SliceMerger();
  #recent = new SliceMerger();
  #printedAtMs = 0;
  #changes = 0;

  static async open(folder: string): Promise<PublishLog> {
    await mkdir(folder, { recursive: true });
    const path = resolve(folder, 'publish.jsonl');
    if (existsSync(path)) throw new PublishError(`${path} is there already; name another folder with --out`);
    const file = createWriteStream(path);
    await once(file, 'open');
    return new PublishLog(folder, file);
  }

  private constructor(folder: string, file: WriteStream) {
    this.#folder = folder;
    this.#file = file;
  }

  announce(text: string): void {
    console.log(text);
  }

  take(report: PublisherReport): void {
    const atMs = Math.round(report.atMs - this.#startedAtMs);
    if (report.type === 'change') {
      const { stream, state, reason, detail } = report.change;
      this.#write({ type: 'change', atMs, ...report.change });
      this.#changes += 1;
      if (this.#changes > CHANGES_PER_SECOND_MAX) return;
      const extra = Object.entries(detail).map(([name, value]) => `${name} ${value}`);
      const words = [reason, ...extra].filter((part) => part !== '').join(', ');
      console.log(`${formatClock(atMs)} ${stream} ${state.replace('_', ' ')}${words === '' ? '' : `: ${words}`}`);
      return;
    }
    this.#changes = 0;
    this.#write({ type: 'second', atMs, ...report.data });
    this.#total.add(report.data, 'replace');
    this.#recent.add(report.data, 'replace');
    if (atMs - this.#printedAtMs < PRINT_EVERY_MS) return;
    this.#printedAtMs = atMs;
    console.log(`${formatClock(atMs)} ${describePublishing(summarisePublishing(this.#recent, null))}`);
    this.#recent = new SliceMerger();
  }

  async finish(streams: number): Promise<PublishSummary> {
    const summary = summarisePublishing(this.#total, streams);
    await writeFile(resolve(this.#folder, 'publish.json'), `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((done) => this.#file.end(() => done()));
  }

  #write(line: object): void {
    this.#file.write(`${JSON.stringify(line)}\n`);
  }
}

function refuse(message: string): number {
  console.error(`lab: ${message}`);
  return EXIT_CODES.usage;
}

function parseStreams(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > STREAMS_MAX) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${STREAMS_MAX}.`);
  }
  return count;
}

function parseDuration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError('It must be a time, e.g. 90s or 6h.');
  return ms;
}
