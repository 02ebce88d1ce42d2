/**
 * How long parts and segments are: measured once, at the start, because a playlist may not change its targets.
 * Spec: draft-pantos-hls-rfc8216bis, 4.4.3.1 (TARGETDURATION), 4.4.3.7 (PART-TARGET), 4.4.4.9 (parts fill 85 % of it).
 */

/** Ticks per second of the output timeline, and of the video track: a frame of every usual rate is (nearly) whole. */
export const HLS_TIMESCALE = 90_000;
/** Ticks per ms. */
export const TICKS_PER_MS: number = HLS_TIMESCALE / 1_000;
/** A part other than the last of its segment fills at least this share of the target. */
export const PART_FILL_MIN = 0.85;

/** A keyframe that comes this much early ends a segment still: encoders count frames, and some are dropped. */
export const KEYFRAME_EARLY_MS_MAX = 50;

/** Over the frames: timestamps of RTMP are rounded to ms. */
const PART_SLACK_MS = 1;
/** Steps this near to the median are the frame rate; others are dropped frames and pauses. */
const REGULAR_SHARE = 0.25;
const REGULAR_MS_MIN = 2;
/** What the encoder says is taken when it is this near to what was measured. */
const HINT_SHARE = 0.01;
const FRAME_MS_DEFAULT = 1_000 / 30;
/** A segment may last up to half a second over its rounded target; the rest is for a frame that comes late. */
const SEGMENT_OVER_TARGET_MS = 450;
/** A first segment this much over whole seconds takes the next second: its successors vary by some frames. */
const TARGET_ROUND_UP_FROM = 0.4;

/**
 * The time of one frame in ms, from decode timestamps in order (whole ms: 33, 34, 33 …). `hintFps` is what the stream says of
 * itself, null if nothing.
 */
export function measureFrameMs(timestampsMs: readonly number[], hintFps: number | null): number {
  const steps = timestampsMs.slice(1).map((timestampMs, index) => timestampMs - (timestampsMs[index] ?? 0));
  const hintMs = hintFps !== null && hintFps > 0 ? 1_000 / hintFps : null;
  const median = steps.toSorted((a, b) => a - b)[steps.length >> 1];
  if (median === undefined || median <= 0) return hintMs ?? FRAME_MS_DEFAULT;
  const tolerance = Math.max(REGULAR_MS_MIN, median * REGULAR_SHARE);
  const regular = steps.filter((step) => Math.abs(step - median) <= tolerance);
  const counted = regular.length * 2 >= steps.length ? regular : steps;
  const measuredMs = counted.reduce((sum, step) => sum + step, 0) / counted.length;
  return hintMs !== null && Math.abs(hintMs - measuredMs) <= measuredMs * HINT_SHARE ? hintMs : measuredMs;
}

/** PART-TARGET in whole ms: the number of frames nearest to `partMs`, and 1 ms; at most `segmentMs`. */
export function partTargetMsOf(frameMs: number, partMs: number, segmentMs: number): number {
  const frames = Math.max(1, Math.round(partMs / frameMs));
  return Math.min(Math.round(frames * frameMs) + PART_SLACK_MS, segmentMs);
}

/** Frames that fill a part of `partTargetMs` as far as it goes, or null when no whole number of them fills 85 %. */
export function framesPerPart(frameMs: number, partTargetMs: number): number | null {
  const frames = Math.floor(partTargetMs / frameMs + 1e-9);
  return frames >= 1 && frames * frameMs >= partTargetMs * PART_FILL_MIN ? frames : null;
}

/** The targets of segments, from the length of the first one. */
export function segmentTargets(firstSegmentMs: number): { targetDurationMs: number; segmentMsMax: number } {
  const seconds = Math.max(1, Math.floor(firstSegmentMs / 1_000 + 1 - TARGET_ROUND_UP_FROM));
  return { targetDurationMs: seconds * 1_000, segmentMsMax: seconds * 1_000 + SEGMENT_OVER_TARGET_MS };
}
