/**
 * The control API in SRS's shape, so that collectors and tools written for SRS work here. On the admin listener only.
 * https://ossrs.io/lts/en-us/docs/v6/doc/http-api
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import type { FlvDelivery } from '../delivery/flv-delivery.ts';
import type { Stream } from '../hub/stream.ts';
import type { StreamHub } from '../hub/stream-hub.ts';
import type { RtmpServer } from '../ingest/rtmp-server.ts';
import { RateMeter } from './rate-meter.ts';

/** SRS's `code` for an id that is not there (ERROR_RTMP_CLIENT_NOT_FOUND). */
const CODE_NOT_FOUND = 2049;
const VIDEO_PROFILES = new Map([
  [66, 'Baseline'],
  [77, 'Main'],
  [100, 'High'],
]);

export type SrsApiOptions = Readonly<{
  hub: StreamHub;
  rtmp: RtmpServer;
  flv: FlvDelivery;
  app: string;
  serverId: string;
  /** The remembered key of a stream must not let anyone in unasked: its publisher was cut, or it was rotated. */
  forgetKey: (playbackId: string) => void;
  /** What the restream targets of a stream do: not SRS's, and without their addresses. */
  restreamOf: (playbackId: string) => readonly Record<string, unknown>[];
}>;

type Rates = { readonly received: RateMeter; readonly sent: RateMeter };

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
      const { received, sent } = this.#ratesOf(stream);
      received.sample(stream.receivedBytes, nowMs);
      sent.sample(this.#options.flv.sentBytesOf(stream), nowMs);
    }
    const used = process.cpuUsage(this.#cpu);
    this.#cpuPercent = (used.user + used.system) / 1000 / Math.max(1, nowMs - this.#cpuAtMs);
    this.#cpu = process.cpuUsage();
    this.#cpuAtMs = nowMs;
  }

  /** Returns true when it has answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '').split('?')[0] ?? '';
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
    else if (kind === 'streams') this.#sendList(response, 'streams', this.#streams(), id);
    else this.#sendList(response, 'clients', this.#clients(), id);
    return true;
  }

  #send(response: ServerResponse, body: Record<string, unknown>): void {
    const { serverId } = this.#options;
    send(response, 200, { code: 0, server: serverId, service: serverId, pid: String(process.pid), ...body });
  }

  #sendList(response: ServerResponse, name: string, items: readonly { id: string }[], id: string | undefined): void {
    if (id === undefined) {
      this.#send(response, { [name]: items });
      return;
    }
    const item = items.find((candidate) => candidate.id === id);
    if (item === undefined) send(response, 404, { code: CODE_NOT_FOUND });
    else this.#send(response, { [name.slice(0, -1)]: item });
  }

  #sendCut(response: ServerResponse, id: string): void {
    const session = this.#options.rtmp.sessions.get(id);
    if (session !== undefined) {
      const playbackId = session.publication?.stream.playbackId;
      session.close('cut');
      if (playbackId !== undefined) this.#options.forgetKey(playbackId);
      this.#send(response, {});
    } else if (this.#options.flv.cut(id, 'cut')) {
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
    const rates = { received: new RateMeter(), sent: new RateMeter() };
    this.#rates.set(stream, rates);
    return rates;
  }

  #streams(): { id: string }[] {
    const nowMs = performance.now();
    return this.#options.hub.list().map(({ stream, publisherClientId }) => {
      const { avc, aac } = stream.format;
      const sentBytes = this.#options.flv.sentBytesOf(stream);
      const rates = this.#ratesOf(stream);
      return {
        id: stream.sessionId,
        name: stream.playbackId,
        vhost: '__defaultVhost__',
        app: this.#options.app,
        url: `/${this.#options.app}/${stream.playbackId}`,
        state: stream.state,
        live_ms: Date.now() - stream.createdAtMs,
        clients: this.#options.flv.countFor(stream) + (publisherClientId === null ? 0 : 1),
        frames: stream.videoFrames,
        send_bytes: sentBytes,
        recv_bytes: stream.receivedBytes,
        kbps: {
          recv_30s: rates.received.kbps(stream.receivedBytes, nowMs),
          send_30s: Math.max(0, rates.sent.kbps(sentBytes, nowMs)),
        },
        restream: this.#options.restreamOf(stream.playbackId),
        publish: { active: publisherClientId !== null, cid: publisherClientId ?? '' },
        video: avc === null ? null : videoFacts(avc),
        audio:
          aac === null
            ? null
            : { codec: 'AAC', sample_rate: aac.sampleRateHz, channel: aac.channels, profile: aac.codec },
      };
    });
  }

  #clients(): { id: string }[] {
    const { app } = this.#options;
    const publishers = [...this.#options.rtmp.sessions.values()].flatMap((session) => {
      const playbackId = session.publication?.stream.playbackId;
      if (playbackId === undefined) return [];
      return [
        clientFacts({ ...factsOf(session, session.clientId), playbackId, receivedBytes: session.receivedBytes }, app),
      ];
    });
    const viewers = this.#options.flv
      .viewers()
      .map((viewer) =>
        clientFacts({ ...factsOf(viewer, viewer.id), playbackId: viewer.playbackId, receivedBytes: null }, app),
      );
    return [...publishers, ...viewers];
  }

  /** Facts about process and machine. */
  summaries(): Record<string, unknown> {
    const { rtmp, flv } = this.#options;
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
        conn_srs: rtmp.connectionCount + flv.viewerCount,
      },
    };
  }
}

type AvcFacts = NonNullable<Stream['format']['avc']>;

function videoFacts({ sps }: AvcFacts): Record<string, unknown> {
  return {
    codec: 'H264',
    profile: VIDEO_PROFILES.get(sps.profileIdc) ?? String(sps.profileIdc),
    level: String(sps.levelIdc / 10),
    width: sps.widthPx,
    height: sps.heightPx,
    frame_rate: sps.frameRate,
  };
}

type ClientSource = { ip: string; createdAtMs: number; sentBytes: number };
type ClientFacts = ClientSource & { id: string; playbackId: string; receivedBytes: number | null };

function factsOf({ ip, createdAtMs, sentBytes }: ClientSource, id: string): ClientSource & { id: string } {
  return { id, ip, createdAtMs, sentBytes };
}

/** `receivedBytes` is null for viewers. */
function clientFacts(facts: ClientFacts, app: string): { id: string } & Record<string, unknown> {
  return {
    id: facts.id,
    vhost: '__defaultVhost__',
    stream: facts.playbackId,
    ip: facts.ip,
    url: `/${app}/${facts.playbackId}`,
    name: facts.playbackId,
    type: facts.receivedBytes === null ? 'flv-play' : 'fmle-publish',
    publish: facts.receivedBytes !== null,
    alive: (Date.now() - facts.createdAtMs) / 1000,
    send_bytes: facts.sentBytes,
    recv_bytes: facts.receivedBytes ?? 0,
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
