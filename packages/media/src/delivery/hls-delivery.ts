/**
 * HLS and LL-HLS for all streams: answers from memory, holds what is not there yet, knows the viewers. The answers themselves are
 * `hls-channel.ts`'s, the writing is `http-answer.ts`'s. Playlists are not compressed: they are 1 to 4 KB and asked for by
 * players that would have to inflate five of them a second.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Logger } from '@showfloor/service-kit';
import type { MediaMetrics } from '../media-metrics.ts';
import type { TrustedProxies } from './client-address.ts';
import type { ViewerListener } from './flv-delivery.ts';
import { type HeldRequest, ReleaseQueue } from './held-requests.ts';
import { type Due, HlsChannel, type HoldLimits, INVALID_DIRECTIVES, outcomeOf, type Wish } from './hls-channel.ts';
import { type HlsTarget, readReloadPoint } from './hls-request.ts';
import type { HlsSource, HlsSources } from './hls-source.ts';
import { type HlsViewer, HlsViewers, type HlsViewersLimits, viewerKey } from './hls-viewers.ts';
import { conditionsOf, HttpAnswer, letGo } from './http-answer.ts';
import type { ConnectionLimits, HttpConnection, HttpConnections } from './http-connections.ts';
import { RequestTally } from './request-tally.ts';

/** Requests held at once, in all streams. */
export const HELD_MAX = 20_000;
/** Held requests answered per turn: about 5 ms, so that a round of FLV does not wait for more. */
const SLICE_MAX = 500;
const EXPIRY_INTERVAL_MS = 50;
const SWEEP_INTERVAL_MS = 1_000;

export type HlsDeliveryOptions = Readonly<{
  sources: HlsSources;
  connections: HttpConnections;
  proxies: TrustedProxies;
  metrics: MediaMetrics;
  log: Logger;
  /** False when the process has all the connections it may carry. */
  hasRoom: () => boolean;
  heldMax: number;
  hold: HoldLimits;
  connection: ConnectionLimits;
  viewers: HlsViewersLimits;
  onViewer?: ViewerListener;
}>;

/** A request, on a connection on which none waits. */
export type Asking = Readonly<{ request: IncomingMessage; response: ServerResponse; connection: HttpConnection }>;

type Asked = Asking & Readonly<{ viewer: HlsViewer | null; channel: HlsChannel }>;

type Subscribed = Readonly<{ channel: HlsChannel; unsubscribe: () => void }>;

const FULL = HttpAnswer.problem(503, 'full', { 'retry-after': '5' });
const HELD_FULL = HttpAnswer.problem(503, 'too_many_waiting', { 'retry-after': '1' });
const REFUSED = HttpAnswer.problem(403, 'cut');
const NOT_ON_AIR = HttpAnswer.problem(404, 'not_on_air');

/** Serves all HLS viewers of the process. `close` stops its timers and forgets everybody; the sockets are the listener's. */
export class HlsDelivery {
  readonly #options: HlsDeliveryOptions;
  readonly #channels = new Map<string, Subscribed>();
  readonly #viewers: HlsViewers;
  readonly #releases: ReleaseQueue;
  readonly #sweepTimer: NodeJS.Timeout;
  #expiryTimer: NodeJS.Timeout | null = null;
  /** Entries in lists, also of those whose connection is gone meanwhile: they take memory until their list is released. */
  #held = 0;
  #unreported = { hls: 0, llhls: 0 };
  readonly #requests = new RequestTally();

  constructor(options: HlsDeliveryOptions) {
    const { metrics } = options;
    this.#options = options;
    this.#releases = new ReleaseQueue(SLICE_MAX, (held, answer) => this.#answerHeld(held, answer));
    this.#viewers = new HlsViewers(options.viewers, {
      onJoin: (viewer) => {
        options.onViewer?.('on_play', viewer);
        metrics.subscribers.inc({ protocol: 'hls' });
        metrics.plays.inc({ protocol: 'hls', outcome: 'accepted' });
      },
      onLowLatency: () => {
        metrics.subscribers.dec({ protocol: 'hls' });
        metrics.subscribers.inc({ protocol: 'llhls' });
        metrics.plays.inc({ protocol: 'llhls', outcome: 'accepted' });
      },
      onLeave: (viewer, reason) => this.#left(viewer, reason),
      onOverflow: () => metrics.hlsViewersUncounted.inc(),
    });
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
  }

  get heldCount(): number {
    return this.#held;
  }

  /** Viewers, for the control API. */
  viewers(): readonly HlsViewer[] {
    return this.#viewers.list();
  }

  /** Viewers of one stream. */
  countFor(playbackId: string): number {
    return this.#viewers.countFor(playbackId).all;
  }

  /** For the control API: what viewers of a stream do; null when it has no HLS. */
  factsOf(playbackId: string): Readonly<Record<string, unknown>> | null {
    const channel = this.#channelOf(playbackId);
    if (channel === undefined) return null;
    const { window, problem } = channel.source;
    return {
      problem,
      media_sequence: window?.lastMsn ?? null,
      target_duration: window === null ? null : window.targetDurationMs / 1_000,
      part_target: window === null ? null : window.partTargetMs / 1_000,
      viewers: this.#viewers.countFor(playbackId).all,
      low_latency_viewers: this.#viewers.countFor(playbackId).lowLatency,
      waiting_requests: channel.waitingCount,
    };
  }

  /** Bytes of bodies sent to viewers of a stream. */
  sentBytesOf(playbackId: string): number {
    return this.#channels.get(playbackId)?.channel.sentBytes ?? 0;
  }

  /** Cuts a viewer: its connections are closed, and it is refused for a while. False when there is none with this id. */
  cut(viewerId: string): boolean {
    const viewer = this.#viewers.find(viewerId);
    if (viewer === undefined) return false;
    this.#viewers.cut(viewer, performance.now());
    this.#options.connections.cutViewer(viewer);
    return true;
  }

  /**
   * Keeps a request back while one before it on its connection waits; `later` looks at it then. True when it does: there is nothing
   * else to be done now.
   */
  keepsBack(connection: HttpConnection, later: () => void): boolean {
    if (connection.held === null) return false;
    if (connection.behind.length + 1 < this.#options.connection.heldMax) {
      connection.behind.push(later);
      return true;
    }
    this.#options.metrics.hlsConnectionsCut.inc({ reason: 'pipelined' });
    connection.socket.destroy();
    return true;
  }

  /** Answers or holds one GET or HEAD. `query` is without `?`. */
  handle(target: HlsTarget, query: string, { request, response, connection }: Asking): void {
    const { metrics, connections, connection: limits } = this.#options;
    const channel = this.#channelOf(target.playbackId);
    if (channel === undefined) {
      if (target.kind !== 'object') metrics.plays.inc({ protocol: 'hls', outcome: 'not_found' });
      this.#requests.count(target.kind, 'not_found', 1);
      NOT_ON_AIR.send(request, response);
      return;
    }
    if (request.socket.writableLength > limits.queueBytesMax) {
      metrics.hlsConnectionsCut.inc({ reason: 'queue' });
      request.socket.destroy();
      return;
    }
    if (!connection.isHls && !this.#options.hasRoom()) {
      metrics.plays.inc({ protocol: 'hls', outcome: 'full' });
      this.#requests.count(target.kind, 'full', 1);
      FULL.send(request, response);
      return;
    }
    const viewer = this.#viewerOf(request, query, connection, channel);
    if (viewer === 'refused') {
      this.#requests.count(target.kind, 'refused', 1);
      REFUSED.send(request, response);
      return;
    }
    connections.markHls(connection);
    this.#serve({ request, response, connection, viewer, channel }, target, query);
  }

  close(): void {
    clearInterval(this.#sweepTimer);
    if (this.#expiryTimer !== null) clearInterval(this.#expiryTimer);
    this.#expiryTimer = null;
    for (const { unsubscribe } of this.#channels.values()) unsubscribe();
    this.#channels.clear();
    this.#releases.clear();
    this.#held = 0;
    this.#viewers.clear('server_stopping');
    this.#report();
  }

  #serve(asked: Asked, target: HlsTarget, query: string): void {
    const { channel, viewer } = asked;
    let found: HttpAnswer | Wish;
    if (target.kind === 'multivariant') found = channel.multivariant();
    else if (target.kind === 'object') {
      found = channel.object(target.name);
    } else {
      const point = readReloadPoint(query);
      if (viewer !== null && point !== null && point !== 'invalid') this.#viewers.markLowLatency(viewer);
      found = point === 'invalid' ? INVALID_DIRECTIVES : channel.playlist(point);
    }
    if (!(found instanceof HttpAnswer)) {
      this.#hold(asked, found, target.kind);
      return;
    }
    this.#requests.count(target.kind, outcomeOf(found), 1);
    this.#sent(asked, found.send(asked.request, asked.response).bytes);
  }

  #hold({ request, response, connection, viewer, channel }: Asked, wish: Wish, kind: HlsTarget['kind']): void {
    if (this.#held >= this.#options.heldMax) {
      this.#requests.count(kind, 'held_full', 1);
      HELD_FULL.send(request, response);
      return;
    }
    const [conditions, heldAtMs] = [conditionsOf(request), performance.now()];
    const held: HeldRequest = { conditions, way: letGo(response), connection, viewer, channel, heldAtMs };
    connection.held = held;
    if (viewer !== null) viewer.waiting += 1;
    channel.hold(wish, held);
    this.#held += 1;
    this.#options.metrics.hlsHeld.set(this.#held);
    this.#expiryTimer ??= setInterval(() => this.#expire(), EXPIRY_INTERVAL_MS);
  }

  /** The viewer who asks; null when the table is full, and for HEAD, which watches nothing. */
  #viewerOf(
    request: IncomingMessage,
    query: string,
    connection: HttpConnection,
    channel: HlsChannel,
  ): HlsViewer | null | 'refused' {
    const { headers } = request;
    const forwarded = headers['x-forwarded-for'];
    const ip = this.#options.proxies.clientOf(
      connection.remoteAddress,
      typeof forwarded === 'string' ? forwarded : forwarded?.join(','),
    );
    const key = viewerKey(channel.playbackId, headers, query, ip);
    const nowMs = performance.now();
    if (this.#viewers.isRefused(key, nowMs)) return 'refused';
    if (request.method !== 'GET') return null;
    const identity = { key, playbackId: channel.playbackId, ip };
    const viewer = this.#viewers.seen(identity, channel.targetDurationMs, nowMs);
    connection.viewer = viewer;
    return viewer;
  }

  /** The channel of a stream that can be had now; made, and made anew, as its source changes. */
  #channelOf(playbackId: string): HlsChannel | undefined {
    const source = this.#options.sources.find(playbackId);
    const known = this.#channels.get(playbackId);
    if (known !== undefined && known.channel.source === source) return known.channel;
    if (known !== undefined) this.#abandon(known);
    if (source === undefined) return undefined;
    const channel = new HlsChannel(playbackId, source, this.#options.hold, performance.now());
    this.#channels.set(playbackId, { channel, unsubscribe: this.#subscribe(channel, source) });
    return channel;
  }

  #subscribe(channel: HlsChannel, source: HlsSource): () => void {
    return source.onChange(() => {
      const nowMs = performance.now();
      this.#release(channel.due(nowMs), nowMs);
    });
  }

  #abandon({ channel, unsubscribe }: Subscribed): void {
    unsubscribe();
    this.#channels.delete(channel.playbackId);
    this.#viewers.clear('stream_ended', channel.playbackId);
    this.#release(channel.abandoned(), performance.now());
  }

  #release(dues: readonly Due[], sinceMs: number): void {
    const { metrics } = this.#options;
    for (const { wish, list, answer, outcome } of dues) {
      const kind = wish.kind === 'object' ? 'object' : wish.kind === 'first-multivariant' ? 'multivariant' : 'playlist';
      this.#releases.add(list, answer, () => {
        this.#requests.count(kind, outcome, list.length);
        metrics.hlsHeld.set(this.#held);
        if (outcome === 'ok') metrics.hlsReleaseSeconds.observe((performance.now() - sinceMs) / 1_000);
      });
    }
  }

  #answerHeld(held: HeldRequest, answer: HttpAnswer): void {
    this.#held -= 1;
    const { way, viewer, connection } = held;
    if (way === null) return; // its connection is gone
    held.way = null;
    if (viewer !== null) {
      viewer.waiting -= 1;
      viewer.lastSeenMs = performance.now();
    }
    if (way.writable) this.#sent(held, answer.sendTo(held.conditions, way).bytes);
    connection.goOn();
  }

  #sent({ viewer, channel }: Readonly<{ viewer: HlsViewer | null; channel: HlsChannel }>, bytes: number): void {
    channel.sentBytes += bytes;
    this.#unreported[viewer?.protocol ?? 'hls'] += bytes;
    if (viewer !== null) viewer.sentBytes += bytes;
  }

  #expire(): void {
    const nowMs = performance.now();
    for (const { channel } of this.#channels.values()) this.#release(channel.expired(nowMs), nowMs);
    if (this.#held > 0 || this.#expiryTimer === null) return;
    clearInterval(this.#expiryTimer);
    this.#expiryTimer = null;
  }

  #sweep(): void {
    const { connections, metrics, connection: limits } = this.#options;
    const nowMs = performance.now();
    for (const playbackId of this.#channels.keys()) this.#channelOf(playbackId); // lets go of streams that are over
    this.#viewers.sweep(nowMs);
    const stuck = connections.cutStuck(nowMs, limits.stuckMsMax);
    if (stuck > 0) metrics.hlsConnectionsCut.inc({ reason: 'stuck' }, stuck);
    this.#report();
  }

  /** Figures that would cost too much per request. */
  #report(): void {
    const { metrics } = this.#options;
    for (const protocol of ['hls', 'llhls'] as const) {
      metrics.sentBytes.inc({ protocol }, this.#unreported[protocol]);
      this.#unreported[protocol] = 0;
    }
    this.#requests.report(metrics.hlsRequests);
    metrics.hlsHeld.set(this.#held);
  }

  #left(viewer: HlsViewer, reason: string): void {
    const { metrics, log } = this.#options;
    metrics.subscribers.dec({ protocol: viewer.protocol });
    metrics.subscriberEnds.inc({ reason });
    this.#options.onViewer?.('on_stop', viewer);
    const { playbackId, sentBytes, protocol } = viewer;
    const fields = { playbackId, protocol, reason, watchedMs: Date.now() - viewer.createdAtMs, sentBytes };
    if (reason === 'cut') log.info(fields, 'viewer.closed');
    else log.debug(fields, 'viewer.closed');
  }
}
