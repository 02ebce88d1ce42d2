import { KEYFRAME_EARLY_MS_MAX } from './part-plan.ts';
import type { HlsFrame } from './segmenter.ts';

/** A stream without a video header is one of sound alone after this much of it. */
const SETTLE_MS = 1_000;
/** The longest first GOP that is waited for, and the longest wait for a first keyframe. */
export const OPENING_MS_MAX = 10_000;

/** What a stream turned out to be. `frames` begin with the first keyframe; `segmentMs` is the length of the first segment. */
export type Verdict =
  | Readonly<{ kind: 'picture'; frames: readonly HlsFrame[]; segmentMs: number }>
  | Readonly<{ kind: 'sound'; frames: readonly HlsFrame[] }>;

/**
 * The first second or so of a stream: kept until its tracks, its frame rate and the length of its first segment are known, which a
 * playlist must say from its first line on.
 */
export class Opening {
  readonly #segmentMs: number;
  readonly #bytesMax: number;
  readonly #onOverflow: () => void;
  #frames: HlsFrame[] = [];
  #bytes = 0;
  #keyframeMs: number | null = null;
  #firstMs: number | null = null;

  constructor(segmentMs: number, bytesMax: number, onOverflow: () => void) {
    this.#segmentMs = segmentMs;
    this.#bytesMax = bytesMax;
    this.#onOverflow = onOverflow;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True when frames of a track are kept. */
  has(track: 'video' | 'audio'): boolean {
    return this.#frames.some((frame) => frame.track === track);
  }

  /** Takes the next frame; the verdict as soon as there is one. `hasVideo`: a video header is there. */
  push(frame: HlsFrame, hasVideo: boolean): Verdict | null {
    const { track, timestampMs, isKeyframe } = frame;
    this.#firstMs ??= timestampMs;
    if (track === 'video' && this.#keyframeMs === null) {
      if (!isKeyframe) return null;
      this.#keyframeMs = timestampMs;
    }
    this.#frames.push(frame);
    this.#bytes += frame.data.length;
    if (this.#bytes > this.#bytesMax) {
      this.clear();
      this.#onOverflow();
      return null;
    }
    return this.#verdict(frame, hasVideo);
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
    this.#keyframeMs = null;
    this.#firstMs = null;
  }

  #verdict({ track, timestampMs, isKeyframe }: HlsFrame, hasVideo: boolean): Verdict | null {
    const keyframeMs = this.#keyframeMs;
    if (keyframeMs !== null) {
      const segmentMs = timestampMs - keyframeMs;
      const isWhole = track === 'video' && isKeyframe && segmentMs >= this.#segmentMs - KEYFRAME_EARLY_MS_MAX;
      if (!isWhole && segmentMs < Math.max(OPENING_MS_MAX, this.#segmentMs)) return null;
      const frames = this.#frames.filter((frame) => frame.track === 'video' || frame.timestampMs >= keyframeMs);
      return { kind: 'picture', frames, segmentMs };
    }
    const waitMs = hasVideo ? OPENING_MS_MAX : SETTLE_MS;
    return timestampMs - (this.#firstMs ?? timestampMs) >= waitMs ? { kind: 'sound', frames: this.#frames } : null;
  }
}
