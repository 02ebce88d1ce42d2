/** What the player has buffered: how far media is contiguous, and the holes in it. Media milliseconds. */

/** One frame or packet, by decode time. */
export type MediaUnit = { readonly track: 'video' | 'audio'; readonly dtsMs: number; readonly isKeyframe: boolean };

/** What appending did. A regression is not appended: players drop what lies behind their buffer's end. */
export type AppendResult = 'ignored' | 'appended' | 'hole' | 'regression';

type Track = { lastDtsMs: number; endMs: number; frameMs: number };
type Hole = { readonly fromMs: number; readonly toMs: number };

const VIDEO_FRAME_MS = 33;
const AUDIO_FRAME_MS = 23;
const HOLES_MAX = 64;
/** Audio alone starts playback when this much came without a picture. */
const AUDIO_ONLY_AFTER_MS = 1500;

/** Grows by appended units, starting with the first keyframe. */
export class MediaTimeline {
  readonly #gapMsMin: number;
  #video: Track | null = null;
  #audio: Track | null = null;
  #audioFirstDtsMs: number | null = null;
  #startMs: number | null = null;
  #holes: Hole[] = [];

  constructor(gapMsMin: number) {
    this.#gapMsMin = gapMsMin;
  }

  /** Where playback can begin; null until there is a keyframe (or sound alone). */
  get startMs(): number | null {
    return this.#startMs;
  }

  /** Length of the latest picture: the grain of everything measured here. */
  get frameMs(): number {
    return this.#video?.frameMs ?? this.#audio?.frameMs ?? VIDEO_FRAME_MS;
  }

  /** End of what every track has. */
  get endMs(): number {
    const ends = [this.#video?.endMs, this.#audio?.endMs].filter((end) => end !== undefined);
    return ends.length === 0 ? (this.#startMs ?? 0) : Math.min(...ends);
  }

  /** The next hole at or after the playhead. */
  get nextHole(): Hole | undefined {
    return this.#holes[0];
  }

  /** The playhead went past the first hole. */
  dropHole(): void {
    this.#holes.shift();
  }

  append(unit: MediaUnit): AppendResult {
    if (unit.track === 'video') {
      if (this.#video === null && !unit.isKeyframe) return 'ignored';
      if (this.#video === null && this.#startMs === null) {
        this.#startMs = unit.dtsMs;
        this.#audio = null; // sound from before the first picture is not played
      }
      const [track, result] = this.#extend(this.#video, unit.dtsMs, VIDEO_FRAME_MS);
      this.#video = track;
      return result;
    }
    this.#audioFirstDtsMs ??= unit.dtsMs;
    if (this.#startMs === null) {
      if (unit.dtsMs - this.#audioFirstDtsMs < AUDIO_ONLY_AFTER_MS) return 'ignored';
      this.#startMs = unit.dtsMs;
    }
    if (this.#audio === null && unit.dtsMs < this.#startMs) return 'ignored';
    const [track, result] = this.#extend(this.#audio, unit.dtsMs, AUDIO_FRAME_MS);
    this.#audio = track;
    return result;
  }

  /**
   * A whole part or segment, at its place in the list. The first one says with `playFromMs` where playback begins (it may lie
   * behind this span: players start at an independent part before it). What lies before the end is not appended again.
   */
  appendSpan(fromMs: number, toMs: number, playFromMs: number = fromMs): AppendResult {
    const track = this.#video;
    if (track === null) {
      this.#startMs = Math.max(fromMs, playFromMs);
      this.#video = { lastDtsMs: fromMs, endMs: toMs, frameMs: VIDEO_FRAME_MS };
      return 'appended';
    }
    if (toMs <= track.endMs) return 'regression';
    this.#video = { lastDtsMs: fromMs, endMs: toMs, frameMs: track.frameMs };
    if (fromMs - track.endMs <= this.#gapMsMin) return 'appended';
    if (this.#holes.length < HOLES_MAX) this.#holes.push({ fromMs: track.endMs, toMs: fromMs });
    return 'hole';
  }

  #extend(track: Track | null, dtsMs: number, firstFrameMs: number): [Track, AppendResult] {
    if (track === null) return [{ lastDtsMs: dtsMs, endMs: dtsMs + firstFrameMs, frameMs: firstFrameMs }, 'appended'];
    const deltaMs = dtsMs - track.lastDtsMs;
    if (deltaMs < 0) return [track, 'regression'];
    if (deltaMs <= this.#gapMsMin) {
      const frameMs = deltaMs === 0 ? track.frameMs : deltaMs;
      return [{ lastDtsMs: dtsMs, endMs: dtsMs + frameMs, frameMs }, 'appended'];
    }
    // Only the picture's holes stop the player; a hole in the sound is filled with silence.
    const isLeading = track === this.#video || this.#video === null;
    if (isLeading && this.#holes.length < HOLES_MAX) this.#holes.push({ fromMs: track.endMs, toMs: dtsMs });
    return [{ lastDtsMs: dtsMs, endMs: dtsMs + track.frameMs, frameMs: track.frameMs }, 'hole'];
  }
}
