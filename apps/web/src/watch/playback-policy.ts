import {
  FLV_BAR_MAX_MS,
  FLV_BAR_MS,
  FLV_RETRIES_MAX,
  FLV_RETURN_STEADY_MS,
  HLS_RETRIES_MAX,
} from './player-settings.ts';
import { RETRY_FORGIVEN_AFTER_MS, retryDelayMs } from './retry-delay.ts';

/** How the picture reaches the element: HTTP-FLV by mpegts.js, HLS and LL-HLS by hls.js, HLS by the browser itself. */
export type Transport = 'flv' | 'hls' | 'native';

/** What the viewer asked for. `auto`: the lowest delay that works here. */
export type PlayerChoice = 'auto' | 'flv' | 'll-hls' | 'hls';

/** What this browser can do. `mediaSource`: H.264 by Media Source Extensions. */
export type Capabilities = { readonly mediaSource: boolean; readonly nativeHls: boolean };

export type PlaybackFailure =
  /** The server knows no such stream (404). */
  | 'absent'
  /** Somebody on the way says no (another 4xx). */
  | 'refused'
  /** This browser cannot decode it, or not in this way. */
  | 'unsupported'
  /** Another run of the stream took its place, with times and numbers of its own: the server was started again. */
  | 'replaced'
  /** A lost connection, a stall, no picture in time. */
  | 'lost';

export type PlaybackEvent =
  /** The page opens, or play is pressed after a long pause. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'choose'; readonly choice: PlayerChoice }
  | { readonly kind: 'picture' }
  | { readonly kind: 'failed'; readonly failure: PlaybackFailure }
  /** The realtime plane says that the show is on air, and there is no picture. */
  | { readonly kind: 'on-air' }
  /** Once a second while the picture moves. */
  | { readonly kind: 'tick' };

/** What to do now; null: nothing. */
export type PlaybackOrder =
  | {
      readonly kind: 'load';
      readonly transport: Transport;
      readonly isLowLatency: boolean;
      readonly delayMs: number;
      /** `present`: load only when the list answers. `advancing`: only when it has changed since the player stood still. */
      readonly list: 'any' | 'present' | 'advancing';
    }
  /** Nothing here can play it. */
  | { readonly kind: 'give-up' }
  | null;

export type PlaybackState = {
  readonly choice: PlayerChoice;
  readonly can: Capabilities;
  /** Being loaded, waited for, or playing. */
  readonly transport: Transport | null;
  /** Failures in a row that had to be waited out: the step of the backoff. */
  readonly attempt: number;
  /** Times in a row that `transport` was lost. */
  readonly losses: number;
  readonly flvBarredUntilMs: number;
  /** How often FLV was left since the page opened: doubles the next bar. */
  readonly flvBars: number;
  readonly hopeless: readonly Transport[];
  readonly steadySinceMs: number | null;
  /** FLV was asked for again although HLS played: one failure and it is left. */
  readonly isReturning: boolean;
};

export type PlaybackStep = { readonly state: PlaybackState; readonly order: PlaybackOrder };

export function initialPlayback(choice: PlayerChoice, can: Capabilities): PlaybackState {
  return {
    choice,
    can,
    transport: null,
    attempt: 0,
    losses: 0,
    flvBarredUntilMs: 0,
    flvBars: 0,
    hopeless: [],
    steadySinceMs: null,
    isReturning: false,
  };
}

/**
 * Which way of playing comes next, and when (I-02, I-71, I-80, I-81). FLV first for its low delay; refused or lost again and
 * again it is left for HLS at once and barred for a while. The way back is a moment that costs the viewer nothing (HLS lost too, play after
 * a long pause) or, after minutes of steady HLS, one try. Pure: `nowMs` is the page's clock, `random` in [0, 1).
 */
export function playbackAfter(state: PlaybackState, event: PlaybackEvent, nowMs: number, random: number): PlaybackStep {
  switch (event.kind) {
    case 'begin':
      return loadNext({ ...state, attempt: 0, losses: 0 }, nowMs);
    case 'choose':
      return loadNext({ ...initialPlayback(event.choice, state.can), flvBars: state.flvBars }, nowMs);
    case 'picture':
      return { state: { ...state, steadySinceMs: state.steadySinceMs ?? nowMs }, order: null };
    case 'on-air':
      // A publisher who returns may send another codec: what was hopeless is worth another look.
      return loadNext({ ...state, attempt: 0, losses: 0, hopeless: [] }, nowMs);
    case 'tick':
      return isTimeToReturn(state, nowMs)
        ? load({ ...state, losses: 0, isReturning: true }, 'flv', 0, 'any')
        : { state, order: null };
    case 'failed':
      return afterFailure(state, event.failure, nowMs, random);
    default:
      return event satisfies never;
  }
}

function afterFailure(before: PlaybackState, failure: PlaybackFailure, nowMs: number, random: number): PlaybackStep {
  const steadyMs = before.steadySinceMs === null ? 0 : nowMs - before.steadySinceMs;
  const forgiven = steadyMs >= RETRY_FORGIVEN_AFTER_MS ? { attempt: 0, losses: 0, isReturning: false } : {};
  const state: PlaybackState = { ...before, ...forgiven, steadySinceMs: null };
  const failed = state.transport;
  if (failed === null) return { state, order: null };
  if (failure === 'replaced') return loadNext(state, nowMs); // it is there: nothing to wait for
  const noted: PlaybackState = {
    ...state,
    losses: state.losses + (failure === 'lost' ? 1 : 0),
    hopeless: failure === 'unsupported' ? [...state.hopeless, failed] : state.hopeless,
  };
  return failed === 'flv' ? afterFlv(noted, failure, nowMs, random) : afterHls(noted, failure, nowMs, random);
}

function afterFlv(state: PlaybackState, failure: PlaybackFailure, nowMs: number, random: number): PlaybackStep {
  const isLeft = failure !== 'lost' || state.isReturning || state.losses > FLV_RETRIES_MAX;
  const other = candidates(state).find((transport) => transport !== 'flv');
  if (isLeft && other !== undefined) return load(barFlv(state, nowMs), other, 0, 'present');
  return retry(state, nowMs, random);
}

function afterHls(state: PlaybackState, failure: PlaybackFailure, nowMs: number, random: number): PlaybackStep {
  // No stream at all, or a server that is gone: FLV was not the trouble.
  const isFlvCleared = failure === 'absent' || state.losses >= HLS_RETRIES_MAX;
  return retry(isFlvCleared ? { ...state, flvBarredUntilMs: 0 } : state, nowMs, random);
}

/** Waits the next step of the backoff, then loads what is first in line. */
function retry(state: PlaybackState, nowMs: number, random: number): PlaybackStep {
  const delayMs = retryDelayMs(state.attempt, random);
  return loadNext({ ...state, attempt: state.attempt + 1 }, nowMs, delayMs);
}

function loadNext(state: PlaybackState, nowMs: number, delayMs = 0): PlaybackStep {
  const inLine = candidates(state);
  const next =
    inLine.find((transport) => transport !== 'flv' || nowMs + delayMs >= state.flvBarredUntilMs) ?? inLine[0];
  if (next === undefined) return { state: { ...state, transport: null }, order: { kind: 'give-up' } };
  const losses = next === state.transport ? state.losses : 0;
  // hls.js is a large chunk: unless the viewer chose it, it comes only for a list that is there.
  const list = state.choice === 'auto' ? 'present' : 'any';
  return load({ ...state, losses }, next, delayMs, delayMs === 0 ? list : 'advancing');
}

function load(
  state: PlaybackState,
  transport: Transport,
  delayMs: number,
  list: 'any' | 'present' | 'advancing',
): PlaybackStep {
  return {
    state: { ...state, transport, steadySinceMs: null, isReturning: transport === 'flv' && state.isReturning },
    order: {
      kind: 'load',
      transport,
      isLowLatency: state.choice !== 'hls',
      delayMs,
      // A browser does not say whether a list was missing or cannot be played: ask before it does.
      list: transport === 'native' && list === 'any' ? 'present' : list,
    },
  };
}

function barFlv(state: PlaybackState, nowMs: number): PlaybackState {
  const barMs = Math.min(FLV_BAR_MS * 2 ** state.flvBars, FLV_BAR_MAX_MS);
  return { ...state, losses: 0, flvBarredUntilMs: nowMs + barMs, flvBars: state.flvBars + 1 };
}

function isTimeToReturn(
  { choice, can, transport, steadySinceMs, hopeless, flvBarredUntilMs }: PlaybackState,
  nowMs: number,
): boolean {
  if (choice !== 'auto' || !can.mediaSource || transport === 'flv' || hopeless.includes('flv')) return false;
  return steadySinceMs !== null && nowMs - steadySinceMs >= FLV_RETURN_STEADY_MS && nowMs >= flvBarredUntilMs;
}

/** In order of preference, without what cannot work. */
function candidates({ choice, can, hopeless }: PlaybackState): Transport[] {
  const all: Transport[] = [];
  if (can.mediaSource && (choice === 'auto' || choice === 'flv')) all.push('flv');
  if (can.mediaSource && choice !== 'flv') all.push('hls');
  if (can.nativeHls && choice !== 'flv') all.push('native');
  return all.filter((transport) => !hopeless.includes(transport));
}
