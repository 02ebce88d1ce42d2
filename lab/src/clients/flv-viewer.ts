/** A virtual viewer of HTTP-FLV: connects, feeds the player model, reconnects, and reports what a person would have seen. */
import { monotonicMs } from '../clock.ts';
import type { FlvViewerOptions } from '../engine/scenario.ts';
import { MARKS_MAX, Player, type PlayerOutput, type PlayerTotals } from '../player/player.ts';
import { PLAYER_PROFILES } from '../player/player-profile.ts';
import { type ActorContext, forwardedAddress, pause, playbackSessionId } from './actor.ts';
import { type FlvConnection, openFlvConnection } from './flv-connection.ts';
import type { ClockTier, FlvMedia } from './flv-media-reader.ts';
import { createFlvMetrics, type FlvMetrics } from './flv-metrics.ts';
import { ageMs, publisherLeadMs } from './picture-age.ts';
import { addTotals } from './playback-metrics.ts';
import { recorderOf } from './player-recording.ts';
import { backoffMs, STALL_PATIENCE_MS, START_PATIENCE_MS, WATCH_EVERY_MS } from './viewer-patience.ts';

/** Watches until the signal aborts. */
export async function runFlvViewer(context: ActorContext, options: FlvViewerOptions): Promise<void> {
  const { target, signal } = context;
  if (target.flvUrl === null) return;
  const url = new URL(target.flvUrl);
  const metrics = createFlvMetrics(context.recorder, context.vu.group);
  let requestedAtMs = context.intendedStartMs;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const session = new ViewingSession(context, options, metrics, url, requestedAtMs);
    const isStarted = await session.run();
    if (signal.aborted) return;
    if (isStarted) attempt = 0;
    if (!(await pause(backoffMs(attempt, context.random), signal))) return;
    requestedAtMs = monotonicMs();
  }
}

/** One play attempt: from the request until the viewer leaves, or gives up. Reconnects stay inside it. */
class ViewingSession {
  readonly #context: ActorContext;
  readonly #options: FlvViewerOptions;
  readonly #metrics: FlvMetrics;
  readonly #url: URL;
  readonly #player: Player;
  readonly #requestedAtMs: number;
  readonly #clocks = new Map<number, Readonly<Partial<Record<ClockTier, number>>>>();
  #nextMark = 0;
  #reported: PlayerTotals;
  #connection: FlvConnection | null = null;
  #connectionNumber = 0;
  #lostAtMs: number | null = null;
  #lastTagAtMs: number | null = null;
  #hasKeyframe = false;
  #isLeadTold = false;

  constructor(context: ActorContext, options: FlvViewerOptions, metrics: FlvMetrics, url: URL, requestedAtMs: number) {
    this.#context = context;
    this.#options = options;
    this.#metrics = metrics;
    this.#url = url;
    this.#requestedAtMs = requestedAtMs;
    const profile = PLAYER_PROFILES[options.profile];
    const record = recorderOf(context, profile.name, options.recordEvery);
    this.#player = new Player(profile, (output) => this.#onOutput(output), record);
    this.#reported = this.#player.totals;
  }

  /** Resolves when the session is over; true when playback ever started. */
  async run(): Promise<boolean> {
    const { signal, recorder } = this.#context;
    this.#metrics.attempts.add();
    this.#player.request(this.#requestedAtMs);
    const stopFlushing = recorder.onFlush(() => this.#report());
    this.#connect(0);
    const isStarted = (): boolean => this.#player.totals.startupMs !== null;
    let playedAtMs = this.#requestedAtMs;
    const over = Promise.withResolvers<void>();
    const watch = setInterval(() => {
      const nowMs = monotonicMs();
      this.#player.advance(nowMs);
      this.#context.pictures.look(nowMs, this.#player);
      this.#connection?.watch(nowMs);
      if (this.#player.state === 'playing') playedAtMs = nowMs;
      const stage = isStarted() ? 'during_play' : 'before_start';
      if (nowMs - playedAtMs <= (isStarted() ? STALL_PATIENCE_MS : START_PATIENCE_MS)) return;
      this.#metrics.failures[stage].add();
      this.#context.event(`play_failed_${stage}`, { waited_ms: Math.round(nowMs - playedAtMs) });
      this.#player.fail(nowMs);
      over.resolve();
    }, WATCH_EVERY_MS);
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    if (!signal.aborted) await over.promise;
    clearInterval(watch);
    this.#connection?.close();
    this.#connection = null;
    this.#player.end(monotonicMs());
    this.#report();
    stopFlushing();
    return isStarted();
  }

  #connect(attempt: number): void {
    const { vu, signal, runId } = this.#context;
    const openedAtMs = monotonicMs();
    const number = ++this.#connectionNumber;
    let acceptedAtMs = openedAtMs;
    this.#lastTagAtMs = null;
    this.#hasKeyframe = false;
    this.#connection = openFlvConnection(
      this.#url,
      {
        isSampled: vu.indexInGroup % this.#options.sampleEvery === 0,
        headers: {
          'X-Forwarded-For': forwardedAddress(vu.id),
          'X-Playback-Session-Id': playbackSessionId(runId, vu.id),
        },
      },
      {
        onConnected: (atMs) => {
          this.#metrics.connectMs.record(atMs - openedAtMs);
          acceptedAtMs = atMs;
        },
        onAccepted: (atMs) => this.#metrics.ttfbMs.record(atMs - acceptedAtMs),
        onBytes: (count) => this.#metrics.bytes.add(count),
        onMedia: (media, atMs) => this.#onMedia(media, atMs, openedAtMs),
        onSilence: (sinceMs, wasEverMedia) => this.#onSilence(sinceMs, wasEverMedia),
        onClosed: (reason, atMs) => {
          if (signal.aborted || number !== this.#connectionNumber) return;
          this.#context.event('flv_connection_lost', { reason });
          this.#reconnect(atMs, this.#hasKeyframe ? 0 : attempt);
        },
      },
    );
  }

  #reconnect(atMs: number, attempt: number): void {
    this.#connection = null;
    this.#lostAtMs ??= atMs;
    this.#metrics.reconnects.add();
    void pause(backoffMs(attempt, this.#context.random), this.#context.signal).then((isStaying) => {
      const isOver = this.#player.state === 'failed' || this.#player.state === 'ended';
      if (!isStaying || isOver) return;
      this.#player.reconnect(monotonicMs());
      this.#clocks.clear();
      this.#connect(attempt + 1);
    });
  }

  #onMedia(media: FlvMedia, atMs: number, openedAtMs: number): void {
    this.#metrics.tags.add();
    if (media.kind === 'sequence-header') this.#metrics.sequenceHeaders.add();
    if (media.kind !== 'frame') return;
    if (this.#lastTagAtMs !== null) this.#metrics.tagGapMs.record(atMs - this.#lastTagAtMs);
    this.#lastTagAtMs = atMs;
    if (media.unit.isKeyframe && !this.#hasKeyframe) {
      this.#hasKeyframe = true;
      this.#metrics.firstKeyframeMs.record(atMs - openedAtMs);
      if (this.#lostAtMs !== null) this.#metrics.reconnectMs.record(atMs - this.#lostAtMs);
      this.#lostAtMs = null;
    }
    if (media.clocks.capture !== undefined || media.clocks.ingest !== undefined) {
      this.#compareClocks(media.clocks);
      // The player forgets its oldest marks beyond this, and with them their stamps.
      if (this.#clocks.size >= MARKS_MAX) this.#clocks.delete(this.#clocks.keys().next().value ?? -1);
      this.#clocks.set(this.#nextMark, media.clocks);
      this.#player.mark(media.unit.dtsMs, this.#nextMark);
      this.#nextMark += 1;
    }
    const result = this.#player.media(atMs, media.unit, this.#context.lagMs());
    if (result === 'regression') this.#metrics.regressions.add();
    if (result === 'hole') this.#metrics.gaps.add();
  }

  /** A picture that was made after it arrived: the publisher's clock is ahead, and every delay from it too small. */
  #compareClocks({ capture, ingest }: Readonly<Partial<Record<ClockTier, number>>>): void {
    const leadMs = publisherLeadMs(capture, ingest);
    if (leadMs === null) return;
    this.#metrics.latencyMs.capture.record(-leadMs); // below zero: counted as such
    if (this.#isLeadTold) return;
    this.#isLeadTold = true;
    this.#context.event('clock_off', { clock: 'publisher', ahead_ms: leadMs });
  }

  #onSilence(sinceMs: number, wasEverMedia: boolean): void {
    const detail = { since_ms: Math.round(sinceMs - this.#context.runStartMs) };
    if (wasEverMedia) this.#metrics.silences.add();
    else this.#metrics.acceptedSilent.add();
    this.#context.event(wasEverMedia ? 'flv_tag_silence' : 'flv_accepted_but_silent', detail);
  }

  #onOutput(output: PlayerOutput): void {
    switch (output.type) {
      case 'started':
        this.#metrics.starts.add();
        this.#metrics.startupMs.record(output.startupMs);
        return;
      case 'stall':
        this.#metrics.stallMs.record(output.durationMs);
        if (output.isTainted) this.#metrics.taintedStalls.add();
        this.#context.event('stall', {
          started_ms: Math.round(output.startedAtMs - this.#context.runStartMs),
          duration_ms: Math.round(output.durationMs),
          lag_ms: Math.round(output.lagMs),
          tainted: output.isTainted,
          cause: output.cause,
        });
        return;
      case 'passed':
        this.#recordLatency(output.mark, output.atMs);
        return;
      case 'jump':
        this.#context.event('jump', { media_ms: Math.round(output.mediaMs) });
    }
  }

  /** The picture with this stamp is on screen now: its age is the latency. Marks before this one were skipped. */
  #recordLatency(mark: number, atMs: number): void {
    const clocks = this.#clocks.get(mark);
    this.#clocks.delete(mark);
    if (clocks === undefined) return;
    for (const tier of ['capture', 'ingest'] as const) {
      const stampMs = clocks[tier];
      if (stampMs !== undefined) this.#metrics.latencyMs[tier].record(ageMs(this.#context, atMs, stampMs));
    }
  }

  /** Hands in what was watched, played and stalled since the last slice. */
  #report(): void {
    this.#player.advance(monotonicMs());
    const now = this.#player.totals;
    const before = this.#reported;
    this.#reported = now;
    addTotals(this.#metrics, before, now);
  }
}
