import type { Stream } from '../hub/stream.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import type { HlsOptions } from './hls-options.ts';
import { HlsPackager } from './hls-packager.ts';

/** The packagers of all streams: one per stream from its start, kept for a while after its end. */
export class HlsPackagers {
  readonly #options: Readonly<{ hls: HlsOptions; metrics: MediaMetrics }>;
  readonly #packagers = new Map<string, HlsPackager>();

  constructor(options: Readonly<{ hls: HlsOptions; metrics: MediaMetrics }>) {
    this.#options = options;
  }

  /** The packager of a stream on air, in grace, or ended less than `lingerMs` ago. */
  find(playbackId: string): HlsPackager | undefined {
    return this.#packagers.get(playbackId);
  }

  /** A stream went on air. */
  start(stream: Stream): void {
    this.#packagers.set(stream.playbackId, new HlsPackager(stream, { ...this.#options, firstSequence: 0 }));
  }

  /** Lets all packagers go. */
  close(): void {
    for (const packager of this.#packagers.values()) packager.dispose();
    this.#packagers.clear();
  }
}
