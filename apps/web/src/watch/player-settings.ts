import type { HlsConfig, LoadPolicy } from 'hls.js';
import type mpegts from 'mpegts.js';
import { failureOfStatus } from './http-failure.ts';

/**
 * Everything about playing that is a number, in one place; the ids name rows of docs/requirements.md.
 *
 * HTTP-FLV: latency decides (95 % of viewers under 3 s): the player chases at 1.5 s of buffer, gently by speed first and by a
 * jump when that is not enough (I-72 … I-79; tighter than I-74's 5 s and I-75's 2 s, which do not keep that promise).
 */
export const FLV_SETTINGS = {
  isLive: true, // I-72
  enableWorker: false, // a worker from a blob: would need a hole in the Content-Security-Policy
  liveBufferLatencyChasing: true, // I-73
  liveBufferLatencyMaxLatency: 1.5, // I-74
  liveBufferLatencyMinRemain: 0.6, // I-75
  liveSync: true,
  liveSyncMaxLatency: 1.2,
  liveSyncTargetLatency: 0.8,
  liveSyncPlaybackRate: 1.1,
  lazyLoad: false,
  enableStashBuffer: true, // I-76
  stashInitialSize: 64 * 1024, // I-77: 512 KB would hold back 1.5 s of a 2.6 Mbit/s stream: first picture after 1.7 s instead of 0.7 s
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 20, // I-78
  autoCleanupMinBackwardDuration: 7, // I-79
} as const satisfies mpegts.Config;

/**
 * A list that does not come is asked for again for about four seconds, while what is buffered plays on: then it is said that HLS
 * failed, and the player decides. hls.js would not try again at all when there is no answer, and after a refusal it need not.
 */
const HLS_LIST_POLICY = {
  default: {
    maxTimeToFirstByteMs: 8_000, // a blocking reload is held for as long as three target durations
    maxLoadTimeMs: 12_000,
    timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: {
      maxNumRetry: 4,
      retryDelayMs: 500,
      maxRetryDelayMs: 1_000,
      shouldRetry: (retry, count, isTimeout, answer) =>
        count < (retry?.maxNumRetry ?? 0) && (isTimeout || failureOfStatus(answer?.code ?? 0) === 'lost'),
    },
  },
} as const satisfies LoadPolicy;

/**
 * HLS and LL-HLS by hls.js. How far behind the edge it plays is the list's word (PART-HOLD-BACK, HOLD-BACK); where the list says
 * nothing it is hls.js's own `liveSyncDurationCount` of 3 (I-85), which must not be set here: that would overrule the list.
 */
export const HLS_SETTINGS = {
  enableWorker: false, // fMP4 is passed through: nothing worth a thread of its own
  lowLatencyMode: true, // I-82: does nothing where the list has no parts
  backBufferLength: 10, // I-83
  maxBufferLength: 20, // I-84
  maxLiveSyncPlaybackRate: 1.1, // I-87
  manifestLoadPolicy: HLS_LIST_POLICY,
  playlistLoadPolicy: HLS_LIST_POLICY,
} as const satisfies Partial<HlsConfig>;

/** I-86. hls.js takes it at its making only together with `liveSyncDurationCount`; set on its `config` afterwards it stands alone. */
export const HLS_MAX_LATENCY_TARGET_DURATIONS = 6;

/** With whole segments: nearer to or further from its place behind the edge than this, speed brings the picture back … */
export const HLS_STEER_FROM_S = 1;
/** … slowly enough not to be noticed, when it is too near; I-87 when it is too far. */
export const HLS_STEER_SLOW_RATE = 0.9;

/** The live edge is looked at once a second (I-88): further behind than this and the playhead jumps … */
export const EDGE_DRIFT_MAX_S = 5;
/** … to this distance from the edge. */
export const EDGE_TARGET_S = 1.5;
/** The browser's own HLS keeps itself at the edge; this is for one that fell asleep. */
export const NATIVE_DRIFT_MAX_S = 15;
/** Where a native player is put back to: what HLS calls HOLD-BACK, three segments of two seconds. */
export const NATIVE_TARGET_S = 6;

/** Period of the stall watch (I-89) and of the look at the live edge. */
export const WATCH_PERIOD_MS = 1_000;
/** Less progress than this within a second counts as standing still (I-89). */
export const STALL_PROGRESS_MS_MIN = 10;
/** HTTP-FLV: five seconds without progress load again (I-90, I-92). */
export const FLV_STALL = { ticksMax: 5, ticksMaxWhileNewer: 5 } as const;
/** HLS: twelve seconds (I-92), but five while its lists go on: media comes, the player is stuck. Two to four are ordinary jitter (I-93). */
export const HLS_STALL = { ticksMax: 12, ticksMaxWhileNewer: 5 } as const;
/** So much newer media during a stall says that the lists go on. */
export const STALL_NEWER_MS_MIN = 2_000;

/** No picture within this time after a request: try again. */
export const FIRST_FRAME_TIMEOUT_MS = 10_000;
/** Paused for so long, the connection is let go; play loads anew. */
export const PAUSED_RELEASE_MS = 30_000;

/** HTTP-FLV lost so many times in a row after its first try is left for HLS (I-80, I-81). */
export const FLV_RETRIES_MAX = 3;
/** HLS lost as often: the trouble is not FLV's alone, which may be asked again. */
export const HLS_RETRIES_MAX = 3;
/** HTTP-FLV that failed is not asked for again before this; each further time twice as long … */
export const FLV_BAR_MS = 60_000;
/** … but not longer than this. */
export const FLV_BAR_MAX_MS = 32 * 60_000;
/** A picture by HLS as steady as this is worth one short gap to get back to the lower delay. */
export const FLV_RETURN_STEADY_MS = 5 * 60_000;

/** A list that must be there, or go on, before hls.js gets it is looked at in this period, up to a quarter sooner at random. */
export const LIST_POLL_PERIOD_MS = 800;
/** One look at a list. */
export const LIST_POLL_TIMEOUT_MS = 4_000;
/** So long for all looks: then the policy decides anew. */
export const LIST_WAIT_MAX_MS = 10_000;
