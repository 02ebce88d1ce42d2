import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CAPTURE_TIME_SEI_UUID,
  concatBytes,
  encodeWallClockSei,
  type FlvTag,
  insertUserDataSei,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { type FlvLoop, type LoopPosition, nextEntry, nextPosition, positionTimeMs, readFlvLoop } from './flv-loop.ts';
import type { PublishRefusal } from './publish-result.ts';
import { connectRtmpPublisher, type RtmpPublisher } from './rtmp-publisher.ts';

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5_000;
/** A refused key is asked again less often: servers block an address after ten refusals in a minute. */
const RETRY_DENIED_MS = 10_000;
const STATS_INTERVAL_MS = 1_000;
/** Later than this (the machine slept, the loop was blocked) the clock is set anew instead of sending a burst. */
const LATENESS_MAX_MS = 2_000;

/** What the loop is doing. `retryInMs` is when it will try again. */
export type PublishLoopState = Readonly<
  | { kind: 'connecting'; attempt: number }
  | { kind: 'publishing'; connectMs: number }
  | { kind: 'waiting'; reason: PublishRefusal; statusCode?: string; retryInMs: number }
  | { kind: 'stopped' }
>;

/** Once a second while publishing. */
export type PublishLoopStats = Readonly<{
  /** Media time sent since the start, over all rounds and connections. */
  mediaTimeMs: number;
  /** How late the latest frame left, and the latest-leaving one since the last report. */
  pacingErrorMs: number;
  pacingErrorMaxMs: number;
  backlogBytes: number;
  /** Of this connection. */
  droppedTags: number;
  rounds: number;
  reconnects: number;
}>;

/** What to play and where to. Exactly one of `flvBytes` and `filePath`. */
export type PublishLoopOptions = Readonly<
  {
    /** `rtmp(s)://host[:port]/app/stream?key=…` */
    url: string;
    /** Stops the loop; the promise then resolves. */
    signal?: AbortSignal;
    onState?: (state: PublishLoopState) => void;
    onStats?: (stats: PublishLoopStats) => void;
    backlogBytesMax?: number;
    /** First and longest pause between attempts; default 500 ms and 5 s, each with jitter. */
    retryFirstMs?: number;
    retryMaxMs?: number;
  } & ({ flvBytes: Uint8Array; filePath?: never } | { filePath: string; flvBytes?: never })
>;

/**
 * Plays an FLV file to an RTMP server in real time, for ever: rounds follow each other one frame apart, timestamps go
 * on, every AVC picture carries its capture time, a lost connection is opened again. Resolves after `signal` aborts.
 * Throws for a file or URL that cannot be used.
 */
export async function publishFlvLoop(options: PublishLoopOptions): Promise<void> {
  const flvBytes = options.filePath === undefined ? options.flvBytes : await readFile(options.filePath);
  const loop = new Loop(readFlvLoop(flvBytes), options);
  await loop.run();
}

class Loop {
  readonly #loop: FlvLoop;
  readonly #options: PublishLoopOptions;
  readonly #signal: AbortSignal;
  #position: LoopPosition = { round: 0, index: 0 };
  #pacingErrorMs = 0;
  #pacingErrorMaxMs = 0;
  #statsAtMs = 0;
  #connections = 0;

  constructor(loop: FlvLoop, options: PublishLoopOptions) {
    this.#loop = loop;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async run(): Promise<void> {
    const { url, onState, backlogBytesMax } = this.#options;
    let failures = 0;
    while (!this.#signal.aborted) {
      onState?.({ kind: 'connecting', attempt: failures + 1 });
      const startedAtMs = performance.now();
      const result = await connectRtmpPublisher({
        url,
        signal: this.#signal,
        ...(backlogBytesMax === undefined ? {} : { backlogBytesMax }),
      });
      let end: { reason: PublishRefusal; statusCode?: string };
      if (result.ok) {
        this.#connections += 1;
        onState?.({ kind: 'publishing', connectMs: performance.now() - startedAtMs });
        end = { reason: await this.#play(result.publisher) };
        failures = performance.now() - startedAtMs > RETRY_MAX_MS ? 0 : failures;
      } else {
        end = { reason: result.reason, ...(result.statusCode === undefined ? {} : { statusCode: result.statusCode }) };
      }
      if (this.#signal.aborted) break;
      const retryInMs = this.#retryDelayMs(end.reason, failures);
      failures += 1;
      onState?.({ kind: 'waiting', ...end, retryInMs });
      await sleep(retryInMs, undefined, { signal: this.#signal }).catch(() => undefined); // aborted: the loop ends above
    }
    onState?.({ kind: 'stopped' });
  }

  #retryDelayMs(reason: PublishRefusal, failures: number): number {
    const first = this.#options.retryFirstMs ?? RETRY_FIRST_MS;
    const longest = this.#options.retryMaxMs ?? RETRY_MAX_MS;
    const ceiling = reason === 'denied' ? RETRY_DENIED_MS : Math.min(longest, first * 2 ** Math.min(failures, 16));
    return Math.round(ceiling * (0.75 + Math.random() * 0.25));
  }

  /** Sends frames as they fall due until the connection or the signal ends. Returns why. */
  async #play(publisher: RtmpPublisher): Promise<PublishRefusal> {
    const ended = new AbortController();
    const onAbort = (): void => publisher.close();
    this.#signal.addEventListener('abort', onAbort, { once: true });
    const closed = publisher.closed.then((reason) => {
      ended.abort();
      return reason;
    });
    for (const header of this.#loop.headers) publisher.send(header, this.#loop.hasVideo);
    this.#position = nextEntry(this.#loop, this.#position);
    const baseMs = positionTimeMs(this.#loop, this.#position);
    let anchorMs = performance.now() - baseMs;
    while (!ended.signal.aborted) {
      const nowMs = performance.now();
      const lateMs = nowMs - anchorMs - positionTimeMs(this.#loop, this.#position);
      if (lateMs > LATENESS_MAX_MS) anchorMs += lateMs;
      this.#sendDue(publisher, anchorMs, baseMs);
      this.#reportStats(publisher, nowMs);
      const waitMs = anchorMs + positionTimeMs(this.#loop, this.#position) - performance.now();
      await sleep(Math.max(0, waitMs), undefined, { signal: ended.signal }).catch(() => undefined); // see loop condition
    }
    this.#signal.removeEventListener('abort', onAbort);
    return closed;
  }

  #sendDue(publisher: RtmpPublisher, anchorMs: number, baseMs: number): void {
    for (;;) {
      const timeMs = positionTimeMs(this.#loop, this.#position);
      const lateMs = performance.now() - anchorMs - timeMs;
      if (lateMs < 0) return;
      this.#pacingErrorMs = lateMs;
      this.#pacingErrorMaxMs = Math.max(this.#pacingErrorMaxMs, lateMs);
      const tag = this.#frameToSend(timeMs - baseMs, Date.now() - lateMs);
      if (tag !== null) publisher.send(tag, this.#loop.hasVideo);
      this.#position = nextPosition(this.#loop, this.#position);
    }
  }

  /** The frame with its time in this connection; the capture time is when it was due, so that our own delay counts. */
  #frameToSend(timestampMs: number, captureWallMs: number): FlvTag | null {
    const frame = this.#loop.frames[this.#position.index];
    if (frame === undefined) return null;
    const time = Math.round(timestampMs) >>> 0;
    if (!frame.isAvcPicture) return { ...frame.tag, timestampMs: time };
    const { payload } = frame.tag;
    const { dataOffset } = readFlvVideoHeader(payload);
    const accessUnit = payload.subarray(dataOffset);
    const sei = encodeWallClockSei(Math.max(0, captureWallMs));
    const stamped = insertUserDataSei(accessUnit, this.#loop.nalLengthSize, CAPTURE_TIME_SEI_UUID, sei);
    return { ...frame.tag, timestampMs: time, payload: concatBytes([payload.subarray(0, dataOffset), stamped]) };
  }

  #reportStats(publisher: RtmpPublisher, nowMs: number): void {
    if (this.#options.onStats === undefined || nowMs - this.#statsAtMs < STATS_INTERVAL_MS) return;
    this.#statsAtMs = nowMs;
    const { backlogBytes, droppedTags } = publisher.stats;
    this.#options.onStats({
      mediaTimeMs: positionTimeMs(this.#loop, this.#position),
      pacingErrorMs: this.#pacingErrorMs,
      pacingErrorMaxMs: this.#pacingErrorMaxMs,
      backlogBytes,
      droppedTags,
      rounds: this.#position.round,
      reconnects: this.#connections - 1,
    });
    this.#pacingErrorMaxMs = 0;
  }
}
