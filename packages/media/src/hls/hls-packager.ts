import type { MediaPacket } from '../hub/media-packet.ts';
import type { Stream, StreamOutput } from '../hub/stream.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import type { HlsOptions } from './hls-options.ts';

/** What viewers may be told now. Immutable: replaced whole when a part is added, a segment ends or the stream ends. */
export type HlsWindow = Readonly<{
  /** The newest part that exists: its media sequence number and its index in that segment. */
  lastMsn: number;
  lastPart: number;
  /** The newest segment that is whole: what `_HLS_msn` without `_HLS_part` waits for. `lastMsn`, or one less. */
  lastWholeMsn: number;
  playlist: Buffer;
  multivariant: Buffer;
  targetDurationMs: number;
  partTargetMs: number;
  isEnded: boolean;
}>;

/** Why a stream has no HLS, or not all of it; stable words for the API and the metrics. */
export type HlsProblem = 'video_codec' | 'video_config' | 'audio_codec' | 'audio_config';

/** One finished object: the pieces of its body in order, never written to again. */
export type HlsObject = Readonly<{ body: readonly Buffer[]; bytes: number }>;

export type HlsPackagerOptions = Readonly<{
  hls: HlsOptions;
  metrics: MediaMetrics;
  /** First media sequence number and first discontinuity sequence number; above all of earlier runs. */
  firstSequence: number;
}>;

/** Cuts one stream into CMAF segments and parts, kept in memory. Attaches itself to the stream; `dispose` detaches. */
export class HlsPackager implements StreamOutput {
  readonly #stream: Stream;
  readonly #listeners = new Set<() => void>();
  #window: HlsWindow | null = null;

  constructor(stream: Stream, _options: HlsPackagerOptions) {
    this.#stream = stream;
    stream.attach(this);
  }

  /** Null until the first segment is whole. */
  get window(): HlsWindow | null {
    return this.#window;
  }

  /** Null while everything that the publisher sends is in the segments. */
  get problem(): HlsProblem | null {
    return null;
  }

  /** `name` is what follows `/live/{id}/`. 'pending': the hinted next part, or the first part of the next segment. */
  object(_name: string): HlsObject | 'pending' | undefined {
    return undefined;
  }

  /** Calls back after every change of `window`, synchronously: do little. Returns the unsubscribe. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets everything go. Listeners are not called again. */
  dispose(): void {
    this.#stream.detach(this);
    this.#listeners.clear();
    this.#window = null;
  }

  packet(_packet: MediaPacket): void {}
  tracksChanged(): void {}
  interrupted(): void {}
  resumed(): void {}
  ended(): void {}
}
