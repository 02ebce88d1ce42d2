/**
 * What a parameter set says of its frame rate, as far as anyone can mean it. Both terms have 32 bits: damaged ones stand for frames
 * of years or of nanoseconds, and whoever plans by them fills memory.
 */
const FRAME_RATE_MIN = 0.1;
const FRAME_RATE_MAX = 1_000;

/** Frames per second, or null when the stream does not say, or says something outside 0.1–1,000. */
export function plausibleFrameRate(framesPerSecond: number): number | null {
  return framesPerSecond >= FRAME_RATE_MIN && framesPerSecond <= FRAME_RATE_MAX ? framesPerSecond : null;
}
