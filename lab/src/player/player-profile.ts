/** How different players behave, as data. The verdict names the profile it was made with. */

/** All times are media time unless they say otherwise. */
export type PlayerProfile = {
  readonly name: 'mpegts.js' | 'hls.js' | 'native' | 'strict';
  /** Buffered media needed for the first picture, and to go on after a stall. */
  readonly startLevelMs: number;
  readonly resumeLevelMs: number;
  /** A hole in the timestamps longer than this is a gap; shorter ones are stretched frames. */
  readonly gapMsMin: number;
  /** `jump`: skips the hole (counted); `stall`: the picture stands still as long as the hole is. */
  readonly onGap: 'jump' | 'stall';
  /** Plays faster while more than `aboveMs` is buffered, until `targetMs` is left. */
  readonly liveSync: { readonly aboveMs: number; readonly targetMs: number; readonly rate: number } | null;
  /** Seeks forward when more than `aboveMs` is buffered, so that `keepMs` is left. Not a stall; counted. */
  readonly latencyChase: { readonly aboveMs: number; readonly keepMs: number } | null;
};

/**
 * mpegts.js 1.8 with live sync on (target 0.8 s, max 1.2 s, rate 1.2). A browser starts within a few frames of the first
 * keyframe. Across a hole mpegts.js stretches the last frame: the picture stands still.
 */
const MPEGTS_JS: PlayerProfile = {
  name: 'mpegts.js',
  startLevelMs: 100,
  resumeLevelMs: 100,
  gapMsMin: 500,
  onGap: 'stall',
  liveSync: { aboveMs: 1200, targetMs: 800, rate: 1.2 },
  latencyChase: null,
};

/** Worst case: starts with the first frame, keeps no buffer, never catches up. Every late frame is a stall. */
const STRICT: PlayerProfile = {
  name: 'strict',
  startLevelMs: 0,
  resumeLevelMs: 0,
  gapMsMin: 500,
  onGap: 'stall',
  liveSync: null,
  latencyChase: null,
};

/**
 * hls.js 1.7 as it comes: plays as soon as the first fragment is appended, seeks over holes from 0.1 s (`maxBufferHole`), never plays
 * faster (`maxLiveSyncPlaybackRate` 1) and never jumps for latency.
 */
const HLS_JS: PlayerProfile = {
  name: 'hls.js',
  startLevelMs: 100,
  resumeLevelMs: 100,
  gapMsMin: 100,
  onGap: 'jump',
  liveSync: null,
  latencyChase: null,
};

/** A platform player: wants half a second before it starts and after a stall, waits out holes. Its real levels are not published. */
const NATIVE: PlayerProfile = {
  name: 'native',
  startLevelMs: 500,
  resumeLevelMs: 500,
  gapMsMin: 500,
  onGap: 'stall',
  liveSync: null,
  latencyChase: null,
};

/** Profiles by name. */
export const PLAYER_PROFILES: Readonly<Record<PlayerProfile['name'], PlayerProfile>> = {
  'mpegts.js': MPEGTS_JS,
  'hls.js': HLS_JS,
  native: NATIVE,
  strict: STRICT,
};

/** Whether a text names a profile. */
export function isPlayerProfileName(text: string): text is PlayerProfile['name'] {
  return Object.hasOwn(PLAYER_PROFILES, text);
}
