/**
 * One play attempt of an HLS viewer: drives the player without I/O through two lanes, one for lists and one for media, as
 * browsers do, and reports what a person would have seen. Bodies are thrown away after their first bytes; sampled sessions
 * read every fragment.
 */
import { assertNever } from '../assert-never.ts';
import { monotonicMs } from '../clock.ts';
import type { HlsViewerOptions } from '../engine/scenario.ts';
import { firstVariantUri, type HlsList } from '../player/hls-list.ts';
import { type FragmentMedia, HlsPlayer, type HlsPlayerFact } from '../player/hls-player.ts';
import { HLS_PROFILES, type HlsProfile, retryDelayMs } from '../player/hls-profile.ts';
import type { MediaRequest } from '../player/media-follower.ts';
import type { PlayerOutput, PlayerTotals } from '../player/player.ts';
import { type ActorContext, forwardedAddress, playbackSessionId } from './actor.ts';
import { BodyBuffer } from './body-buffer.ts';
import { HlsLane, type LaneFailure } from './hls-lane.ts';
import { HlsMediaReader, isMediaError, SNIFF_BYTES, sniffMedia } from './hls-media-reader.ts';
import type { HlsMetrics } from './hls-metrics.ts';
import { ListCache } from './list-cache.ts';
import { ageMs, publisherLeadMs } from './picture-age.ts';
import { addTotals } from './playback-metrics.ts';
import { recorderOf } from './player-recording.ts';
import { StartupClock } from './startup-clock.ts';
import { UrlCache } from './url-cache.ts';
import { STALL_PATIENCE_MS, START_PATIENCE_MS, WATCH_EVERY_MS } from './viewer-patience.ts';

/** How the session ended. `over`: the stream did. */
export type SessionEnd = 'left' | 'failed' | 'over';

const LIST_BYTES_MAX = 1024 * 1024;
const FRAGMENT_BYTES_MAX = 64 * 1024 * 1024;
const HOLD_BACK_TARGETS_MIN = 3;
const PART_HOLD_BACK_PARTS_MIN = 2;
const PART_HOLD_BACK_PARTS_ADVISED = 3;
/** Stands in for the target duration until a list has told it. */
const TARGET_DURATION_MS_UNKNOWN = 2000;

/** Lists and addresses of this thread. */
const lists = new ListCache();
const urls = new UrlCache();

/** Resolves with {@link SessionEnd}; nothing of it is left open then. */
export class HlsSession {
  readonly #context: ActorContext;
  readonly #metrics: HlsMetrics;
  readonly #profile: HlsProfile;
  readonly #core: HlsPlayer;
  readonly #requestedAtMs: number;
  readonly #startup: StartupClock;
  readonly #listLane: HlsLane;
  readonly #mediaLane: HlsLane;
  readonly #listBody = new BodyBuffer(LIST_BYTES_MAX);
  /** Null for viewers that read nothing but first bytes. */
  readonly #sampled: { readonly body: BodyBuffer; readonly reader: HlsMediaReader } | null;
  readonly #done = Promise.withResolvers<SessionEnd>();
  #listUrl: URL;
  #isMasterRead = false;
  #masterFailures = 0;
  #request: MediaRequest | null = null;
  #sniffed = 0;
  readonly #head = new Uint8Array(SNIFF_BYTES);
  #askedAtMs: number | null = null;
  #wake: NodeJS.Timeout | null = null;
  #playedAtMs: number;
  #reported: PlayerTotals;
  #list: HlsList | null = null;
  #isOver = false;
  #isLeadTold = false;

  constructor(context: ActorContext, options: HlsViewerOptions, metrics: HlsMetrics, url: URL, requestedAtMs: number) {
    this.#context = context;
    this.#metrics = metrics;
    this.#profile = HLS_PROFILES[options.profile];
    this.#listUrl = url;
    this.#requestedAtMs = requestedAtMs;
    this.#playedAtMs = requestedAtMs;
    this.#startup = new StartupClock(metrics, requestedAtMs);
    const record = recorderOf(context, this.#profile.buffer.name, options.recordEvery);
    const core = {
      profile: this.#profile,
      isLowLatency: options.mode === 'low-latency',
      onOutput: (output: PlayerOutput) => this.#onOutput(output),
      onFact: (fact: HlsPlayerFact) => this.#onFact(fact),
      ...(record === undefined ? {} : { record }),
    };
    this.#core = new HlsPlayer(core, requestedAtMs);
    this.#reported = this.#core.player.totals;
    const isSampled = context.vu.indexInGroup % options.sampleEvery === 0;
    this.#sampled = isSampled ? { body: new BodyBuffer(FRAGMENT_BYTES_MAX), reader: new HlsMediaReader() } : null;
    const headers = requestHeaders(context);
    this.#listLane = new HlsLane(headers, metrics, {
      onConnected: (atMs) => this.#startup.reached('connect', atMs),
      onBody: (bytes) => this.#listBody.push(bytes),
      onEnd: (atMs) => this.#onListEnd(atMs),
      onFailed: (failure) => this.#onListFailed(failure),
      onSilent: (type) => context.event('hls_accepted_but_silent', { type }),
    });
    this.#mediaLane = new HlsLane(headers, metrics, {
      onConnected: () => {},
      onBody: (bytes) => this.#onMediaBody(bytes),
      onEnd: (atMs) => this.#onMediaEnd(atMs),
      onFailed: (failure) => this.#onMediaFailed(failure),
      onSilent: (type) => context.event('hls_accepted_but_silent', { type }),
    });
  }

  /** True when playback ever started. */
  get isStarted(): boolean {
    return this.#core.player.totals.startupMs !== null;
  }

  /** Watches until the viewer leaves, gives up, or the stream is over. */
  async run(): Promise<SessionEnd> {
    const { signal, recorder } = this.#context;
    this.#metrics.attempts.add();
    this.#core.player.request(this.#requestedAtMs);
    const stopFlushing = recorder.onFlush(() => this.#report());
    const leave = (): void => this.#end('left');
    signal.addEventListener('abort', leave, { once: true });
    const watch = setInterval(() => this.#watch(), WATCH_EVERY_MS);
    if (signal.aborted) leave();
    else {
      this.#askedAtMs = monotonicMs();
      this.#listLane.ask('master', this.#listUrl);
    }
    const end = await this.#done.promise;
    clearInterval(watch);
    signal.removeEventListener('abort', leave);
    this.#core.player.end(monotonicMs());
    this.#report();
    stopFlushing();
    return end;
  }

  #end(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#wake !== null) clearTimeout(this.#wake);
    this.#listLane.close();
    this.#mediaLane.close();
    this.#done.resolve(end);
  }

  /** Playback cannot go on. */
  #giveUp(reason: string): void {
    if (this.#isOver) return;
    const stage = this.isStarted ? 'during_play' : 'before_start';
    this.#metrics.failures[stage].add();
    this.#context.event(`play_failed_${stage}`, { reason });
    this.#core.player.fail(monotonicMs());
    this.#end('failed');
  }

  #watch(): void {
    const nowMs = monotonicMs();
    const { player } = this.#core;
    player.advance(nowMs);
    this.#context.pictures.look(nowMs, player);
    if (player.state === 'ended') {
      this.#end('over');
      return;
    }
    const targetMs = this.#list?.targetDurationMs ?? TARGET_DURATION_MS_UNKNOWN;
    this.#listLane.watch(nowMs, this.#profile.list.firstByteMsMax, targetMs);
    this.#mediaLane.watch(nowMs, this.#profile.fragment.firstByteMsMax, targetMs);
    if (player.state === 'playing') this.#playedAtMs = nowMs;
    const patienceMs = this.isStarted ? STALL_PATIENCE_MS : START_PATIENCE_MS;
    if (nowMs - this.#playedAtMs > patienceMs) this.#giveUp('patience');
    else this.#pump();
  }

  /** Sends what the player wants now, and wakes for what it wants later. */
  #pump(): void {
    if (this.#isOver || !this.#isMasterRead) return;
    const nowMs = monotonicMs();
    const list = this.#listLane.isBusy ? null : this.#core.nextList();
    const media = this.#mediaLane.isBusy ? null : this.#core.nextMedia();
    if (media !== null && media.dueAtMs <= nowMs) this.#askMedia(media);
    if (list !== null && list.dueAtMs <= nowMs) {
      if (list.point === null) this.#context.late(nowMs - Math.max(list.dueAtMs, this.#requestedAtMs));
      this.#askList();
    }
    const wakeAtMs = Math.min(later(list?.dueAtMs, nowMs), later(media?.dueAtMs, nowMs));
    if (this.#wake !== null) clearTimeout(this.#wake);
    this.#wake =
      wakeAtMs === Number.POSITIVE_INFINITY ? null : setTimeout(() => this.#pump(), Math.ceil(wakeAtMs - nowMs));
  }

  #askList(): void {
    const point = this.#core.nextList()?.point ?? null;
    this.#metrics.reloads.add();
    if (this.#core.listSent(monotonicMs())) this.#metrics.tooEarly.add();
    if (point === null) {
      this.#listLane.ask('list', this.#listUrl);
      return;
    }
    const directives = `_HLS_msn=${point.msn}${point.part === null ? '' : `&_HLS_part=${point.part}`}`;
    const { search } = this.#listUrl;
    const url = urls.resolve(`${search === '' ? '?' : `${search}&`}${directives}`, this.#listUrl);
    this.#listLane.ask('blocking-list', url ?? this.#listUrl);
  }

  #onListEnd(atMs: number): void {
    const body = this.#listBody.take();
    if (this.#isOver) return;
    if (body === null || body.subarray(0, 7).toString('latin1') !== '#EXTM3U') {
      this.#onListFailed({ atMs, reason: body === null ? 'list_too_long' : 'not_a_list', isMissing: false });
      return;
    }
    const url = this.#listLane.url ?? this.#listUrl;
    if (!this.#isMasterRead) {
      this.#isMasterRead = true;
      const variant = firstVariantUri(body.toString('utf8'));
      if (variant !== null) {
        this.#startup.reached('master', atMs);
        this.#listUrl = new URL(variant, url);
        this.#pump();
        return;
      }
      this.#listUrl = url;
      this.#core.listSent(this.#listLane.sentAtMs);
    }
    this.#startup.reached('list', atMs);
    this.#takeList(atMs, lists.read(body));
    this.#pump();
  }

  #takeList(atMs: number, list: HlsList): void {
    if (list.hasByteRanges) {
      this.#giveUp('byte_ranges_unsupported');
      return;
    }
    if (this.#list === null) this.#checkHoldBacks(list);
    this.#list = list;
    const answer = this.#core.onList(atMs, list, this.#context.lagMs());
    if (answer.isChanged) this.#metrics.changes.add();
    if (answer.changeGapMs !== null) this.#metrics.changeGapMs.record(answer.changeGapMs);
    this.#metrics.staleMs.add(answer.staleMs);
    if (answer.isNewlyStale) {
      this.#metrics.stale.add();
      this.#context.event('hls_list_stale', { target_ms: list.targetDurationMs });
    }
    if (answer.overrunMs !== null) this.#metrics.overrunMs.record(answer.overrunMs);
    if (!answer.isUnmet) return;
    this.#metrics.unmet.add();
    this.#context.event('hls_blocking_unmet', { url: this.#listLane.url?.search ?? '' });
  }

  /** draft-pantos-hls-rfc8216bis, 4.4.3.8. */
  #checkHoldBacks({ holdBackMs, partHoldBackMs, partTargetMs, targetDurationMs }: HlsList): void {
    const breach = (level: 'must' | 'should', name: string): void => {
      this.#metrics.holdBackBreaches[level].add();
      this.#context.event('hls_hold_back_low', { name, level });
    };
    if (holdBackMs !== null && holdBackMs < HOLD_BACK_TARGETS_MIN * targetDurationMs) breach('must', 'HOLD-BACK');
    if (partHoldBackMs === null || partTargetMs === null) return;
    if (partHoldBackMs < PART_HOLD_BACK_PARTS_MIN * partTargetMs) breach('must', 'PART-HOLD-BACK');
    else if (partHoldBackMs < PART_HOLD_BACK_PARTS_ADVISED * partTargetMs) breach('should', 'PART-HOLD-BACK');
  }

  #onListFailed({ atMs, reason }: LaneFailure): void {
    this.#listBody.take();
    if (this.#isOver) return;
    this.#context.event('hls_request_failed', { type: this.#listLane.type, reason });
    if (this.#isMasterRead) {
      if (this.#core.onListFailed(atMs)) this.#giveUp(reason);
      else this.#pump();
      return;
    }
    this.#masterFailures += 1;
    if (this.#masterFailures > this.#profile.list.retriesMax) {
      this.#giveUp(reason);
      return;
    }
    const delayMs = retryDelayMs(this.#profile.list, this.#masterFailures);
    this.#wake = setTimeout(() => this.#listLane.ask('master', this.#listUrl), delayMs);
  }

  #askMedia(request: MediaRequest): void {
    this.#request = request;
    this.#sniffed = 0;
    this.#core.mediaSent(request);
    if (request.kind === 'segment' || request.kind === 'part') this.#metrics.fragments.add();
    const url = urls.resolve(request.uri, this.#listUrl);
    if (url === null) this.#onMediaFailed({ atMs: monotonicMs(), reason: 'no_url', isMissing: true });
    else this.#mediaLane.ask(request.kind, url);
  }

  #onMediaBody(bytes: Uint8Array): void {
    if (this.#askedAtMs !== null && this.#request?.kind !== 'init') {
      this.#metrics.firstSegmentMs.record(monotonicMs() - this.#askedAtMs);
      this.#askedAtMs = null;
    }
    for (let index = 0; this.#sniffed < SNIFF_BYTES && index < bytes.length; index += 1) {
      this.#head[this.#sniffed] = bytes[index] ?? 0;
      this.#sniffed += 1;
    }
    this.#sampled?.body.push(bytes);
  }

  #onMediaEnd(atMs: number): void {
    const body = this.#sampled?.body.take() ?? null;
    const request = this.#request;
    if (this.#isOver || request === null) return;
    const kind = sniffMedia(this.#head.subarray(0, this.#sniffed));
    if (kind === 'other') this.#unreadable(request.uri, 'not_media');
    const read = body !== null && kind !== 'other' ? this.#readMedia(request, body) : null;
    const isFragment = request.kind === 'segment' || request.kind === 'part';
    if (isFragment && atMs - this.#mediaLane.sentAtMs > request.durationMs) this.#metrics.lateFragments.add();
    this.#startup.reached(request.kind === 'init' ? 'init' : 'media', atMs);
    this.#core.onMedia(atMs, read, this.#context.lagMs());
    this.#pump();
  }

  #readMedia(request: MediaRequest, body: Buffer): FragmentMedia | null {
    try {
      if (request.kind === 'init') {
        this.#sampled?.reader.init(body);
        return null;
      }
      const read = this.#sampled?.reader.read(body) ?? null;
      if (read !== null) {
        this.#metrics.fragmentsRead.add();
        this.#compareClocks(read);
      }
      return read;
    } catch (error) {
      if (!isMediaError(error)) throw error;
      this.#unreadable(request.uri, error instanceof Error ? error.message : '');
      return null;
    }
  }

  /** A picture that was made after it arrived: the publisher's clock is ahead, and every delay from it too small. */
  #compareClocks({ stamps }: FragmentMedia): void {
    const capture = stamps.find(({ tier }) => tier === 'capture');
    const ingest = stamps.find(({ tier, atMediaMs }) => tier === 'ingest' && atMediaMs === capture?.atMediaMs);
    const leadMs = publisherLeadMs(capture?.wallMs, ingest?.wallMs);
    if (leadMs === null) return;
    this.#metrics.latencyMs.capture.record(-leadMs); // below zero: counted as such
    if (this.#isLeadTold) return;
    this.#isLeadTold = true;
    this.#context.event('clock_off', { clock: 'publisher', ahead_ms: leadMs });
  }

  #unreadable(uri: string, reason: string): void {
    this.#metrics.unreadable.add();
    this.#context.event('hls_media_unreadable', { uri, reason });
  }

  #onMediaFailed({ atMs, reason, isMissing }: LaneFailure): void {
    this.#sampled?.body.take();
    const request = this.#request;
    if (this.#isOver || request === null) return;
    this.#context.event('hls_request_failed', { type: request.kind, reason, uri: request.uri });
    const isListed = request.kind !== 'hint';
    if (isMissing && isListed) this.#metrics.missing.add();
    if (this.#core.onMediaFailed({ atMs, isMissing })) this.#giveUp(reason);
    else this.#pump();
  }

  #onOutput(output: PlayerOutput): void {
    const { runStartMs, event } = this.#context;
    switch (output.type) {
      case 'started':
        this.#metrics.starts.add();
        this.#metrics.startupMs.record(output.startupMs);
        this.#startup.reached('fill', output.atMs);
        return;
      case 'stall':
        this.#metrics.stallMs.record(output.durationMs);
        if (output.isTainted) this.#metrics.taintedStalls.add();
        event('stall', {
          started_ms: Math.round(output.startedAtMs - runStartMs),
          duration_ms: Math.round(output.durationMs),
          lag_ms: Math.round(output.lagMs),
          tainted: output.isTainted,
          cause: output.cause,
        });
        return;
      case 'jump':
        event('jump', { media_ms: Math.round(output.mediaMs) });
        return;
      case 'passed':
        return; // the core turns these into facts
      default:
        assertNever(output);
    }
  }

  #onFact(fact: HlsPlayerFact): void {
    const { event } = this.#context;
    switch (fact.type) {
      case 'shown':
        this.#metrics.latencyMs[fact.tier].record(ageMs(this.#context, fact.atMs, fact.wallMs));
        return;
      case 'discontinuity':
        this.#metrics.discontinuities.add();
        return;
      case 'regression':
        this.#metrics.regressions.add();
        event('hls_sequence_regression', { by: fact.by });
        return;
      case 'renumbered':
        this.#metrics.renumbered.add();
        event('hls_sequence_renumbered', { by: fact.by });
        return;
      case 'skip':
        this.#metrics.skips[fact.cause].add();
        this.#metrics.lostMediaMs[fact.cause].add(fact.mediaMs);
        event('hls_sequence_gap', { cause: fact.cause, segments: fact.segments, media_ms: Math.round(fact.mediaMs) });
        return;
      case 'hint_broken':
        this.#metrics.brokenHints.add();
        event('hls_hint_broken', { uri: fact.uri });
        return;
      case 'pts_break':
        this.#metrics.ptsBreaks.add();
        event('hls_pts_break', { by_ms: Math.round(fact.byMs), uri: fact.uri });
        return;
      case 'duration_lie':
        this.#metrics.durationLies.add();
        event('hls_duration_lie', {
          listed_ms: Math.round(fact.listedMs),
          real_ms: Math.round(fact.realMs),
          uri: fact.uri,
        });
        return;
      default:
        assertNever(fact);
    }
  }

  /** Hands in what was watched, played and stalled since the last slice, and how far behind the edge it plays. */
  #report(): void {
    const { player } = this.#core;
    player.advance(monotonicMs());
    const now = player.totals;
    addTotals(this.#metrics, this.#reported, now);
    this.#reported = now;
    const behindMs = this.#core.behindEdgeMs;
    if (behindMs !== null) this.#metrics.latencyMs.edge.record(Math.max(0, behindMs));
  }
}

function requestHeaders({ vu, runId }: ActorContext): string {
  const lines = {
    Accept: '*/*',
    'User-Agent': 'showfloor-lab',
    'X-Forwarded-For': forwardedAddress(vu.id),
    'X-Playback-Session-Id': playbackSessionId(runId, vu.id),
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

function later(dueAtMs: number | undefined, nowMs: number): number {
  return dueAtMs === undefined || dueAtMs <= nowMs ? Number.POSITIVE_INFINITY : dueAtMs;
}
