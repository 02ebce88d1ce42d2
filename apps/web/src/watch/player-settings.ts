import type mpegts from 'mpegts.js';

/**
 * Everything about playing HTTP-FLV that is a number, in one place. Latency decides (95 % of viewers under 3 s): the
 * player chases at 1.5 s of buffer, gently by speed first and by a jump when that is not enough.
 */
export const FLV_SETTINGS = {
  isLive: true,
  enableWorker: false, // a worker from a blob: would need a hole in the Content-Security-Policy
  liveBufferLatencyChasing: true,
  liveBufferLatencyMaxLatency: 1.5,
  liveBufferLatencyMinRemain: 0.6,
  liveSync: true,
  liveSyncMaxLatency: 1.2,
  liveSyncTargetLatency: 0.8,
  liveSyncPlaybackRate: 1.1,
  lazyLoad: false,
  enableStashBuffer: true,
  stashInitialSize: 64 * 1024, // 512 KB would hold back 1.5 s of a 2.6 Mbit/s stream: first picture after 1.7 s instead of 0.7 s
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 20,
  autoCleanupMinBackwardDuration: 7,
} as const satisfies mpegts.Config;

/** The live edge is looked at once a second: further behind than this and the playhead jumps … */
export const EDGE_DRIFT_MAX_S = 5;
/** … to this distance from the edge. */
export const EDGE_TARGET_S = 1.5;
/** Period of the stall watch and of the look at the live edge. */
export const WATCH_PERIOD_MS = 1_000;
/** No byte of picture within this time after a request: try again. */
export const FIRST_FRAME_TIMEOUT_MS = 10_000;
/** Paused for so long, the connection is let go; play loads anew. */
export const PAUSED_RELEASE_MS = 30_000;
