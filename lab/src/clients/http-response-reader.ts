/**
 * Reads one HTTP/1.1 response from bytes in any cut: head, then a body that may never end (chunked, counted or until
 * close). No I/O. Spec: RFC 9112, sections 4–7.
 */

import { HttpHeadCache } from './http-head-cache.ts';

/** Status and headers; header names are lower-case, the last of equal names wins. */
export type HttpHead = { readonly status: number; readonly headers: ReadonlyMap<string, string> };

/** Body pieces are views into what was pushed: use them at once. */
export type HttpResponseHandlers = {
  readonly onHead: (head: HttpHead) => void;
  readonly onBody: (bytes: Uint8Array) => void;
  readonly onEnd: () => void;
};

/** The server's answer is not HTTP, or breaks a limit. `code` is stable. */
export class HttpFormatError extends Error {
  override readonly name = 'HttpFormatError';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Heads of this thread. */
const heads = new HttpHeadCache();

/** A head longer than this is refused. */
export const HTTP_HEAD_BYTES_MAX = 16_384;
const CHUNK_LINE_BYTES_MAX = 256;
const CR = 13;
const LF = 10;

type State =
  | { kind: 'head' }
  | { kind: 'chunk-size' }
  | { kind: 'chunk-end' }
  | { kind: 'body'; leftBytes: number; isChunk: boolean }
  | { kind: 'trailer' }
  | { kind: 'done' };

/** One response. `push` throws {@link HttpFormatError}; the connection is then useless. */
export class HttpResponseReader {
  readonly #handlers: HttpResponseHandlers;
  #state: State = { kind: 'head' };
  #line = '';

  constructor(handlers: HttpResponseHandlers) {
    this.#handlers = handlers;
  }

  /** Only the end of the connection ends this body. */
  get isEndless(): boolean {
    return this.#state.kind === 'body' && this.#state.leftBytes === Number.POSITIVE_INFINITY;
  }

  /** The next response of the same connection begins. */
  reset(): void {
    this.#state = { kind: 'head' };
    this.#line = '';
  }

  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) offset = this.#step(bytes, offset);
  }

  #step(bytes: Uint8Array, offset: number): number {
    const state = this.#state;
    switch (state.kind) {
      case 'body':
        return this.#readBody(state, bytes, offset);
      case 'head':
        return this.#readHead(bytes, offset);
      case 'done':
        return bytes.length;
      default:
        return this.#readLine(state.kind, bytes, offset);
    }
  }

  #readBody(state: Extract<State, { kind: 'body' }>, bytes: Uint8Array, offset: number): number {
    const end = Math.min(bytes.length, offset + state.leftBytes);
    state.leftBytes -= end - offset;
    if (state.leftBytes === 0) {
      if (state.isChunk) this.#state = { kind: 'chunk-end' };
      else this.#state = { kind: 'done' };
    }
    this.#handlers.onBody(bytes.subarray(offset, end));
    if (this.#state.kind === 'done') this.#handlers.onEnd();
    return end;
  }

  /** A head that came in one piece, which is nearly every one, is found at once, and read once for all who get it. */
  #readHead(bytes: Uint8Array, offset: number): number {
    if (this.#line === '') {
      const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const end = view.indexOf('\r\n\r\n', offset, 'latin1');
      if (end >= 0 && end - offset < HTTP_HEAD_BYTES_MAX) {
        this.#takeHead(heads.read(view.subarray(offset, end + 4), parseHead));
        return end + 4;
      }
    }
    return this.#readHeadInPieces(bytes, offset);
  }

  #takeHead(head: HttpHead): void {
    if (head.status >= 200) this.#openBody(head); // 1xx: another head follows
  }

  #readHeadInPieces(bytes: Uint8Array, offset: number): number {
    for (let index = offset; index < bytes.length; index += 1) {
      this.#line += String.fromCharCode(bytes[index] ?? 0);
      if (this.#line.length > HTTP_HEAD_BYTES_MAX) throw new HttpFormatError('http.head_too_long');
      if (!this.#line.endsWith('\r\n\r\n')) continue;
      const text = this.#line;
      this.#line = '';
      this.#takeHead(parseHead(text));
      return index + 1;
    }
    return bytes.length;
  }

  #openBody(head: HttpHead): void {
    const isChunked = head.headers.get('transfer-encoding')?.toLowerCase().endsWith('chunked') ?? false;
    const length = Number(head.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
    if (!(length >= 0)) throw new HttpFormatError('http.content_length');
    const isEmpty = !isChunked && (length === 0 || head.status === 204 || head.status === 304);
    if (isChunked) this.#state = { kind: 'chunk-size' };
    else this.#state = isEmpty ? { kind: 'done' } : { kind: 'body', leftBytes: length, isChunk: false };
    this.#handlers.onHead(head);
    if (isEmpty) this.#handlers.onEnd();
  }

  #readLine(kind: 'chunk-size' | 'chunk-end' | 'trailer', bytes: Uint8Array, offset: number): number {
    const end = bytes.indexOf(LF, offset);
    const upTo = end < 0 ? bytes.length : end;
    for (let index = offset; index < upTo; index += 1) {
      if (bytes[index] !== CR) this.#line += String.fromCharCode(bytes[index] ?? 0);
    }
    if (this.#line.length > CHUNK_LINE_BYTES_MAX) throw new HttpFormatError('http.chunk_line_too_long');
    if (end < 0) return bytes.length;
    const line = this.#line;
    this.#line = '';
    this.#finishLine(kind, line);
    return end + 1;
  }

  #finishLine(kind: 'chunk-size' | 'chunk-end' | 'trailer', line: string): void {
    if (kind === 'chunk-end') {
      if (line !== '') throw new HttpFormatError('http.chunk_end');
      this.#state = { kind: 'chunk-size' };
      return;
    }
    if (kind === 'trailer') {
      if (line !== '') return;
      this.#state = { kind: 'done' };
      this.#handlers.onEnd();
      return;
    }
    const hex = line.split(';', 1)[0]?.trim() ?? '';
    if (!/^[0-9a-f]{1,8}$/i.test(hex)) throw new HttpFormatError('http.chunk_size');
    const size = Number.parseInt(hex, 16);
    this.#state = size === 0 ? { kind: 'trailer' } : { kind: 'body', leftBytes: size, isChunk: true };
  }
}

function parseHead(text: string): HttpHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine);
  if (match === null) throw new HttpFormatError('http.status_line');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[1]), headers };
}
