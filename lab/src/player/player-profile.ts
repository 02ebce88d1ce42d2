/** How different players behave, as data. The verdict names the profile it was made with. */

/** All times are media time unless they say otherwise. */
export type PlayerProfile = {
  readonly name: 'mpegts.js' | 'strict';
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

/** Profiles by name. */
export const PLAYER_PROFILES: Readonly<Record<PlayerProfile['name'], PlayerProfile>> = {
  'mpegts.js': MPEGTS_JS,
  strict: STRICT,
};
