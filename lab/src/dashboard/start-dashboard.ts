/** The server of the dashboard: one page, and one stream of frames. It only reads; nobody can change a run through it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DashboardFrame } from './dashboard-frame.ts';
import { renderPage } from './dashboard-page.ts';
import { EventStream, type PageCounters } from './event-stream.ts';
import { isHostAllowed } from './host-check.ts';

/** Where a dashboard listens when nothing else is said. */
export const DASHBOARD_PORT = 9090;
/** Frames that come faster are merged into the newest. */
export const FRAME_EVERY_MS_MIN = 1000;
/** Timers of the sender are not exact: a frame that is early by less is not held back for another second. */
const EARLY_MS = 100;
/** Connections in all, pages that load and event streams together. */
const CONNECTIONS_MAX = 128;
const HEADERS_TIMEOUT_MS = 10_000;

/** Options of {@link startDashboard}. */
export type DashboardOptions = {
  /** Default: loopback only. Whoever can reach it can read the run; there is no password. */
  readonly host?: string;
  /** 0: any free one. Default {@link DASHBOARD_PORT}. */
  readonly port?: number;
  /** Title of the page until the first frame. */
  readonly title: string;
};

/** A running dashboard; its owner awaits `close()`. */
export type Dashboard = {
  readonly url: string;
  /** Shows it to everybody, at most one per second: of several in a second the newest counts. */
  readonly push: (frame: DashboardFrame) => void;
  readonly counters: () => PageCounters & { readonly refusedHosts: number };
  /** Sends what is held back, tells every page that it is over, and resolves when the port is free. */
  readonly close: () => Promise<void>;
};

/** The port cannot be had. One line for people. */
export class DashboardPortError extends Error {
  override readonly name = 'DashboardPortError';
}

/** Starts it. Throws {@link DashboardPortError}. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { host = '127.0.0.1', port = DASHBOARD_PORT, title } = options;
  const stream = new EventStream();
  const page = renderPage(title);
  let refusedHosts = 0;
  const server = createServer((request, response) => {
    setHeaders(response, page.contentSecurityPolicy);
    if (!isHostAllowed(request.headers.host, host)) {
      refusedHosts += 1;
      refuse(response, 421, 'this dashboard is not served under that name: use localhost or an address');
    } else answer(request, response, page.html, stream);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  const bound = await listen(server, host, port);
  const pacer = new FramePacer((frame) => stream.push(frame));
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/`,
    push: (frame) => pacer.push(frame),
    counters: () => ({ ...stream.counters, refusedHosts }),
    close: async () => {
      pacer.flush();
      stream.end();
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 500).unref();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, html: Buffer, stream: EventStream): void {
  const { method, url } = request;
  const path = (url ?? '/').split('?')[0];
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    refuse(response, 405, 'this dashboard is only for looking');
  } else if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': html.length });
    response.end(method === 'HEAD' ? undefined : html);
  } else if (path === '/events' && method === 'GET') {
    // A foreign page cannot read this stream, but it could take up all places.
    if (request.headers['sec-fetch-site'] === 'cross-site') refuse(response, 403, 'only for the page itself');
    else stream.open(request, response);
  } else refuse(response, 404, 'there is only / and /events');
}

function setHeaders(response: ServerResponse, contentSecurityPolicy: string): void {
  response.setHeader('content-security-policy', contentSecurityPolicy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cache-control', 'no-store');
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${text}\n`);
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(port, host, () => {
        server.off('error', failed);
        done();
      });
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DashboardPortError(
      code === 'EADDRINUSE'
        ? `port ${port} is taken, so the dashboard cannot be shown there: name another with --dashboard <port>`
        : `the dashboard cannot listen on ${host}:${port}: ${message}`,
    );
  }
  return (server.address() as AddressInfo).port;
}

/** Lets at most one frame per {@link FRAME_EVERY_MS_MIN} through. */
class FramePacer {
  readonly #send: (frame: DashboardFrame) => void;
  #held: DashboardFrame | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sentAtMs = Number.NEGATIVE_INFINITY;

  constructor(send: (frame: DashboardFrame) => void) {
    this.#send = send;
  }

  push(frame: DashboardFrame): void {
    this.#held = frame;
    if (this.#timer !== null) return;
    const waitMs = this.#sentAtMs + FRAME_EVERY_MS_MIN - performance.now();
    if (waitMs <= EARLY_MS) this.flush();
    else this.#timer = setTimeout(() => this.flush(), waitMs).unref();
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const frame = this.#held;
    this.#held = null;
    if (frame === null) return;
    this.#sentAtMs = performance.now();
    this.#send(frame);
  }
}
