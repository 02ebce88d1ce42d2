/**
 * The control API in SRS's shape, so that collectors and tools written for SRS work here. On the admin listener only.
 * https://ossrs.io/lts/en-us/docs/v6/doc/http-api
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import type { FlvDelivery } from '../delivery/flv-delivery.ts';
import type { HlsDelivery } from '../delivery/hls-delivery.ts';
import type { Stream } from '../hub/stream.ts';
import type { StreamHub } from '../hub/stream-hub.ts';
import type { RtmpServer } from '../ingest/rtmp-server.ts';
import { RateMeter } from './rate-meter.ts';
import { type Page, readPage } from './srs-page.ts';
import { type ClientFacts, clientRow, streamRow } from './srs-rows.ts';

/** SRS's `code` for an id that is not there (ERROR_RTMP_CLIENT_NOT_FOUND). */
const CODE_NOT_FOUND = 2049;
/** The measured frame rate is that of the last 10 seconds. */
const FRAME_WINDOW = { slots: 5, slotMs: 2_000 };

export type SrsApiOptions = Readonly<{
  hub: StreamHub;
  rtmp: RtmpServer;
  flv: FlvDelivery;
  hls: HlsDelivery;
  /** Open connections that carry viewers of any protocol. */
  viewerConnections: () => number;
  app: string;
  serverId: string;
  /** The remembered key of a stream must not let anyone in unasked: its publisher was cut, or it was rotated. */
  forgetKey: (playbackId: string) => void;
  /** What other parts do with a stream, each under its name in the stream's row: not SRS's, and without secrets. */
  facts: Readonly<Record<string, (playbackId: string) => unknown>>;
}>;

type Listed = ReturnType<StreamHub['list']>[number];
type Rates = { readonly received: RateMeter; readonly sent: RateMeter; readonly frames: RateMeter };

/** Answers `/api/v1/…`. Call `sample` every few seconds for the rates. */
export class SrsApi {
  readonly #options: SrsApiOptions;
  readonly #rates = new WeakMap<Stream, Rates>();
  #cpu = process.cpuUsage();
  #cpuAtMs = performance.now();
  #cpuPercent = 0;

  constructor(options: SrsApiOptions) {
    this.#options = options;
  }

  /** Updates rates and CPU share. */
  sample(): void {
    const nowMs = performance.now();
    for (const { stream } of this.#options.hub.list()) {
      const { received, sent, frames } = this.#ratesOf(stream);
      received.sample(stream.receivedBytes, nowMs);
      sent.sample(this.#sentBytesOf(stream), nowMs);
      frames.sample(stream.videoFrames, nowMs);
    }
    const used = process.cpuUsage(this.#cpu);
    this.#cpuPercent = (used.user + used.system) / 1000 / Math.max(1, nowMs - this.#cpuAtMs);
    this.#cpu = process.cpuUsage();
    this.#cpuAtMs = nowMs;
  }

  /** Returns true when it has answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const keyOf = /^\/api\/v1\/streams\/([^/]+)\/key\/?$/.exec(path)?.[1];
    if (keyOf !== undefined) {
      this.#sendForget(request, response, keyOf);
      return true;
    }
    const match = /^\/api\/v1\/(summaries|streams|clients|versions)(?:\/([^/]+))?\/?$/.exec(path);
    if (match === null) return false;
    const [, kind, id] = match;
    if (request.method === 'DELETE' && kind === 'clients' && id !== undefined) this.#sendCut(response, id);
    else if (request.method === 'DELETE' && kind === 'streams' && id !== undefined) this.#sendEnd(response, id);
    else if (request.method !== 'GET') send(response, 405, { code: 1 });
    else if (kind === 'summaries') this.#send(response, { data: this.summaries() });
    else if (kind === 'versions') this.#send(response, { data: { major: 6, minor: 0, revision: 0, version: '6.0.0' } });
    else if (kind === 'streams') this.#sendStreams(response, readPage(query), id);
    else this.#sendClients(response, readPage(query), id);
    return true;
  }

  #send(response: ServerResponse, body: Record<string, unknown>): void {
    const { serverId } = this.#options;
    send(response, 200, { code: 0, server: serverId, service: serverId, pid: String(process.pid), ...body });
  }

  #sendStreams(response: ServerResponse, { start, count }: Page, id: string | undefined): void {
    const all = this.#options.hub.list();
    if (id === undefined) {
      const streams = all.slice(start, start + count).map((entry) => this.#streamRow(entry));
      this.#send(response, { streams, total: all.length });
      return;
    }
    const entry = all.find(({ stream }) => stream.sessionId === id || stream.playbackId === id);
    if (entry === undefined) send(response, 404, { code: CODE_NOT_FOUND });
    else this.#send(response, { stream: this.#streamRow(entry) });
  }

  /** Publishers first: whoever looks for one finds it on the first page. */
  #sendClients(response: ServerResponse, { start, count }: Page, id: string | undefined): void {
    const all = [...this.#publishers(), ...this.#viewers()];
    const { app } = this.#options;
    if (id === undefined) {
      const clients = all.slice(start, start + count).map((facts) => clientRow(facts(), app));
      this.#send(response, { clients, total: all.length });
      return;
    }
    const facts = all.map((one) => one()).find((one) => one.id === id);
    if (facts === undefined) send(response, 404, { code: CODE_NOT_FOUND });
    else this.#send(response, { client: clientRow(facts, app) });
  }

  #sendCut(response: ServerResponse, id: string): void {
    const session = this.#options.rtmp.sessions.get(id);
    if (session !== undefined) {
      const playbackId = session.publication?.stream.playbackId;
      session.close('cut');
      if (playbackId !== undefined) this.#options.forgetKey(playbackId);
      this.#send(response, {});
    } else if (this.#options.flv.cut(id, 'cut') || this.#options.hls.cut(id)) {
      this.#send(response, {});
    } else {
      send(response, 404, { code: CODE_NOT_FOUND });
    }
  }

  /** Not SRS's: ends a show's stream by its name or id, when the seller stops the show. */
  #sendEnd(response: ServerResponse, id: string): void {
    this.#options.forgetKey(id); // also when nobody publishes now
    const entry = this.#options.hub.list().find(({ stream }) => stream.playbackId === id || stream.sessionId === id);
    if (entry === undefined) {
      send(response, 404, { code: CODE_NOT_FOUND });
      return;
    }
    this.#options.forgetKey(entry.stream.playbackId);
    this.#options.hub.end(entry.stream.playbackId, 'cut');
    this.#send(response, {});
  }

  /** Not SRS's: `DELETE …/streams/{playbackId}/key` when a key was rotated. Publishers on air stay. */
  #sendForget(request: IncomingMessage, response: ServerResponse, playbackId: string): void {
    if (request.method !== 'DELETE') {
      send(response, 405, { code: 1 });
      return;
    }
    this.#options.forgetKey(playbackId);
    this.#send(response, {});
  }

  #ratesOf(stream: Stream): Rates {
    const known = this.#rates.get(stream);
    if (known !== undefined) return known;
    const rates = { received: new RateMeter(), sent: new RateMeter(), frames: new RateMeter(FRAME_WINDOW) };
    this.#rates.set(stream, rates);
    return rates;
  }

  /** To viewers of all protocols. */
  #sentBytesOf(stream: Stream): number {
    return this.#options.flv.sentBytesOf(stream) + this.#options.hls.sentBytesOf(stream.playbackId);
  }

  #streamRow({ stream, publisherClientId }: Listed): { id: string } {
    const { flv, hls, facts, app } = this.#options;
    const nowMs = performance.now();
    const sentBytes = this.#sentBytesOf(stream);
    const { received, sent, frames } = this.#ratesOf(stream);
    const viewers = flv.countFor(stream) + hls.countFor(stream.playbackId);
    return streamRow(stream, app, {
      clients: viewers + (publisherClientId === null ? 0 : 1),
      sentBytes,
      receivedKbps: received.kbps(stream.receivedBytes, nowMs),
      sentKbps: sent.kbps(sentBytes, nowMs),
      frameRate: Math.round(frames.perSecond(stream.videoFrames, nowMs) * 10) / 10,
      publisherClientId,
      facts: Object.fromEntries(Object.entries(facts).map(([name, factsOf]) => [name, factsOf(stream.playbackId)])),
    });
  }

  /** Facts are read when they are wanted: most rows of a large show are on other pages. */
  #publishers(): (() => ClientFacts)[] {
    return [...this.#options.rtmp.sessions.values()].flatMap((session) => {
      const playbackId = session.publication?.stream.playbackId;
      if (playbackId === undefined) return [];
      const { clientId: id, ip, createdAtMs, sentBytes, receivedBytes } = session;
      return [() => ({ id, ip, playbackId, createdAtMs, sentBytes, receivedBytes, queuedBytes: 0, protocol: 'rtmp' })];
    });
  }

  #viewers(): (() => ClientFacts)[] {
    const flv = this.#options.flv.viewers().map((viewer) => (): ClientFacts => {
      const { id, ip, playbackId, createdAtMs, sentBytes, backlogBytes: queuedBytes } = viewer;
      return { id, ip, playbackId, createdAtMs, sentBytes, queuedBytes, protocol: 'flv', receivedBytes: null };
    });
    const hls = this.#options.hls.viewers().map((viewer) => (): ClientFacts => {
      const { id, ip, playbackId, createdAtMs, sentBytes, protocol } = viewer;
      return { id, ip, playbackId, createdAtMs, sentBytes, queuedBytes: 0, protocol, receivedBytes: null };
    });
    return [...flv, ...hls];
  }

  /** Facts about process and machine. */
  summaries(): Record<string, unknown> {
    const { rtmp } = this.#options;
    const memory = process.memoryUsage.rss();
    return {
      ok: true,
      now_ms: Date.now(),
      self: {
        version: '6.0.0',
        pid: process.pid,
        ppid: process.ppid,
        mem_kbyte: Math.round(memory / 1024),
        mem_percent: memory / totalmem(),
        cpu_percent: this.#cpuPercent,
        srs_uptime: Math.round(process.uptime()),
      },
      system: {
        cpus: cpus().length,
        cpus_online: cpus().length,
        load_1m: loadavg()[0],
        load_5m: loadavg()[1],
        load_15m: loadavg()[2],
        mem_ram_kbyte: Math.round(totalmem() / 1024),
        mem_ram_percent: 1 - freemem() / totalmem(),
        conn_srs: rtmp.connectionCount + this.#options.viewerConnections(),
      },
    };
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
