import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import type { OutboundGuard } from './outbound-guard.ts';
import type { OutboundRefusal } from './outbound-url.ts';

/** What came of a request to a user's URL. */
export type OutboundAnswer =
  | Readonly<{ ok: true; status: number; headers: IncomingMessage['headers']; body: Buffer }>
  | Readonly<{ ok: false; reason: OutboundRefusal | 'redirect' | 'too_large' | 'timeout' | 'failed' }>;

export type OutboundRequest = Readonly<{
  url: string;
  method?: 'GET' | 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Longer answers are broken off: `too_large`. */
  bytesMax: number;
  /** From the lookup to the end of the answer. */
  timeoutMs: number;
  /** Certificate authority instead of the usual ones, PEM. */
  ca?: string;
}>;

/**
 * HTTPS to a URL that a user has written, to the address that the guard has pinned, with the certificate checked against the
 * name in the URL. A redirect is an answer we do not follow: it would lead past the guard. Never rejects.
 */
export async function outboundRequest(guard: OutboundGuard, options: OutboundRequest): Promise<OutboundAnswer> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  const vetted = await guard.vet(options.url, 'web');
  if (!vetted.ok) return { ok: false, reason: vetted.reason };
  const { hostname, port, addresses } = vetted.target;
  const { pathname, search, host } = new URL(options.url);
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: addresses[0],
        port,
        ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
        path: `${pathname}${search}`,
        method: options.method ?? 'GET',
        headers: { ...options.headers, host },
        agent: false,
        signal,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
      (response) => {
        const status = response.statusCode ?? 0;
        if (status >= 300 && status < 400) {
          outgoing.destroy();
          resolve({ ok: false, reason: 'redirect' });
          return;
        }
        collect(response, options.bytesMax).then(
          (body) => {
            if (body === null) outgoing.destroy();
            resolve(body === null ? TOO_LARGE : { ok: true, status, headers: response.headers, body });
          },
          () => fail(), // broken off
        );
      },
    );
    const fail = (): void => resolve({ ok: false, reason: signal.aborted ? 'timeout' : 'failed' });
    outgoing.on('error', fail);
    outgoing.end(options.body);
  });
}

const TOO_LARGE = { ok: false, reason: 'too_large' } as const;

/** The whole body, or null when it is longer than it may be. */
async function collect(response: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bytesMax) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
