/** An independent look at a plane: one request of its own, outside of all viewers. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { monotonicMs } from '../clock.ts';

/** What came of one request. */
export type ProbeResult = {
  /** `silent`: connected, nothing came in time; `closed`: refused, reset or ended without an answer. */
  readonly outcome: 'answered' | 'silent' | 'closed';
  /** Request until the first byte of the answer; NaN without one. */
  readonly answerMs: number;
  /** Bytes of the answer, and how long after its first byte they were counted. */
  readonly bytes: number;
  readonly readMs: number;
  /** Pieces that the bytes came in. */
  readonly reads: number;
  /** Last byte until the end of the connection; NaN when it did not end. */
  readonly endAfterMs: number;
};

/** How long to wait for the first byte, and how long to read after it (0: the first byte is enough). */
export type ProbeOptions = { readonly timeoutMs: number; readonly readForMs: number };

/** Sends one GET. Never throws: not to be answered is an answer. */
export function probePlane(url: URL, { timeoutMs, readForMs }: ProbeOptions): Promise<ProbeResult> {
  const startedAtMs = monotonicMs();
  const state = { answerMs: Number.NaN, bytes: 0, reads: 0, lastAtMs: startedAtMs };
  const isTls = url.protocol === 'https:' || url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (isTls ? 443 : 80));
  const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const finish = (isEnded: boolean): void => {
    clearTimeout(timer);
    socket.destroy();
    const isAnswered = !Number.isNaN(state.answerMs);
    resolve({
      outcome: isAnswered ? 'answered' : isEnded ? 'closed' : 'silent',
      answerMs: state.answerMs,
      bytes: state.bytes,
      readMs: isAnswered ? monotonicMs() - startedAtMs - state.answerMs : 0,
      reads: state.reads,
      endAfterMs: isAnswered && isEnded ? monotonicMs() - state.lastAtMs : Number.NaN,
    });
  };
  let timer = setTimeout(() => finish(false), timeoutMs);
  socket.on('data', (bytes: Buffer) => {
    state.lastAtMs = monotonicMs();
    state.bytes += bytes.length;
    state.reads += 1;
    if (!Number.isNaN(state.answerMs)) return;
    state.answerMs = state.lastAtMs - startedAtMs;
    clearTimeout(timer);
    timer = setTimeout(() => finish(false), readForMs);
  });
  socket.once('error', () => finish(true));
  socket.once('end', () => finish(true));
  socket.once('close', () => finish(true));
  const request = `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: */*\r\nConnection: close\r\nUser-Agent: showfloor-lab-probe\r\n\r\n`;
  socket.write(request);
  return promise;
}

/** A picture or sound is larger than what servers send to keep a connection open. */
const MEDIA_BYTES_MIN = 256;
const RETRY_MS = 200;

/**
 * Watches whether media comes, over one connection that is opened again when it is lost. Its owner calls `close()`.
 * Something small, like a script tag, is no media.
 */
export class MediaWatch {
  readonly #url: URL;
  #lastMediaAtMs = Number.NEGATIVE_INFINITY;
  #close: () => void = () => {};
  #isOver = false;

  constructor(url: URL) {
    this.#url = url;
    this.#open();
  }

  /** When the last media came; minus infinity before the first. */
  get lastMediaAtMs(): number {
    return this.#lastMediaAtMs;
  }

  close(): void {
    this.#isOver = true;
    this.#close();
  }

  #open(): void {
    const url = this.#url;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isTls = url.protocol === 'https:';
    const port = Number(url.port || (isTls ? 443 : 80));
    const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    let retry: NodeJS.Timeout | null = null;
    this.#close = () => {
      if (retry !== null) clearTimeout(retry);
      socket.destroy();
    };
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: showfloor-lab-probe\r\n\r\n`,
    );
    socket.on('data', (bytes: Buffer) => {
      if (bytes.length >= MEDIA_BYTES_MIN) this.#lastMediaAtMs = monotonicMs();
    });
    socket.on('error', () => {}); // `close` follows
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      if (!this.#isOver) retry = setTimeout(() => this.#open(), RETRY_MS);
    });
  }
}
