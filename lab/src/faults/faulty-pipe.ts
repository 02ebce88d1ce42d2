/** One direction of a proxied connection: bytes from one socket to the other, shaped. */
import type { Socket } from 'node:net';
import { monotonicMs } from '../clock.ts';
import type { Random } from '../engine/random.ts';
import { CLEAR_SHAPE, type Shape } from './network-fault.ts';
import { resetSocket } from './reset-socket.ts';

/** How the source ended. A reset overtakes what is queued. */
type Ending = 'end' | 'reset';
type Entry = { bytes: Uint8Array | Ending; readonly dueAtMs: number };

/** Counted over all pipes of a proxy. */
export type PipeTotals = {
  bytes: number;
  /** Times a source was not read because the queue was full. */
  backPressurePauses: number;
  queueBytesPeak: number;
};

type Options = {
  readonly source: Socket;
  readonly sink: Socket;
  readonly random: Random;
  /** Over it the source is not read until there is room: the sender feels back-pressure, as behind a slow network. */
  readonly queueBytesMax: number;
  readonly totals: PipeTotals;
};

/** A bandwidth limit lets bytes go in pieces of this much time, so that a second is not one burst. */
const BANDWIDTH_PIECE_MS = 10;

/** Both sockets belong to the proxy; `dispose` stops the timer. */
export class FaultyPipe {
  readonly #options: Options;
  #shape: Shape = CLEAR_SHAPE;
  #queue: Entry[] = [];
  #queueBytes = 0;
  #lastDueAtMs = 0;
  #freeAtMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #isFull = false;
  #isOver = false;

  constructor(options: Options) {
    this.#options = options;
    const { source, sink } = options;
    source.on('data', (bytes: Buffer) => this.take(bytes));
    source.once('end', () => this.#takeEnding('end'));
    source.once('error', () => this.#takeEnding('reset'));
    sink.on('drain', () => this.#pump());
  }

  /** From now on. What is on its way keeps its delay, as it does when a route changes. */
  setShape(shape: Shape): void {
    this.#shape = shape;
    this.#pump();
  }

  dispose(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queue = [];
  }

  /** Bytes of the source; called by its `data` event, or before it flows. */
  take(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#queue.push({ bytes, dueAtMs: this.#dueAtMs(0) });
    this.#queueBytes += bytes.length;
    this.#options.totals.bytes += bytes.length;
    this.#pump();
  }

  #takeEnding(ending: Ending): void {
    if (this.#isOver) return;
    if (ending === 'reset') this.#queue = [];
    this.#queue.push({ bytes: ending, dueAtMs: this.#dueAtMs(this.#shape.closeDelayMs) });
    this.#pump();
  }

  #dueAtMs(extraMs: number): number {
    const { latencyMs, jitterMs } = this.#shape;
    const jitter = jitterMs === 0 ? 0 : (2 * this.#options.random() - 1) * jitterMs;
    const dueAtMs = monotonicMs() + Math.max(0, latencyMs + jitter) + extraMs;
    this.#lastDueAtMs = Math.max(this.#lastDueAtMs, dueAtMs);
    return this.#lastDueAtMs;
  }

  #pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { sink, totals } = this.#options;
    totals.queueBytesPeak = Math.max(totals.queueBytesPeak, this.#queueBytes);
    while (!this.#isOver && !this.#shape.isHeld && !sink.writableNeedDrain) {
      const head = this.#queue[0];
      if (head === undefined) break;
      const waitMs = Math.max(head.dueAtMs, this.#freeAtMs) - monotonicMs();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        break;
      }
      if (typeof head.bytes === 'string') this.#finish(head.bytes);
      else this.#write(head, head.bytes);
    }
    this.#regulate();
  }

  #write(head: Entry, bytes: Uint8Array): void {
    const { bytesPerSecond, slice } = this.#shape;
    const bandwidthBytes = bytesPerSecond === null ? Infinity : (bytesPerSecond * BANDWIDTH_PIECE_MS) / 1000;
    const pieceBytes = Math.max(1, Math.floor(Math.min(bytes.length, slice?.pieceBytes ?? Infinity, bandwidthBytes)));
    if (pieceBytes < bytes.length) head.bytes = bytes.subarray(pieceBytes);
    else this.#queue.shift();
    this.#queueBytes -= pieceBytes;
    if (this.#options.sink.writable) this.#options.sink.write(bytes.subarray(0, pieceBytes));
    if (bytesPerSecond === null && slice === null) return;
    const busyMs = bytesPerSecond === null ? 0 : (1000 * pieceBytes) / bytesPerSecond;
    // Counted from when it was due, so that late timers do not make a limit tighter than it is.
    const fromMs = Math.max(this.#freeAtMs, monotonicMs() - BANDWIDTH_PIECE_MS);
    this.#freeAtMs = slice === null ? fromMs + busyMs : monotonicMs() + Math.max(busyMs, slice.gapMs);
  }

  #finish(ending: Ending): void {
    this.#isOver = true;
    const { sink } = this.#options;
    if (ending === 'end') sink.end();
    else resetSocket(sink);
  }

  #regulate(): void {
    const { source, queueBytesMax, totals } = this.#options;
    const isFull = this.#queueBytes >= queueBytesMax || this.#shape.isHeld || this.#options.sink.writableNeedDrain;
    if (isFull === this.#isFull || source.destroyed) return;
    this.#isFull = isFull;
    if (isFull && this.#queueBytes >= queueBytesMax) totals.backPressurePauses += 1;
    if (isFull) source.pause();
    else source.resume();
  }
}
