/** Clocks of one lab host. Intervals come from the monotonic clock only; the wall clock serves capture times (SEI). */

/** Monotonic milliseconds, the same for every thread of this process (`performance.now()` starts anew in each). */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Wall-clock milliseconds since 1970 at a monotonic instant, as the wall clock stands now. */
export function wallMsAt(atMonotonicMs: number): number {
  return Date.now() - (monotonicMs() - atMonotonicMs);
}
