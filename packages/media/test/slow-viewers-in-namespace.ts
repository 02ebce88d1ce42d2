/**
 * Slow viewers among others, in a network namespace in which the kernel keeps little for a reader that does not read:
 * `slow-viewers-in-namespace.ts {viewers} {slow}`. The server is a process of its own; delays are measured here, where the viewers
 * are. Prints what was measured as one line of JSON.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  FlvDemuxer,
  type FlvTag,
  FlvTagType,
  readFlvVideoHeader,
  readUserDataSei,
} from '@showfloor/media-formats';
import { publishFlvLoop } from '@showfloor/rtmp-client';
import { bigClip, FlvWatcher, GOOD_KEY, until } from './plane-under-test.ts';
import type { ServedAt, ServerSample } from './serve-plane.ts';

/** What this script prints. Delays in ms, from capture to arrival. */
export type SlowViewersResult = Readonly<{
  neighboursP99Before: number;
  neighboursP99During: number;
  /** When the slow ones are gone: what else the machine does may have changed. */
  neighboursP99After: number;
  neighboursClosed: number;
  /** Most that waited for one viewer: in the server's process, and in the kernel's send buffer. */
  backlogMaxBytes: number;
  kernelMaxBytes: number;
  rssGrowthBytes: number;
  skips: number;
  /** Slow viewers that did not come back: cut as stuck. */
  cut: number;
  /** Of those that read at full speed again: pictures right after a gap, and how many of them were keyframes. */
  gaps: number;
  gapsWithKeyframe: number;
}>;

const BYTES_PER_SECOND = 331_000; // 2.65 Mbit/s
const WINDOW_MS = 400;
const STREAM = 'show-namespace';
const GAP_MS = 300;
const run = promisify(execFile);

const [viewers = 0, slow = 0] = process.argv.slice(2).map(Number);

const server = fork(fileURLToPath(new URL('./serve-plane.ts', import.meta.url)));
const [at] = (await once(server, 'message')) as [ServedAt];

async function sample(): Promise<ServerSample> {
  server.send('sample');
  const [answer] = (await once(server, 'message')) as [ServerSample];
  return answer;
}

/** Bytes that the kernel keeps in send buffers of the server, the largest. */
async function kernelMaxBytes(): Promise<number> {
  const { stdout } = await run('ss', ['-tnmH', `sport = :${at.httpPort}`]);
  const kept = [...stdout.matchAll(/skmem:\([^)]*,w(\d+),/g)].map(([, bytes]) => Number(bytes));
  return Math.max(0, ...kept);
}

/** Reads at about a tenth of the stream's rate until `hurry`, then as fast as it can. */
class SlowViewer {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  readonly pictures: { timestampMs: number; isKeyframe: boolean }[] = [];
  isClosed = false;

  constructor() {
    const demuxer = new FlvDemuxer({ onTag: (tag) => this.#take(tag) });
    let isBody = false;
    const read = (bytes: Buffer): void => {
      const bodyAt = isBody ? 0 : bytes.indexOf('\r\n\r\n') + 4;
      isBody = true;
      demuxer.push(bytes.subarray(bodyAt));
    };
    this.#socket = connect({ host: '127.0.0.1', port: at.httpPort }, () =>
      this.#socket.write(`GET /live/${STREAM}.flv HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    this.#socket.pause();
    this.#timer = setInterval(() => {
      const bytes = this.#socket.read(BYTES_PER_SECOND / 100) as Buffer | null;
      if (bytes !== null) read(bytes);
    }, 100);
    this.#socket.on('error', () => undefined); // cut by the server
    this.#socket.on('close', () => {
      this.isClosed = true;
      clearInterval(this.#timer);
    });
    this.hurry = () => {
      clearInterval(this.#timer);
      this.#socket.on('data', read).resume();
    };
  }

  readonly hurry: () => void;

  /** Pictures that did not follow the one before. */
  get afterGaps(): { isKeyframe: boolean }[] {
    return this.pictures.filter((picture, index) => {
      const before = this.pictures[index - 1];
      return before !== undefined && picture.timestampMs - before.timestampMs > GAP_MS;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(tag: FlvTag): void {
    if (tag.typeId !== FlvTagType.video) return;
    const header = readFlvVideoHeader(tag.payload);
    if (header.kind !== 'frames') return;
    this.pictures.push({ timestampMs: tag.timestampMs, isKeyframe: header.isKeyframe });
  }
}

/** p99 of capture → arrival over all watchers, of the best of several windows: what slow viewers do would be in each of them. */
async function delayP99(watchers: readonly FlvWatcher[], windows: number, enoughMs = 0): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let window = 0; window < windows && best > enoughMs; window += 1) {
    best = Math.min(best, await delayP99InWindow(watchers));
  }
  return best;
}

async function delayP99InWindow(watchers: readonly FlvWatcher[]): Promise<number> {
  const delaysMs: number[] = [];
  for (const watcher of watchers) {
    watcher.onPicture = (tag) => {
      const { dataOffset } = readFlvVideoHeader(tag.payload);
      const payload = readUserDataSei(tag.payload.subarray(dataOffset), 4, CAPTURE_TIME_SEI_UUID);
      const captureMs = payload === null ? null : decodeWallClockSei(payload);
      if (captureMs !== null) delaysMs.push(Date.now() - captureMs);
    };
  }
  await sleep(WINDOW_MS);
  for (const watcher of watchers) watcher.onPicture = null;
  return delaysMs.toSorted((a, b) => a - b)[Math.floor(delaysMs.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

async function measure(): Promise<SlowViewersResult> {
  const stop = new AbortController();
  const publishing = publishFlvLoop({
    url: `rtmp://127.0.0.1:${at.rtmpPort}/live/${STREAM}?key=${GOOD_KEY}`,
    flvBytes: bigClip(BYTES_PER_SECOND),
    signal: stop.signal,
  });
  const url = `http://127.0.0.1:${at.httpPort}/live/${STREAM}.flv`;
  await until('the stream', async () => (await fetch(url, { method: 'HEAD' })).status === 200);
  const good = Array.from({ length: viewers - slow }, () => new FlvWatcher(url, { keepsTags: false }));
  await until('all good viewers', () => good.every((watcher) => watcher.pictureCount > 5), 30_000);
  const neighboursP99Before = await delayP99(good, 8);
  const { rssBytes: rssBefore } = await sample();
  const lagging = Array.from({ length: slow }, () => new SlowViewer());
  const most = { backlog: 0, kernel: 0, rss: 0 };
  let isOver = false;
  let last = await sample();
  const sampling = (async () => {
    while (!isOver) {
      last = await sample();
      most.backlog = Math.max(most.backlog, last.backlogMaxBytes);
      most.rss = Math.max(most.rss, last.rssBytes);
      most.kernel = Math.max(most.kernel, await kernelMaxBytes());
      await sleep(Math.max(50, viewers)); // to ask about hundreds of sockets is itself work
    }
  })();
  await until('every slow viewer to be over its bound', () => last.skips >= slow, 60_000);
  const hurrying = lagging.filter((_, index) => index % 2 === 0);
  for (const viewer of hurrying) viewer.hurry();
  const neighboursP99During = await delayP99(good, 18, neighboursP99Before + 10);
  await until('those who hurry to be back', () => hurrying.every(({ afterGaps }) => afterGaps.length > 0), 30_000);
  await until('the stuck ones to be cut', () => last.viewers === viewers - (slow - hurrying.length), 40_000);
  isOver = true;
  await sampling;
  for (const viewer of lagging) viewer.close();
  const neighboursP99After = await delayP99(good, 8);
  const gaps = hurrying.flatMap(({ afterGaps }) => afterGaps);
  const result: SlowViewersResult = {
    neighboursP99Before,
    neighboursP99During,
    neighboursP99After,
    neighboursClosed: good.filter(({ isClosed }) => isClosed).length,
    backlogMaxBytes: most.backlog,
    kernelMaxBytes: most.kernel,
    rssGrowthBytes: most.rss - rssBefore,
    skips: last.skips,
    cut: last.stuck,
    gaps: gaps.length,
    gapsWithKeyframe: gaps.filter(({ isKeyframe }) => isKeyframe).length,
  };
  stop.abort();
  await publishing;
  for (const watcher of good) watcher.close();
  return result;
}

const result = await measure();
process.stdout.write(`${JSON.stringify(result)}\n`);
server.disconnect();
