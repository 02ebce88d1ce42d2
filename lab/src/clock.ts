/** Clocks of one lab host. Intervals come from the monotonic clock only; the wall clock serves capture times (SEI). */

const [seconds, nanoseconds] = process.hrtime();
/** `performance.now()` starts anew in every thread, on the same clock; it allocates nothing, and is asked thousands of times a second. */
const THREAD_STARTED_MS = seconds * 1000 + nanoseconds / 1e6 - performance.now();

/** Monotonic milliseconds, the same for every thread and process of this host. */
export function monotonicMs(): number {
  return THREAD_STARTED_MS + performance.now();
}

/** Wall-clock milliseconds since 1970 at a monotonic instant, as the wall clock stands now. */
export function wallMsAt(atMonotonicMs: number): number {
  return Date.now() - (monotonicMs() - atMonotonicMs);
}
