import { setTimeout as sleep } from 'node:timers/promises';
import { acceptsFourCc } from '@showfloor/media-formats';
import { connectRtmpPublisher, type RtmpPublisher } from '@showfloor/rtmp-client';
import type { Logger, OutboundGuard } from '@showfloor/service-kit';
import type { MediaPacket } from '../hub/media-packet.ts';
import type { Stream, StreamOutput } from '../hub/stream.ts';
import type { RestreamTarget } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { BACKOFF_LIMITS, type BackoffLimits, backoffMs } from './backoff.ts';
import { FlowMeter } from './flow-meter.ts';
import { FlowWatch } from './flow-watch.ts';
import { RestreamConnection } from './restream-connection.ts';
import { type AttemptEnd, messageOf, type RestreamStatus } from './restream-status.ts';

const MAYBE_HEVC =
  'The target ended the connection. It may not take H.265: choose H.264 in your encoder if this goes on.';
/** The longest that a timer can wait. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Bounds of one target. */
export type RestreamLimits = Readonly<{
  /** Bytes that may wait for a slow target; over it, it skips to the next keyframe. */
  backlogBytesMax: number;
  /** From the start of an attempt to the accepted publish. */
  connectTimeoutMs: number;
  /** A target that has taken nothing for this long, with bytes waiting, is not called active any longer. */
  hesitantMs: number;
  /** After this long it is let go. */
  stalledMs: number;
  /** A connection that was good for this long makes the next pause the shortest again. */
  steadyMs: number;
  backoff: BackoffLimits;
}>;

/** 4 MB are 12 s of 2.65 Mbit/s. */
export const RESTREAM_LIMITS: RestreamLimits = {
  backlogBytesMax: 4 * 1024 * 1024,
  connectTimeoutMs: 10_000,
  hesitantMs: 3_000,
  stalledMs: 10_000,
  steadyMs: 60_000,
  backoff: BACKOFF_LIMITS,
};

export type RestreamerOptions = Readonly<{
  guard: OutboundGuard;
  metrics: MediaMetrics;
  log: Logger;
  limits: RestreamLimits;
  /** Certificate authority instead of the usual ones, PEM. */
  ca?: string;
  /** Called when the state or its reason is another one. */
  onStatus: (status: RestreamStatus) => void;
  random?: () => number;
}>;

/** What the control API and the metrics tell of one target. No field holds its URL or key. */
export type RestreamFacts = Readonly<{
  id: string;
  status: RestreamStatus;
  bitrateBps: number;
  frameRate: number;
  sentBytes: number;
  backlogBytes: number;
  /** Null for a target that never acknowledges. */
  acknowledgedBytes: number | null;
  droppedPackets: number;
  attempts: number;
  failuresInARow: number;
  /** Null unless `waiting` for the next attempt. */
  retryInMs: number | null;
}>;

/**
 * Pushes one stream to one target: re-muxed, never transcoded, with a queue, a backoff and a fate of its own. It connects, starts
 * at a keyframe with the headers before it, and connects again for as long as the show is on. Through a publisher's absence it
 * holds the connection: what comes after continues it. Attach it to its stream; it ends with the stream or by `stop`.
 */
export class Restreamer implements StreamOutput {
  readonly target: RestreamTarget;
  readonly #stream: Stream;
  readonly #options: RestreamerOptions;
  readonly #stop = new AbortController();
  readonly #meter = new FlowMeter();
  /** Aborts when the publisher is back. */
  #publisherIsBack = new AbortController();
  #status: RestreamStatus = { state: 'idle', reason: null, message: null, sinceMs: Date.now() };
  #connection: RestreamConnection | null = null;
  #isPublisherAway: boolean;
  #attempts = 0;
  #failures = 0;
  #retryAtMs = 0;
  /** The failure that was logged last. */
  #toldReason: AttemptEnd['reason'] | null = null;
  /** Of connections that are over. */
  #sentBytesBefore = 0;
  #droppedBefore = 0;
  #framesBefore = 0;
  /** Bytes of this connection that must have left for the target to be active (again). */
  #flowMarkBytes = 0;
  #watch: FlowWatch;
  /** It has stopped taking bytes, and is given a while. */
  #isHesitant = false;
  #countedBytes = 0;
  #countedDrops = 0;

  /** Starts at once; the caller attaches it to the stream. */
  constructor(stream: Stream, target: RestreamTarget, options: RestreamerOptions) {
    this.target = target;
    this.#stream = stream;
    this.#options = options;
    this.#isPublisherAway = stream.state === 'interrupted';
    this.#watch = new FlowWatch(options.limits);
    void this.#run(); // never rejects: every outcome of an attempt is a value
  }

  packet(packet: MediaPacket): void {
    const connection = this.#connection;
    if (connection === null) return;
    connection.take(packet, this.#stream.headers);
    if (this.#status.state !== 'active') this.#noticeFlow(connection.publisher);
  }

  tracksChanged(): void {
    // A connection has no list of tracks: what is missing is simply not sent.
  }

  interrupted(): void {
    this.#isPublisherAway = true;
    if (this.#connection === null) return; // told by the attempts
    this.#setStatus('waiting', { reason: 'publisher_away' });
  }

  resumed(): void {
    this.#isPublisherAway = false;
    this.#flowMarkBytes = this.#connection?.publisher.stats.sentBytes ?? 0;
    this.#publisherIsBack.abort();
  }

  ended(): void {
    this.stop();
  }

  /** Says goodbye to the target and ends everything within half a second. Calling it again does nothing. */
  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#stream.detach(this);
    this.sample(performance.now());
    this.#connection?.publisher.close();
    this.#setStatus('stopped', null);
  }

  /** Measures the flow and lets a stalled target go. Call it about once a second. */
  sample(nowMs: number): void {
    const { sentBytes, droppedPackets } = this.#totals();
    const { metrics } = this.#options;
    metrics.restreamSentBytes.inc(sentBytes - this.#countedBytes);
    metrics.restreamDroppedPackets.inc(droppedPackets - this.#countedDrops);
    this.#countedBytes = sentBytes;
    this.#countedDrops = droppedPackets;
    this.#meter.sample(sentBytes, this.#framesBefore + (this.#connection?.videoFrames ?? 0), nowMs);
    const publisher = this.#connection?.publisher;
    if (publisher === undefined) return;
    const verdict = this.#watch.sample(publisher.stats, nowMs);
    this.#isHesitant = verdict !== 'flows';
    if (verdict === 'stalled') publisher.end('stalled');
    else if (this.#status.state !== 'active') this.#noticeFlow(publisher);
    else if (this.#isHesitant) this.#setStatus('waiting', { reason: 'stalled' });
  }

  get facts(): RestreamFacts {
    const stats = this.#connection?.publisher.stats;
    const isWaiting = this.#status.state === 'waiting' && this.#connection === null && !this.#isPublisherAway;
    return {
      id: this.target.id,
      status: this.#status,
      ...this.#meter.rates,
      ...this.#totals(),
      backlogBytes: stats?.backlogBytes ?? 0,
      acknowledgedBytes: stats?.acknowledgedBytes ?? null,
      attempts: this.#attempts,
      failuresInARow: this.#failures,
      retryInMs: isWaiting ? Math.max(0, Math.round(this.#retryAtMs - performance.now())) : null,
    };
  }

  #totals(): { sentBytes: number; droppedPackets: number } {
    const stats = this.#connection?.publisher.stats;
    return {
      sentBytes: this.#sentBytesBefore + (stats?.sentBytes ?? 0),
      droppedPackets: this.#droppedBefore + (stats?.droppedTags ?? 0),
    };
  }

  /** Active is who takes bytes: an accepted publish alone is not enough. */
  #noticeFlow(publisher: RtmpPublisher): void {
    if (this.#isPublisherAway || this.#isHesitant || this.#stop.signal.aborted) return;
    if (publisher.stats.sentBytes > this.#flowMarkBytes) this.#setStatus('active', null);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#whilePublisherIsAway();
      if (signal.aborted) return;
      const startedAtMs = performance.now();
      const end = await this.#attempt();
      if (signal.aborted) return;
      this.#options.metrics.restreamEnds.inc({ reason: end.reason });
      if (this.#isPublisherAway) {
        this.#failures = 0; // nothing was sent: that a target does not wait is no failure of its own
        continue;
      }
      if (performance.now() - startedAtMs >= this.#options.limits.steadyMs) this.#failures = 0;
      this.#failures += 1;
      await this.#pause(end);
    }
  }

  async #whilePublisherIsAway(): Promise<void> {
    while (this.#isPublisherAway && !this.#stop.signal.aborted) {
      this.#setStatus('waiting', { reason: 'publisher_away' });
      this.#publisherIsBack = new AbortController();
      await pauseFor(TIMER_MS_MAX, AbortSignal.any([this.#stop.signal, this.#publisherIsBack.signal]));
    }
  }

  async #pause(end: AttemptEnd): Promise<void> {
    const pauseMs = backoffMs(this.#failures, (this.#options.random ?? Math.random)(), this.#options.limits.backoff);
    this.#retryAtMs = performance.now() + pauseMs;
    if (this.#failures === 1 || this.#toldReason !== end.reason) {
      this.#toldReason = end.reason;
      const { playbackId } = this.#stream;
      this.#options.log.warn({ playbackId, targetId: this.target.id, reason: end.reason, pauseMs }, 'restream.broke');
    }
    this.#setStatus('waiting', end);
    await pauseFor(pauseMs, this.#stop.signal);
  }

  /** One attempt, from the lookup of the name to the end of the connection. */
  async #attempt(): Promise<AttemptEnd> {
    const { guard, limits, ca } = this.#options;
    const { url } = this.target;
    this.#setStatus('connecting', null);
    this.#attempts += 1;
    const vetted = await guard.vet(url, 'restream');
    if (!vetted.ok) return { reason: 'refused', detail: vetted.detail };
    const { addresses } = vetted.target;
    const address = addresses[(this.#attempts - 1) % addresses.length] ?? '';
    const result = await this.#connect({
      url,
      address,
      signal: this.#stop.signal,
      connectTimeoutMs: limits.connectTimeoutMs,
      backlogBytesMax: limits.backlogBytesMax,
      isEnhanced: this.#stream.format.hevc !== null,
      ...(ca === undefined ? {} : { ca }),
    });
    if (!result.ok) return result;
    return this.#publish(result.publisher);
  }

  async #connect(options: Parameters<typeof connectRtmpPublisher>[0]) {
    try {
      return await connectRtmpPublisher(options);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return { ok: false, reason: 'malformed' } as const; // a URL without a stream name
    }
  }

  async #publish(publisher: RtmpPublisher): Promise<AttemptEnd> {
    const { playbackId } = this.#stream;
    const connection = new RestreamConnection(publisher);
    this.#options.metrics.restreamAccepted.inc();
    this.#options.log.info({ playbackId, targetId: this.target.id, attempts: this.#attempts }, 'restream.accepted');
    this.#flowMarkBytes = 0;
    this.#watch = new FlowWatch(this.#options.limits);
    this.#isHesitant = false;
    this.#connection = connection;
    if (this.#isPublisherAway) this.#setStatus('waiting', { reason: 'publisher_away' });
    if (this.#stop.signal.aborted) publisher.close();
    const reason = await publisher.closed;
    const { sentBytes, droppedTags } = publisher.stats;
    this.#sentBytesBefore += sentBytes;
    this.#droppedBefore += droppedTags;
    this.#framesBefore += connection.videoFrames;
    this.#connection = null;
    this.#meter.clear();
    return this.#isCodecDoubtful(publisher) && reason === 'closed' ? { reason, detail: MAYBE_HEVC } : { reason };
  }

  /** HEVC to a target that has not said it takes it: some do and do not say so, hence it is tried. */
  #isCodecDoubtful(publisher: RtmpPublisher): boolean {
    return this.#stream.format.hevc !== null && !acceptsFourCc(publisher.enhanced, 'hvc1');
  }

  #setStatus(state: RestreamStatus['state'], end: AttemptEnd | null): void {
    const before = this.#status;
    const reason = end?.reason ?? null;
    if (this.#stop.signal.aborted && state !== 'stopped') return;
    if (before.state === state && before.reason === reason) return;
    this.#status = { state, reason, message: end === null ? null : messageOf(end), sinceMs: Date.now() };
    this.#options.onStatus(this.#status);
  }
}

/** Ends early, without an error, when the signal aborts. */
async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
