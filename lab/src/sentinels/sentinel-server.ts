/**
 * Serves the sentinels' page and players from this machine, and passes on the stream of a target that does not let other
 * origins read it. Loopback only.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SENTINEL_PAGE } from './sentinel-page.ts';

const PROBE_TIMEOUT_MS = 5000;
const VIA = /^\/via\/(https?)\/([^/]+)(\/.*)$/;

/** A running server; its owner calls `close()`. */
export class SentinelServer {
  readonly #server: Server;
  readonly #allowedHosts = new Set<string>();

  /** Throws when the players are not installed. */
  static async open(): Promise<SentinelServer> {
    const files = new Map([
      ['/mpegts.js', await readFile(fileURLToPath(import.meta.resolve('mpegts.js')))],
      ['/hls.js', await readFile(fileURLToPath(new URL('./hls.min.js', import.meta.resolve('hls.js'))))],
    ]);
    const server = createServer();
    const sentinels = new SentinelServer(server);
    server.on('request', (request, response) => sentinels.#answer(files, request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return sentinels;
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The page for one player. A stream that other origins may not read goes through this server. */
  async pageUrl(way: string, streamUrl: string): Promise<string> {
    const url = (await this.#isReadable(streamUrl)) ? streamUrl : this.#via(new URL(streamUrl));
    return `${this.origin}/?${new URLSearchParams({ way, url }).toString()}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #isReadable(url: string): Promise<boolean> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PROBE_TIMEOUT_MS);
    try {
      const response = await fetch(url, { headers: { Origin: this.origin }, signal: stop.signal });
      return ['*', this.origin].includes(response.headers.get('access-control-allow-origin') ?? '');
    } catch {
      return false; // the player will say what is wrong
    } finally {
      clearTimeout(timer);
      stop.abort(); // the body may be endless
    }
  }

  #via(url: URL): string {
    this.#allowedHosts.add(url.host);
    return `${this.origin}/via/${url.protocol.slice(0, -1)}/${url.host}${url.pathname}${url.search}`;
  }

  #answer(files: ReadonlyMap<string, Buffer>, request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    const file = files.get(path);
    const [, scheme = '', host = '', rest = ''] = VIA.exec(path) ?? [];
    if (file !== undefined) response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(file);
    else if (this.#allowedHosts.has(host)) void passOn(`${scheme}://${host}${rest}`, response);
    else if (path.startsWith('/?')) response.writeHead(200, { 'Content-Type': 'text/html' }).end(SENTINEL_PAGE);
    else response.writeHead(404).end();
  }
}

async function passOn(url: string, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const answer = await fetch(url, { signal: gone.signal });
    response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? 'text/plain' });
    if (answer.body === null) return void response.end();
    const body = Readable.fromWeb(answer.body);
    body.once('error', () => response.destroy());
    body.pipe(response);
  } catch {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  }
}
