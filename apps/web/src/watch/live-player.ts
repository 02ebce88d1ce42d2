import mpegts from 'mpegts.js';
import { type PlayerSei, readIngestMark } from './ingest-mark.ts';
import { MediaClock } from './media-clock.ts';
import type { Playhead } from './pin-gate.ts';
import {
  EDGE_DRIFT_MAX_S,
  EDGE_TARGET_S,
  FIRST_FRAME_TIMEOUT_MS,
  FLV_SETTINGS,
  PAUSED_RELEASE_MS,
  WATCH_PERIOD_MS,
} from './player-settings.ts';
import type { PlayerState } from './player-slate.ts';
import { RETRY_FORGIVEN_AFTER_MS, retryDelayMs } from './retry-delay.ts';
import { StallWatch } from './stall-watch.ts';

export type LivePlayerOptions = {
  readonly video: HTMLVideoElement;
  /** `{video base URL}/live/{playbackId}.flv` */
  readonly url: string;
  readonly onState: (state: PlayerState) => void;
};

/** Not in the package's event table, but emitted since 1.8. */
const SEI_ARRIVED = 'sei_arrived';

mpegts.LoggingControl.applyConfig({ enableAll: false, enableError: false, enableWarn: false });

/**
 * Plays one show by HTTP-FLV for as long as it exists: loads, watches for stalls, tries again with backoff. Owned by
 * the video component, which calls `destroy`.
 */
export class LivePlayer {
  readonly #options: LivePlayerOptions;
  readonly #clock = new MediaClock();
  readonly #stalls = new StallWatch();
  readonly #listeners = new AbortController();
  readonly #watchTimer: ReturnType<typeof setInterval>;
  #flv: mpegts.Player | null = null;
  #state: PlayerState = { kind: 'loading' };
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  #loadedAtMs = 0;
  #steadySinceMs: number | null = null;
  #pausedAtMs: number | null = null;
  #isInterrupted = false;

  constructor(options: LivePlayerOptions) {
    this.#options = options;
    const { video } = options;
    const listen = { signal: this.#listeners.signal };
    video.addEventListener('playing', () => this.#onPlaying(), listen);
    video.addEventListener('pause', () => this.#onPaused(), listen);
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_PERIOD_MS);
    if (mpegts.getFeatureList().mseLivePlayback) this.#load();
    else this.#become({ kind: 'unsupported' });
  }

  /** Stops everything and lets go of the video element. */
  destroy(): void {
    this.#listeners.abort();
    clearInterval(this.#watchTimer);
    this.#cancelRetry();
    this.#unload();
  }

  /** Where the picture is on the ingest clock. */
  playhead(): Playhead {
    const { video } = this.#options;
    const hasPlayed = this.#steadySinceMs !== null;
    return {
      wallMs: hasPlayed ? this.#clock.wallAt(video.currentTime * 1_000) : null,
      isPaused: this.#state.kind === 'paused',
    };
  }

  /** Someone pressed play: allowed to start with the sound as it is set. */
  play(): void {
    this.#pausedAtMs = null;
    if (this.#flv === null) this.retryNow();
    else this.#start();
  }

  pause(): void {
    this.#options.video.pause();
  }

  /** The show went on air or came back: no need to wait out the backoff. Nothing happens while the picture moves. */
  retryNow(): void {
    if (this.#state.kind === 'playing' || this.#state.kind === 'unsupported') return;
    if (this.#flv !== null && this.#state.kind !== 'retrying') return;
    this.#attempt = 0;
    this.#cancelRetry();
    this.#load();
  }

  /** While the publisher is away the standing picture is no stall; the connection stays open. */
  setInterrupted(isInterrupted: boolean): void {
    if (this.#isInterrupted === isInterrupted) return;
    this.#isInterrupted = isInterrupted;
    this.#stalls.reset();
    this.#loadedAtMs = performance.now();
  }

  #load(): void {
    this.#unload();
    const { video, url } = this.#options;
    this.#loadedAtMs = performance.now();
    if (this.#state.kind !== 'retrying') this.#become({ kind: 'loading' });
    const flv = mpegts.createPlayer({ type: 'flv', isLive: true, url, cors: true }, FLV_SETTINGS);
    this.#flv = flv;
    flv.on(mpegts.Events.ERROR, () => this.#onLost(flv));
    flv.on(mpegts.Events.LOADING_COMPLETE, () => this.#onLost(flv));
    flv.on(SEI_ARRIVED, (sei: PlayerSei) => {
      const mark = readIngestMark(sei);
      if (mark !== null) this.#clock.add(mark);
    });
    flv.attachMediaElement(video);
    flv.load();
    this.#start();
  }

  #unload(): void {
    const flv = this.#flv;
    this.#flv = null; // first: the element fires `pause` while it is let go
    this.#steadySinceMs = null;
    this.#clock.clear();
    this.#stalls.reset();
    flv?.destroy();
  }

  #start(): void {
    this.#options.video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#become({ kind: 'blocked' });
    });
  }

  #onPlaying(): void {
    if (this.#flv === null) return;
    this.#pausedAtMs = null;
    this.#steadySinceMs ??= performance.now();
    this.#become({ kind: 'playing' });
  }

  #onPaused(): void {
    if (this.#flv === null || this.#state.kind !== 'playing') return;
    this.#pausedAtMs = performance.now();
    this.#become({ kind: 'paused' });
  }

  /** The connection failed, or the server closed it in good order: a live stream has no end that we would know of. */
  #onLost(flv: mpegts.Player): void {
    if (this.#flv === flv) this.#retryLater();
  }

  /** Lets the connection go and tries again after the next step of the backoff. */
  #retryLater(): void {
    const steadyMs = this.#steadySinceMs === null ? 0 : performance.now() - this.#steadySinceMs;
    if (steadyMs >= RETRY_FORGIVEN_AFTER_MS) this.#attempt = 0;
    this.#cancelRetry();
    this.#unload();
    const delayMs = retryDelayMs(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#become({ kind: 'retrying', attempt: this.#attempt });
    this.#retryTimer = setTimeout(() => this.#load(), delayMs);
  }

  #cancelRetry(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }

  /** Once a second: stalls, the live edge, a request without an answer, a long pause. */
  #watch(): void {
    if (this.#flv === null) return;
    const { video } = this.#options;
    const nowMs = performance.now();
    if (this.#pausedAtMs !== null) {
      if (nowMs - this.#pausedAtMs >= PAUSED_RELEASE_MS) this.#unload();
      return;
    }
    const isAwaited = this.#state.kind === 'loading' || this.#state.kind === 'retrying';
    if (isAwaited && !this.#isInterrupted && nowMs - this.#loadedAtMs >= FIRST_FRAME_TIMEOUT_MS) {
      this.#retryLater();
      return;
    }
    const shouldProgress = this.#state.kind === 'playing' && !this.#isInterrupted && !document.hidden;
    if (this.#stalls.tick(video.currentTime * 1_000, shouldProgress)) this.#retryLater();
    else if (shouldProgress) this.#keepToEdge();
  }

  #keepToEdge(): void {
    const { video } = this.#options;
    const { buffered } = video;
    if (buffered.length === 0) return;
    const edgeS = buffered.end(buffered.length - 1);
    if (edgeS - video.currentTime > EDGE_DRIFT_MAX_S) video.currentTime = edgeS - EDGE_TARGET_S;
  }

  #become(state: PlayerState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
