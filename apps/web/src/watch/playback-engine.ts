import type { PlaybackFailure } from './playback-policy.ts';
import type { StallLimits } from './stall-watch.ts';

/** What the viewer gets, as it is told to them and to tests. `hls`: whole segments. `native`: the browser's own HLS. */
export type PlaybackMode = 'flv' | 'll-hls' | 'hls' | 'native';

export type EngineOptions = {
  readonly video: HTMLVideoElement;
  readonly url: string;
  /** HLS: use parts where the list has them. */
  readonly isLowLatency: boolean;
  /** The element has its source: play may be asked for. */
  readonly onAttached: () => void;
  /** It will not recover by itself; told once. The owner destroys the engine. */
  readonly onFailed: (failure: PlaybackFailure) => void;
};

/** One way of getting a live picture into a video element, from its making to `destroy`. Times are the element's. */
export type PlaybackEngine = {
  /** May change once the first list is read. */
  readonly mode: PlaybackMode;
  readonly stallLimits: StallLimits;
  /** Ingest wall clock (ms since the epoch) of the picture at the playhead; null while unknown. */
  wallMs(): number | null;
  /** Newest media that is known of, in milliseconds on any line of its own; null: not known. */
  edgeMs(): number | null;
  /** Text of the newest playlist; null where there is none. */
  listText(): string | null;
  /** Once a second while the picture moves. */
  keepToEdge(): void;
  /** Lets go of the element and of every connection. */
  destroy(): void;
};

/** A kind of engine. Its module comes in a chunk of its own. */
export type EngineMaker = {
  /** False: the browser lacks what it needs; `start` must not be called. */
  readonly isSupported: () => boolean;
  readonly start: (options: EngineOptions) => PlaybackEngine;
};
