/**
 * One GET whose body may never end, on a raw socket: no stream objects and no buffer per read, because a lab thread
 * holds thousands of these. The socket belongs to the returned handle; `close()` ends it.
 */
import { monotonicMs } from '../clock.ts';
import { type HttpHead, HttpResponseReader } from './http-response-reader.ts';
import { openLightSocket } from './light-socket.ts';

/** What happens, with the monotonic instant it happened at. Body pieces must be used at once. */
export type EndlessGetHandlers = {
  readonly onConnected: (atMs: number) => void;
  readonly onHead: (head: HttpHead, atMs: number) => void;
  readonly onBody: (bytes: Uint8Array, atMs: number) => void;
  /** Once, also after errors; not after `close()`. `reason` is a stable word. */
  readonly onClosed: (reason: string, atMs: number) => void;
};

/** The open request. */
export type EndlessGet = { readonly close: () => void };

/** Opens the request. `headers` are sent as they are. */
export function openEndlessGet(
  url: URL,
  headers: Readonly<Record<string, string>>,
  handlers: EndlessGetHandlers,
): EndlessGet {
  let isOver = false;
  const finish = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    handlers.onClosed(reason, monotonicMs());
  };
  const reader = new HttpResponseReader({
    onHead: (head) => handlers.onHead(head, monotonicMs()),
    onBody: (bytes) => handlers.onBody(bytes, monotonicMs()),
    onEnd: () => finish('body_ended'),
  });
  const onBytes = (bytes: Uint8Array): void => {
    if (isOver) return;
    try {
      reader.push(bytes);
    } catch (error) {
      finish(errorCode(error));
    }
  };
  const onConnected = (): void => {
    handlers.onConnected(monotonicMs());
    socket.write(requestHead(url, headers));
  };
  const socket = openLightSocket(url, onBytes, onConnected);
  socket.once('error', (error) => finish(errorCode(error)));
  socket.once('close', () => finish('connection_closed'));
  return {
    close: () => {
      isOver = true;
      socket.destroy();
    },
  };
}

function requestHead(url: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: url.host, Accept: '*/*', 'User-Agent': 'showfloor-lab', ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n`;
}

/** `ECONNREFUSED`, `http.status_line`, `flv.signature`: the code of an error, or its name. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) {
    const code = (error as Error & { code?: unknown }).code;
    return typeof code === 'string' ? code : error.name;
  }
  return 'unknown';
}
