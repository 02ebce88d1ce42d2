import type { Fmp4Sample } from '@showfloor/media-formats';
import { TICKS_PER_MS } from './part-plan.ts';

/** One coded frame as it comes from the stream: its time is the stream's decode time. */
export type HlsFrame = Readonly<{
  track: 'video' | 'audio';
  timestampMs: number;
  /** Presentation minus decode time; 0 for sound. */
  compositionMs: number;
  /** True for every frame of sound. */
  isKeyframe: boolean;
  data: Uint8Array;
}>;

/** Samples of one track in a part. */
export type PartRun = Readonly<{ baseDecodeTimeTicks: number; samples: readonly Fmp4Sample[] }>;

/** A finished part. Times in ticks of 1/90,000 s on the output timeline; the tracks' own runs in their own ticks. */
export type MediaPart = Readonly<{
  startTicks: number;
  endTicks: number;
  /** Begins with a keyframe. */
  isIndependent: boolean;
  video: PartRun | null;
  audio: PartRun | null;
  /** Its first moment on the stream's timeline: what the wall clock is asked for. */
  streamStartMs: number;
}>;

/**
 * What is not as it should be: `video_gap` pictures are missing · `closed_up` nothing was sent for a while, the timeline goes on without
 * it · `audio_gap` · `audio_dropped` sound for a time that is filled · `silence` begins · `forced_cut` a segment ends without a keyframe
 * behind it · `before_keyframe` pictures that cannot be decoded.
 */
export type HlsGapKind =
  | 'video_gap'
  | 'closed_up'
  | 'audio_gap'
  | 'audio_dropped'
  | 'silence'
  | 'forced_cut'
  | 'before_keyframe';

/** Where a segmenter puts what it makes: parts, and after the last of each segment `segmentEnd`. */
export type SegmenterSink = Readonly<{
  part: (part: MediaPart) => void;
  segmentEnd: () => void;
  gap: (kind: HlsGapKind) => void;
}>;

/** The lengths a segmenter keeps to, in ms. */
export type SegmentPlan = Readonly<{
  /** A segment ends at the first keyframe after this … */
  segmentMs: number;
  /** … and is cut without one after that. */
  segmentMsMax: number;
  partTargetMs: number;
  /** Time of one frame, as measured. */
  frameMs: number;
}>;

/** Where on the output timeline a segmenter begins: stream time minus output time, and the end of what was there before. */
export type SegmenterStart = Readonly<{ offsetTicks: number; atTicks: number | null }>;

/** Cuts the frames of one set of tracks into parts and segments. */
export type Segmenter = {
  frame(frame: HlsFrame): void;
  /** Closes the open part and segment with what is there. The next segment begins with the next keyframe. */
  flush(): void;
  /** The open segment is about to end, as far as its predecessor tells: the next part will be of the next segment. */
  readonly isSegmentEndLikely: boolean;
  /** Where a successor with other tracks begins. Ask after `flush`. */
  readonly end: SegmenterStart;
};

/** Stream time of an output time. */
export function toStreamMs(ticks: number, offsetTicks: number): number {
  return (ticks + offsetTicks) / TICKS_PER_MS;
}
