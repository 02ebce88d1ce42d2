/** How different players play HLS, as data. Every rule that is theirs and not the specification's stands here. */
import { PLAYER_PROFILES, type PlayerProfile } from './player-profile.ts';

/** What happens when a request fails. Delays double from the first to the longest. */
export type RetryRule = {
  /** No first byte within this: a time-out. */
  readonly firstByteMsMax: number;
  readonly retriesMax: number;
  readonly delayFirstMs: number;
  readonly delayMsMax: number;
};

/** All times are ms. */
export type HlsProfile = {
  readonly name: 'hls.js' | 'native' | 'strict';
  readonly buffer: PlayerProfile;
  /** `hold-back`: as far from the end as the list asks for; `edge`: the newest fragment that playback can begin with. */
  readonly startAt: 'hold-back' | 'edge';
  /** Asks for the part that the list announces, before it is there. */
  readonly fetchesHints: boolean;
  /** No further fragment is fetched while this much is buffered. */
  readonly bufferMsMax: number;
  readonly list: RetryRule;
  readonly fragment: RetryRule;
  /** Further requests for something that was answered with 4xx. */
  readonly missingRetriesMax: number;
  /** Where it goes on when what it wanted has left the list. */
  readonly afterSkip: 'live' | 'oldest';
  /** Lists in a row that go back in number before it starts over with what they say. */
  readonly regressedListsMax: number;
};

/**
 * hls.js 1.7 as it comes: `playlistLoadPolicy`, `fragLoadPolicy`, `maxBufferLength`; 4xx are not asked for again; hints are read and
 * not fetched; a playhead that the window has left is set to the live position.
 */
const HLS_JS: HlsProfile = {
  name: 'hls.js',
  buffer: PLAYER_PROFILES['hls.js'],
  startAt: 'hold-back',
  fetchesHints: false,
  bufferMsMax: 30_000,
  list: { firstByteMsMax: 10_000, retriesMax: 2, delayFirstMs: 1000, delayMsMax: 8000 },
  fragment: { firstByteMsMax: 10_000, retriesMax: 6, delayFirstMs: 1000, delayMsMax: 8000 },
  missingRetriesMax: 0,
  afterSkip: 'live',
  regressedListsMax: 3,
};

/** A platform player by the specification: hold-backs, hints, and one more try for what is missing. Its retries are our guess. */
const NATIVE: HlsProfile = {
  name: 'native',
  buffer: PLAYER_PROFILES.native,
  startAt: 'hold-back',
  fetchesHints: true,
  bufferMsMax: 30_000,
  list: { firstByteMsMax: 10_000, retriesMax: 3, delayFirstMs: 500, delayMsMax: 4000 },
  fragment: { firstByteMsMax: 10_000, retriesMax: 3, delayFirstMs: 500, delayMsMax: 4000 },
  missingRetriesMax: 1,
  afterSkip: 'live',
  regressedListsMax: 3,
};

/** Worst case: at the live edge, no buffer, asks once. */
const STRICT: HlsProfile = {
  name: 'strict',
  buffer: PLAYER_PROFILES.strict,
  startAt: 'edge',
  fetchesHints: true,
  bufferMsMax: 30_000,
  list: { firstByteMsMax: 10_000, retriesMax: 0, delayFirstMs: 500, delayMsMax: 500 },
  fragment: { firstByteMsMax: 10_000, retriesMax: 0, delayFirstMs: 500, delayMsMax: 500 },
  missingRetriesMax: 0,
  afterSkip: 'oldest',
  regressedListsMax: 1,
};

/** Profiles by name. */
export const HLS_PROFILES: Readonly<Record<HlsProfile['name'], HlsProfile>> = {
  'hls.js': HLS_JS,
  native: NATIVE,
  strict: STRICT,
};

/** How long to wait before the n-th retry, n from 1. */
export function retryDelayMs({ delayFirstMs, delayMsMax }: RetryRule, retry: number): number {
  return Math.min(delayMsMax, delayFirstMs * 2 ** Math.min(retry - 1, 16));
}
