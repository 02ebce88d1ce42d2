/**
 * As much of Redis's protocol as INFO needs (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/): commands
 * out, simple strings, errors, numbers and bulk strings in. One connection that is kept; one command at a time.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CollectError } from './collector.ts';

const PORT_DEFAULT = 6379;
/** INFO of a large server has some 10 KB. */
const ANSWER_BYTES_MAX = 1_048_576;

/** `redis://[user]:password@host:port`, or `rediss:` for TLS. `close` when done. */
export class RespClient {
  readonly #url: URL;
  #socket: Socket | null = null;
  #received = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<string> | null = null;

  constructor(url: URL) {
    this.#url = url;
  }

  /** Connects first where needed. Throws {@link CollectError} and errors of the network; the connection is then dropped. */
  async command(parts: readonly string[], signal: AbortSignal): Promise<string> {
    const onAbort = (): void => this.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (this.#socket === null) await this.#connect();
      return await this.#ask(parts);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#fail(new CollectError('the connection to Redis was closed'));
  }

  async #connect(): Promise<void> {
    const { hostname, port, protocol, username, password } = this.#url;
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || PORT_DEFAULT };
    const socket = protocol === 'rediss:' ? connectTls({ ...address, servername: address.host }) : connect(address);
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    const opened = Promise.withResolvers<string>();
    this.#waiting = opened;
    socket.once(protocol === 'rediss:' ? 'secureConnect' : 'connect', () => opened.resolve(''));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      if (this.#socket === socket) this.#fail(new CollectError('Redis closed the connection'));
    });
    await opened.promise;
    if (password === '') return;
    const user = username === '' ? [] : [decodeURIComponent(username)];
    await this.#ask(['AUTH', ...user, decodeURIComponent(password)]);
  }

  #ask(parts: readonly string[]): Promise<string> {
    const waiting = Promise.withResolvers<string>();
    this.#waiting = waiting;
    const words = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('');
    this.#socket?.write(`*${parts.length}\r\n${words}`);
    return waiting.promise;
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#received.length > ANSWER_BYTES_MAX) {
      this.#fail(new CollectError(`Redis answered more than ${ANSWER_BYTES_MAX} bytes`));
      return;
    }
    const answer = readAnswer(this.#received);
    if (answer === null) return;
    this.#received = this.#received.subarray(answer.bytes);
    if (answer.isError) this.#fail(new CollectError(`Redis answered ${answer.text}`));
    else this.#waiting?.resolve(answer.text);
  }

  #fail(error: Error): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

type Answer = { readonly text: string; readonly isError: boolean; readonly bytes: number };

/** Null: not all there yet. Throws nothing: what it does not know is an error answer. */
export function readAnswer(received: Buffer): Answer | null {
  const end = received.indexOf('\r\n');
  if (end < 0) return null;
  const line = received.toString('utf8', 1, end);
  const kind = received.toString('latin1', 0, 1);
  const after = end + 2;
  if (kind === '+' || kind === ':') return { text: line, isError: false, bytes: after };
  if (kind !== '$')
    return { text: kind === '-' ? line : 'something that INFO does not answer', isError: true, bytes: after };
  const length = Number(line);
  if (length < 0) return { text: '', isError: false, bytes: after };
  if (received.length < after + length + 2) return null;
  return { text: received.toString('utf8', after, after + length), isError: false, bytes: after + length + 2 };
}
