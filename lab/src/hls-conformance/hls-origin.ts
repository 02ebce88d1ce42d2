/** How the checker asks an origin: one connection kept open, HTTP/1.1 or HTTP/2. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { monotonicMs } from '../clock.ts';

/** An answer read to its end. */
export type OriginAnswer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** Monotonic, in ms. */
  askedAtMs: number;
  answeredAtMs: number;
}>;

/** Asks for absolute URLs of one origin. `close` ends its connections. */
export type HlsOrigin = Readonly<{
  protocol: 'http/1.1' | 'h2';
  ask: (url: URL, method?: 'GET' | 'HEAD') => Promise<OriginAnswer>;
  close: () => void;
}>;

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 20_000;

/** Options of both: `ca` for a certificate that the machine does not know. */
export type OriginOptions = Readonly<{ ca?: string; headers?: Readonly<Record<string, string>> }>;

type Started = { readonly body: Buffer[]; readonly askedAtMs: number; bytes: number };

function take(started: Started, chunk: Buffer): boolean {
  started.bytes += chunk.length;
  started.body.push(chunk);
  return started.bytes <= ANSWER_BYTES_MAX;
}

/** HTTP/1.1, plain or TLS. */
export function openHttp1Origin(options: OriginOptions = {}): HlsOrigin {
  const plain = new HttpAgent({ keepAlive: true });
  const secure = new HttpsAgent({ keepAlive: true, ...(options.ca === undefined ? {} : { ca: options.ca }) });
  const ask = (url: URL, method: 'GET' | 'HEAD' = 'GET'): Promise<OriginAnswer> =>
    new Promise((resolve, reject) => {
      const started: Started = { body: [], askedAtMs: monotonicMs(), bytes: 0 };
      const isSecure = url.protocol === 'https:';
      const send = isSecure ? httpsRequest : httpRequest;
      const request = send(url, {
        method,
        agent: isSecure ? secure : plain,
        headers: { ...options.headers },
        timeout: ANSWER_TIMEOUT_MS,
      });
      request.on('response', (response) => {
        response.on('data', (chunk: Buffer) => {
          if (!take(started, chunk)) request.destroy(new Error(`answer over ${ANSWER_BYTES_MAX} bytes`));
        });
        response.on('error', reject);
        response.on('end', () => {
          const headers = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          );
          resolve(finish(started, response.statusCode ?? 0, headers));
        });
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
      request.on('error', reject);
      request.end();
    });
  return {
    protocol: 'http/1.1',
    ask,
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** HTTP/2 over TLS to the origin of `base`. */
export function openHttp2Origin(base: URL, options: OriginOptions = {}): HlsOrigin {
  const session = connectHttp2(base.origin, options.ca === undefined ? {} : { ca: options.ca });
  session.on('error', () => undefined); // each request tells of it
  const ask = (url: URL, method: 'GET' | 'HEAD' = 'GET'): Promise<OriginAnswer> =>
    new Promise((resolve, reject) => {
      const started: Started = { body: [], askedAtMs: monotonicMs(), bytes: 0 };
      const stream = session.request({
        ':method': method,
        ':path': `${url.pathname}${url.search}`,
        ...options.headers,
      });
      let status = 0;
      let headers: Record<string, string> = {};
      stream.setTimeout(ANSWER_TIMEOUT_MS, () => stream.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
      stream.on('response', (head) => {
        status = Number(head[':status']);
        headers = Object.fromEntries(Object.entries(head).map(([name, value]) => [name, String(value)]));
      });
      stream.on('data', (chunk: Buffer) => {
        if (!take(started, chunk)) stream.destroy(new Error(`answer over ${ANSWER_BYTES_MAX} bytes`));
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(finish(started, status, headers)));
      stream.end();
    });
  return { protocol: 'h2', ask, close: () => session.destroy() };
}

function finish(started: Started, status: number, headers: Record<string, string>): OriginAnswer {
  const { askedAtMs, body } = started;
  return { status, headers, body: Buffer.concat(body), askedAtMs, answeredAtMs: monotonicMs() };
}
