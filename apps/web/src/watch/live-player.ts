import { waitForList } from './list-poll.ts';
import type { Playhead } from './pin-gate.ts';
import { playbackCapabilities } from './playback-capabilities.ts';
import type { EngineMaker, PlaybackEngine, PlaybackMode } from './playback-engine.ts';
import {
  initialPlayback,
  type PlaybackEvent,
  type PlaybackFailure,
  type PlaybackOrder,
  type PlaybackState,
  type PlayerChoice,
  playbackAfter,
  type Transport,
} from './playback-policy.ts';
import { FIRST_FRAME_TIMEOUT_MS, PAUSED_RELEASE_MS, WATCH_PERIOD_MS } from './player-settings.ts';
import type { PlayerState } from './player-slate.ts';
import { StallWatch } from './stall-watch.ts';

/** Absolute addresses of one show's picture. */
export type LiveSource = { readonly flvUrl: string; readonly hlsUrl: string };

export type LivePlayerOptions = {
  readonly video: HTMLVideoElement;
  readonly source: LiveSource;
  readonly choice: PlayerChoice;
  readonly onState: (state: PlayerState) => void;
};

/** What the player is doing, for the viewer's label and for tests. */
export type PlayerReport = {
  /** Null: nothing is loaded. */
  readonly mode: PlaybackMode | null;
  /** From asking for the stream to its first picture, this time; null before it. */
  readonly joinMs: number | null;
  /** Times that the stream was asked for since the page opened. */
  readonly loads: number;
};

type LoadOrder = Extract<PlaybackOrder, { kind: 'load' }>;

/** Each way of playing is a chunk of its own, asked for when it is needed. */
const ENGINES: Readonly<Record<Transport, () => Promise<EngineMaker>>> = {
  flv: () => import('./flv-engine.ts').then(({ flvEngine }) => flvEngine),
  hls: () => import('./hls-engine.ts').then(({ hlsEngine }) => hlsEngine),
  native: () => import('./native-engine.ts').then(({ nativeEngine }) => nativeEngine),
};

/** Asks for the chunk that is likely to be needed. */
export async function preloadEngine(choice: PlayerChoice): Promise<void> {
  const { order } = playbackAfter(initialPlayback(choice, playbackCapabilities()), { kind: 'begin' }, 0, 0);
  if (order?.kind === 'load') await ENGINES[order.transport]();
}

/**
 * Plays one show for as long as it exists: does what the policy decides, with the engine it names, and tells the policy
 * what came of it. Owned by the video component, which calls `destroy`.
 */
export class LivePlayer {
  readonly #options: LivePlayerOptions;
  readonly #stalls = new StallWatch();
  readonly #listeners = new AbortController();
  readonly #watchTimer: ReturnType<typeof setInterval>;
  #playback: PlaybackState;
  #engine: PlaybackEngine | null = null;
  #state: PlayerState = { kind: 'loading' };
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  /** Aborted when what is being loaded is no longer wanted. */
  #loading = new AbortController();
  #askedAtMs = 0;
  #joinMs: number | null = null;
  #loads = 0;
  #pausedAtMs: number | null = null;
  #isInterrupted = false;
  #listText: string | null = null;

  constructor(options: LivePlayerOptions) {
    this.#options = options;
    this.#playback = initialPlayback(options.choice, playbackCapabilities());
    const { video } = options;
    const listen = { signal: this.#listeners.signal };
    video.addEventListener('playing', () => this.#onPlaying(), listen);
    video.addEventListener('waiting', () => this.#onWaiting(), listen);
    video.addEventListener('pause', () => this.#onPaused(), listen);
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_PERIOD_MS);
    this.#tell({ kind: 'begin' });
  }

  /** Stops everything and lets go of the video element. */
  destroy(): void {
    this.#listeners.abort();
    clearInterval(this.#watchTimer);
    this.#unload();
  }

  /** Where the picture is on the ingest clock. */
  playhead(): Playhead {
    return {
      wallMs: this.#joinMs === null ? null : (this.#engine?.wallMs() ?? null),
      isPaused: this.#state.kind === 'paused',
    };
  }

  report(): PlayerReport {
    return { mode: this.#engine?.mode ?? null, joinMs: this.#joinMs, loads: this.#loads };
  }

  /** Another way of playing, at once. */
  choose(choice: PlayerChoice): void {
    if (choice === this.#playback.choice) return;
    this.#pausedAtMs = null;
    this.#become({ kind: 'loading' });
    this.#tell({ kind: 'choose', choice });
  }

  /** Someone pressed play: allowed to start with the sound as it is set. */
  play(): void {
    this.#pausedAtMs = null;
    if (this.#engine !== null) this.#start();
    else this.#tell({ kind: 'begin' });
  }

  pause(): void {
    this.#options.video.pause();
  }

  /** The show went on air or came back: no need to wait out the backoff. Nothing happens while the picture moves or a load is under way. */
  retryNow(): void {
    if (this.#state.kind === 'playing') return;
    if (this.#engine !== null && this.#state.kind !== 'retrying') return;
    this.#tell({ kind: 'on-air' });
  }

  /** While the publisher is away the standing picture is no stall; the connection stays open. */
  setInterrupted(isInterrupted: boolean): void {
    if (this.#isInterrupted === isInterrupted) return;
    this.#isInterrupted = isInterrupted;
    this.#stalls.reset();
    this.#askedAtMs = performance.now();
  }

  #tell(event: PlaybackEvent): void {
    const { state, order } = playbackAfter(this.#playback, event, performance.now(), Math.random());
    this.#playback = state;
    if (order === null) return;
    this.#unload();
    if (order.kind === 'give-up') {
      this.#become({ kind: 'unsupported' });
    } else if (order.delayMs > 0) {
      this.#become({ kind: 'retrying', attempt: state.attempt });
      this.#retryTimer = setTimeout(() => this.#load(order), order.delayMs);
    } else {
      this.#load(order);
    }
  }

  #load(order: LoadOrder): void {
    this.#unload();
    if (this.#state.kind !== 'retrying') this.#become({ kind: 'loading' });
    const { signal } = this.#loading;
    this.#open(order, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      reportError(error); // ours: another way of playing may do without what broke
      this.#fail('unsupported');
    });
  }

  async #open(order: LoadOrder, signal: AbortSignal): Promise<void> {
    const { source, video } = this.#options;
    const url = order.transport === 'flv' ? source.flvUrl : source.hlsUrl;
    this.#askedAtMs = performance.now();
    if (order.transport !== 'flv' && order.list !== 'any') {
      const failure = await waitForList({ url, until: order.list, seenText: this.#listText, signal });
      if (failure !== null) {
        this.#fail(failure);
        return;
      }
    }
    const maker = await ENGINES[order.transport]().catch(() => null);
    if (signal.aborted) return;
    if (maker === null || !maker.isSupported()) {
      this.#fail(maker === null ? 'lost' : 'unsupported');
      return;
    }
    this.#askedAtMs = performance.now();
    this.#loads += 1;
    const engine = maker.start({
      video,
      url,
      isLowLatency: order.isLowLatency,
      onAttached: () => {
        if (!signal.aborted) this.#start();
      },
      onFailed: (failure) => {
        if (!signal.aborted) this.#fail(failure);
      },
    });
    if (signal.aborted) engine.destroy();
    else this.#engine = engine;
  }

  /** Aborts what is loading, lets go of the engine and of any retry that was planned. */
  #unload(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#loading.abort();
    this.#loading = new AbortController();
    const engine = this.#engine;
    this.#engine = null; // first: the element fires `pause` while it is let go
    this.#joinMs = null;
    this.#stalls.reset();
    this.#listText = engine?.listText() ?? this.#listText;
    engine?.destroy();
  }

  #start(): void {
    this.#options.video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#become({ kind: 'blocked' });
    });
  }

  #fail(failure: PlaybackFailure): void {
    if (this.#pausedAtMs === null) this.#tell({ kind: 'failed', failure });
    else this.#unload(); // nobody waits for the picture: play loads anew
  }

  #onPlaying(): void {
    if (this.#engine === null) return;
    this.#pausedAtMs = null;
    this.#joinMs ??= performance.now() - this.#askedAtMs;
    this.#tell({ kind: 'picture' });
    this.#become({ kind: 'playing' });
  }

  #onWaiting(): void {
    if (this.#engine !== null && this.#state.kind === 'playing') this.#become({ kind: 'stalled' });
  }

  #onPaused(): void {
    if (this.#engine === null || !this.#hasPicture) return;
    this.#pausedAtMs = performance.now();
    this.#become({ kind: 'paused' });
  }

  /** Once a second: stalls, the live edge, a request without an answer, a long pause. */
  #watch(): void {
    const engine = this.#engine;
    if (engine === null) return;
    const { video } = this.#options;
    const nowMs = performance.now();
    if (this.#pausedAtMs !== null) {
      if (nowMs - this.#pausedAtMs >= PAUSED_RELEASE_MS) this.#unload();
      return;
    }
    const isAwaited = this.#state.kind === 'loading' || this.#state.kind === 'retrying';
    if (isAwaited && !this.#isInterrupted && nowMs - this.#askedAtMs >= FIRST_FRAME_TIMEOUT_MS) {
      this.#fail('lost');
      return;
    }
    const shouldProgress = this.#hasPicture && !this.#isInterrupted && !document.hidden;
    const progress = { playerMs: video.currentTime * 1_000, edgeMs: engine.edgeMs() };
    if (this.#stalls.tick(progress, shouldProgress, engine.stallLimits)) {
      this.#fail('lost');
    } else if (shouldProgress) {
      engine.keepToEdge();
      this.#tell({ kind: 'tick' });
    }
  }

  get #hasPicture(): boolean {
    return this.#state.kind === 'playing' || this.#state.kind === 'stalled';
  }

  #become(state: PlayerState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
